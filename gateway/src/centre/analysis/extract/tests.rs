use super::super::families::{Family, Kind, corpus, goodware, noise};
use super::super::proof::prove;
use super::*;
use proptest::prelude::*;

fn slices(files: &[Vec<u8>]) -> Vec<&[u8]> {
    files.iter().map(|file| &**file).collect()
}

fn members(family: &Family, numbers: Range<usize>) -> Vec<Vec<u8>> {
    numbers.map(|number| family.infected(number)).collect()
}

fn has_all(file: &[u8], extracted: &Extracted) -> bool {
    prove(&extracted.needles(), &[file], &[]).is_ok()
}

#[test]
fn a_signature_finds_all_members_also_unseen_ones_and_nothing_else() {
    let clean = corpus();
    let goodware = goodware(&clean);
    let families = Kind::ALL.map(|kind| Family::new(kind, &format!("{kind:?}")));
    for (index, family) in families.iter().enumerate() {
        let seen = members(family, 0..limits::EXTRACT_SAMPLES_MAX);
        let extracted = extract(&slices(&seen), &goodware, &[], &ExtractOptions::default());
        let extracted = extracted.unwrap_or_else(|| panic!("family {index} has no signature"));
        let all = members(family, 0..100);
        assert_eq!(prove(&extracted.needles(), &slices(&all), &slices(&clean)), Ok(()), "family {index}");
        for other in families.iter().enumerate().filter(|(other, _)| *other != index).map(|(_, other)| other) {
            assert!((0..30).all(|number| !has_all(&other.infected(number), &extracted)));
            assert!((0..30).all(|number| !has_all(&other.host(number), &extracted)));
        }
    }
}

#[test]
fn a_long_body_gives_three_literals_far_apart_that_keep_their_distance_from_the_end() {
    let family = Family::new(Kind::Appended, "long");
    let samples = members(&family, 0..6);
    let goodware = goodware(&corpus());
    let extracted = extract(&slices(&samples), &goodware, &[], &ExtractOptions::default()).map(|found| found.literals);
    let literals = extracted.unwrap_or_default();
    assert_eq!(literals.len(), 3);
    for (index, literal) in literals.iter().enumerate() {
        assert_eq!(literal.bytes.len(), 64);
        assert!(literal.from_end.is_some() && literal.from_start.is_none());
        assert!(literals[..index].iter().all(|other| other.at.abs_diff(literal.at) >= 128));
    }
}

#[test]
fn a_preferred_range_comes_first() {
    let body = noise("body", 2000);
    let sample = |name: &str| [noise(name, 3000), body.clone()].concat();
    let samples = [sample("a"), sample("b")];
    let goodware = Goodware::sized_for(64);
    let preferred = 4000..4100;
    let found = extract(&slices(&samples), &goodware, std::slice::from_ref(&preferred), &ExtractOptions::default());
    let first = found.and_then(|found| found.literals.first().cloned());
    assert!(first.is_some_and(|literal| preferred.contains(&literal.at) && literal.at + 64 <= preferred.end));
}

#[test]
fn one_sample_or_copies_of_it_give_no_signature() {
    let sample = noise("sample", 4000);
    let goodware = Goodware::sized_for(64);
    let options = ExtractOptions::default();
    assert_eq!(extract(&[], &goodware, &[], &options), None);
    assert_eq!(extract(&[&sample, &sample], &goodware, &[], &options), None);
}

#[test]
fn what_only_goodware_shares_gives_no_signature() {
    let library = noise("library", 4000);
    let samples = [[library.clone(), noise("a", 900)].concat(), [library.clone(), noise("b", 900)].concat()];
    let mut goodware = Goodware::sized_for(10_000);
    goodware.add(&library);
    assert_eq!(extract(&slices(&samples), &goodware, &[], &ExtractOptions::default()), None);
}

#[test]
fn padding_and_tables_give_no_signature() {
    let table: Vec<u8> = (0..4000u32).map(|index| (index % 5) as u8).collect();
    let samples = [[table.clone(), noise("a", 900)].concat(), [table, noise("b", 900)].concat()];
    assert_eq!(extract(&slices(&samples), &Goodware::sized_for(64), &[], &ExtractOptions::default()), None);
}

#[test]
fn a_sample_beyond_the_bound_gives_no_signature() {
    let long = vec![7; limits::SAMPLE_BYTES_MAX + 1];
    assert_eq!(extract(&[&long, &long[1..]], &Goodware::sized_for(64), &[], &ExtractOptions::default()), None);
}

proptest! {
    #[test]
    fn whatever_the_samples_are_each_has_all_literals_and_goodware_none(
        samples in prop::collection::vec(prop::collection::vec(0u8..20, 0..300), 0..5),
        common in prop::collection::vec(any::<u8>(), 0..200),
        clean in prop::collection::vec(0u8..20, 0..300),
        preferred in prop::collection::vec((0usize..500, 0usize..500), 0..3),
    ) {
        let samples: Vec<Vec<u8>> = samples.into_iter().map(|sample| [sample, common.clone()].concat()).collect();
        let mut goodware = Goodware::sized_for(300);
        goodware.add(&clean);
        let preferred: Vec<Range<usize>> = preferred.into_iter().map(|(from, to)| from..to).collect();
        let options = ExtractOptions::default();
        let found = extract(&slices(&samples), &goodware, &preferred, &options);
        prop_assert_eq!(&found, &extract(&slices(&samples), &goodware, &preferred, &options));
        if let Some(found) = found {
            prop_assert_eq!(prove(&found.needles(), &slices(&samples), &[&clean]), Ok(()));
        }
    }
}
