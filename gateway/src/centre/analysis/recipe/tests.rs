use super::super::extract::{ExtractOptions, extract};
use super::super::families::{BODY_BYTES, Family, Kind, SAVED_AT, corpus, goodware, noise, program};
use super::super::goodware::Goodware;
use super::*;
use proptest::prelude::*;

struct Group {
    samples: Vec<Vec<u8>>,
    originals: Vec<Vec<u8>>,
    literals: Vec<Box<[u8]>>,
}

impl Group {
    fn of(samples: Vec<Vec<u8>>, originals: Vec<Vec<u8>>, goodware: &Goodware) -> Group {
        let slices: Vec<&[u8]> = samples.iter().map(|sample| &**sample).collect();
        let found = extract(&slices, goodware, &[], &ExtractOptions::default());
        let literals = found.into_iter().flat_map(|found| found.literals).map(|literal| literal.bytes).collect();
        Group { samples, originals, literals }
    }

    fn of_family(kind: Kind) -> Group {
        let family = Family::new(kind, &format!("{kind:?} repaired"));
        let samples = (0..8).map(|number| family.infected(number)).collect();
        Group::of(samples, (0..8).map(|number| family.host(number)).collect(), &goodware(&corpus()))
    }

    fn literals(&self) -> Vec<&[u8]> {
        self.literals.iter().map(|literal| &**literal).collect()
    }

    /// The recipe when so many originals are known.
    fn derive(&self, known: usize) -> Option<Recipe> {
        let samples: Vec<&[u8]> = self.samples.iter().map(|sample| &**sample).collect();
        derive(&samples, &self.pairs()[..known], &self.literals())
    }

    fn pairs(&self) -> Vec<Pair<'_>> {
        let both = self.samples.iter().zip(&self.originals);
        both.map(|(sample, original)| Pair { sample, original }).collect()
    }

    fn assert_restores(&self, recipe: Option<Recipe>) -> Vec<String> {
        let Some(recipe) = recipe else { panic!("there is no recipe") };
        for pair in self.pairs() {
            let result = recipe.apply(pair.sample, &places(pair.sample, &self.literals()));
            assert_eq!(result.as_deref(), Some(pair.original));
        }
        recipe.steps.iter().map(Step::to_string).collect()
    }
}

#[test]
fn appended_code_is_undone_whether_none_one_or_some_originals_are_known() {
    let group = Group::of_family(Kind::Appended);
    let copy = format!("copy end-{} 3 start", BODY_BYTES - SAVED_AT);
    for known in [0, 1, 2, 3, 8] {
        let steps = group.assert_restores(group.derive(known));
        assert_eq!(steps, [copy.clone(), format!("drop {BODY_BYTES}")], "{known} originals are known");
    }
}

#[test]
fn a_recipe_restores_members_that_it_was_not_made_from() {
    let group = Group::of_family(Kind::Appended);
    let family = Family::new(Kind::Appended, "Appended repaired");
    let Some(recipe) = group.derive(0) else { panic!("there is no recipe") };
    for number in 8..100 {
        let sample = family.infected(number);
        let result = recipe.apply(&sample, &places(&sample, &group.literals()));
        assert_eq!(result, Some(family.host(number)));
    }
}

#[test]
fn a_recipe_says_what_it_rests_on() {
    let group = Group::of_family(Kind::Appended);
    let evidence = [0, 1, 2].map(|known| group.derive(known).map(|recipe| recipe.evidence));
    assert_eq!(evidence, [Evidence::Pattern, Evidence::OneOriginal, Evidence::Originals].map(Some));
}

#[test]
fn a_recipe_is_a_line_as_definitions_have_it() {
    let line =
        Group::of_family(Kind::Appended).derive(0).map(|recipe| recipe.line(&SignatureName::automatic(&[9; 32], 1)));
    assert_eq!(line.as_deref(), Some("Lazaret.Auto.09090909.1;copy end-700 3 start;drop 1400"));
}

#[test]
fn code_in_front_is_cut_when_two_originals_are_known() {
    let group = Group::of_family(Kind::Prepended);
    assert_eq!(group.assert_restores(group.derive(2)), [format!("cut start start+{BODY_BYTES}")]);
    assert_eq!(group.derive(0), None);
    assert_eq!(group.derive(1), None);
}

#[test]
fn mutated_code_needs_two_originals() {
    let group = Group::of_family(Kind::Mutated);
    assert_eq!(group.assert_restores(group.derive(2)), [format!("drop {BODY_BYTES}")]);
    assert_eq!(group.derive(0), None);
    assert_eq!(group.derive(1), None);
}

#[test]
fn code_with_something_of_any_length_behind_it_is_truncated_before_the_match() {
    let body = noise("truncated body", 900);
    let originals: Vec<Vec<u8>> = (0..5).map(|number| program(&format!("truncated {number}"))).collect();
    let infected = |(number, host): (usize, &Vec<u8>)| {
        [host, &*body, &noise(&format!("junk {number}"), 50 + 70 * number)].concat()
    };
    let samples = originals.iter().enumerate().map(infected).collect();
    let group = Group::of(samples, originals, &goodware(&corpus()));
    let steps = group.assert_restores(group.derive(3));
    assert!(matches!(&*steps, [step] if step.starts_with("truncate match-")), "{steps:?}");
    assert_eq!(group.derive(0), None);
}

#[test]
fn bytes_that_three_originals_have_in_common_are_written_back() {
    let body = noise("written body", 900);
    let with_head = |name: &str| [b"MZ\x90\x00\x03".to_vec(), program(name)].concat();
    let originals: Vec<Vec<u8>> = (0..5).map(|number| with_head(&format!("written {number}"))).collect();
    let infected = |host: &Vec<u8>| {
        let mut sample = [&**host, &body].concat();
        sample[..2].copy_from_slice(b"ZM");
        sample
    };
    let group = Group::of(originals.iter().map(infected).collect(), originals.clone(), &goodware(&corpus()));
    assert_eq!(group.assert_restores(group.derive(3)), ["write start 4d5a", "drop 900"]);
    assert_eq!(group.derive(2), None, "two may have it in common by chance");
}

#[test]
fn a_signature_of_digests_may_write_whatever_its_one_file_needs() {
    let original = program("only");
    let mut sample = [&*original, &noise("body", 333)].concat();
    sample[40..50].fill(7);
    let pair = Pair { sample: &sample, original: &original };
    let recipe = derive(&[&sample], &[pair], &[]);
    assert_eq!(recipe.and_then(|recipe| recipe.apply(&sample, &[])), Some(original.clone()));
    assert_eq!(derive(&[&sample, b"another"], &[pair], &[]), None);
}

#[test]
fn hosts_that_all_end_alike_are_not_cut_short() {
    let family = Family::new(Kind::Appended, "alike");
    let mut group = Group::of_family(Kind::Appended);
    // The jump leads behind the hosts' common end, so that the block seems to begin before its code.
    group.samples = (0..8).map(|number| infected_alike(&family.host(number))).collect();
    assert_eq!(group.derive(0), None);
}

/// An infection of a host that gets an end which all others have too.
fn infected_alike(host: &[u8]) -> Vec<u8> {
    let mut host = [host, b"the same end"].concat();
    let mut body = noise("body of Appended repaired", BODY_BYTES);
    body[SAVED_AT..SAVED_AT + 3].copy_from_slice(&host[..3]);
    let distance = (host.len() - 3) as u16;
    host[0] = 0xe9;
    host[1..3].copy_from_slice(&distance.to_le_bytes());
    [host, body].concat()
}

#[test]
fn a_stored_length_is_not_mistaken_for_saved_bytes() {
    let mut group = Group::of_family(Kind::Appended);
    for (sample, original) in group.samples.iter_mut().zip(&group.originals) {
        let at = original.len() + 1000;
        sample[at..at + 4].copy_from_slice(&(original.len() as u32).to_le_bytes());
    }
    group.literals.truncate(1);
    group.literals[0] = group.samples[0][group.originals[0].len() + 100..][..32].into();
    group.assert_restores(group.derive(0));
}

#[test]
fn two_places_that_may_hold_the_saved_bytes_give_no_recipe() {
    let mut group = Group::of_family(Kind::Appended);
    for (number, (sample, original)) in group.samples.iter_mut().zip(&group.originals).enumerate() {
        let at = original.len() + 1000;
        sample[at..at + 3].copy_from_slice(&noise(&format!("key {number}"), 3));
    }
    assert_eq!(group.derive(0), None);
}

#[test]
fn programs_that_only_end_alike_give_no_recipe() {
    let samples: Vec<Vec<u8>> =
        (0..8).map(|number| [program(&format!("signed {number}")), noise("seal", 600)].concat()).collect();
    let group = Group::of(samples, Vec::new(), &goodware(&corpus()));
    assert!(!group.literals.is_empty());
    assert_eq!(group.derive(0), None);
}

#[test]
fn an_original_that_is_another_program_gives_no_recipe() {
    let mut group = Group::of_family(Kind::Appended);
    group.originals[0] = program("another");
    assert_eq!(group.derive(1), None);
    assert_eq!(group.derive(2), None);
}

fn short_file() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(0u8..4, 0..40)
}

proptest! {
    #[test]
    fn hostile_samples_and_originals_give_what_restores_them_or_nothing(
        files in prop::collection::vec((short_file(), short_file()), 0..6),
        body in prop::collection::vec(any::<u8>(), 0..60),
        jump in any::<bool>(),
    ) {
        let head: &[u8] = if jump { &[0xe9] } else { &[] };
        let files: Vec<(Vec<u8>, Vec<u8>)> = files
            .into_iter()
            .map(|(host, original)| ([head, &host, &body].concat(), original))
            .collect();
        let samples: Vec<&[u8]> = files.iter().map(|(sample, _)| &**sample).collect();
        let pairs: Vec<Pair<'_>> = files.iter().map(|(sample, original)| Pair { sample, original }).collect();
        let literal: &[u8] = &body[..body.len().min(16)];
        for literals in [&[][..], &[literal][..]] {
            for known in 0..=pairs.len() {
                if let Some(recipe) = derive(&samples, &pairs[..known], literals) {
                    prop_assert!(recipe.restores(&samples, &pairs[..known], literals));
                }
            }
        }
    }
}
