//! A delta answers as a full scan does: random samples, random histories of definitions, every sample after every step.

use scanner::definitions::{Definitions, Options, Parts, Source, load};
use scanner::file::{Flow, Limits as WalkLimits, Member, walk};
use scanner::grams::{Filter, Policy, Rule};
use scanner::retest::{Delta, FactsBuilder, Shelf, ShelfBuilder, ShelfError};
use scanner::ruleset::{Limits, Ruleset, Scratch};
use scanner::scan::{Extent, scan};
use std::collections::BTreeSet;
use std::fmt::Write as _;

const SEED: u64 = 20_261_127;
/// A block of the store.
const BLOCK: usize = 64 << 10;

struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }
}

/// Names with whether an allowance keeps them from counting.
type Matches = Vec<(String, bool)>;

fn matches(ruleset: &Ruleset, bytes: &[u8]) -> Matches {
    let mut scratch = Scratch::default();
    let verdict = scan(ruleset, &mut scratch, Extent::Whole, |see: &mut dyn FnMut(Member<'_>) -> Flow| {
        Ok::<_, std::convert::Infallible>(walk(bytes, &WalkLimits::default(), &|| false, see))
    })
    .expect("nothing fails");
    let mut found: Matches =
        verdict.matches.iter().map(|one| (ruleset.name(one.signature).to_owned(), one.allowed)).collect();
    found.sort_unstable();
    found.dedup_by(|next, kept| next.0 == kept.0);
    found
}

/// Sixteen-byte words from which samples and signatures are made, so that signatures are found.
fn word(number: usize) -> Vec<u8> {
    blake3::hash(&number.to_le_bytes()).as_bytes()[..16].to_vec()
}

const WORDS: usize = 40;

fn tar(members: &[Vec<u8>]) -> Vec<u8> {
    let mut archive = Vec::new();
    for (number, content) in members.iter().enumerate() {
        let mut header = [0_u8; 512];
        header[..2].copy_from_slice(&[b'm', b'0' + number as u8]);
        header[124..135].copy_from_slice(format!("{:011o}", content.len()).as_bytes());
        header[148..156].fill(b' ');
        header[156] = b'0';
        header[257..263].copy_from_slice(b"ustar\0");
        let sum: u64 = header.iter().map(|byte| u64::from(*byte)).sum();
        header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
        archive.extend_from_slice(&header);
        archive.extend_from_slice(content);
        archive.resize(archive.len().next_multiple_of(512), 0);
    }
    archive.resize(archive.len() + 1024, 0);
    archive
}

/// An executable with one section of these bytes.
fn executable(body: &[u8]) -> Vec<u8> {
    let mut file = vec![0_u8; 0x200];
    file[..2].copy_from_slice(b"MZ");
    file[0x3c] = 0x40;
    file[0x40..0x44].copy_from_slice(b"PE\0\0");
    file[0x44..0x46].copy_from_slice(&0x14c_u16.to_le_bytes());
    file[0x46] = 1;
    file[0x54..0x56].copy_from_slice(&0xe0_u16.to_le_bytes());
    file[0x56..0x58].copy_from_slice(&0x102_u16.to_le_bytes());
    let mut put = |at: usize, word: u32| file[at..at + 4].copy_from_slice(&word.to_le_bytes());
    put(0x58, 0x10b);
    put(0x58 + 16, 0x1000);
    put(0x58 + 28, 0x40_0000);
    put(0x58 + 32, 0x1000);
    put(0x58 + 36, 0x200);
    put(0x58 + 56, 0x2000);
    put(0x58 + 60, 0x200);
    put(0x58 + 92, 16);
    let section = 0x58 + 0xe0;
    put(section + 8, body.len() as u32);
    put(section + 12, 0x1000);
    put(section + 16, body.len().next_multiple_of(0x200) as u32);
    put(section + 20, 0x200);
    put(section + 36, 0x6000_0020);
    file[section..section + 5].copy_from_slice(b".text");
    file.extend_from_slice(body);
    file.resize(file.len().next_multiple_of(0x200), 0);
    file
}

fn plain(dice: &mut Dice) -> Vec<u8> {
    let mut bytes = Vec::new();
    for _ in 0..1 + dice.below(4) {
        bytes.extend(std::iter::repeat_with(|| dice.below(256) as u8).take(8).collect::<Vec<u8>>());
        bytes.extend(word(dice.below(WORDS)));
    }
    // Now and then over the border of a block.
    if dice.below(8) == 0 {
        let mut long = vec![b'x'; BLOCK - dice.below(30)];
        long.extend_from_slice(&bytes);
        return long;
    }
    bytes
}

fn sample(dice: &mut Dice) -> Vec<u8> {
    match dice.below(6) {
        0 => tar(&(0..1 + dice.below(3)).map(|_| plain(dice)).collect::<Vec<_>>()),
        1 => executable(&plain(dice)),
        2 => format!("Some TEXT with {} words\n", ["sheep", "wolf", "bear"][dice.below(3)]).repeat(3).into_bytes(),
        _ => plain(dice),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes all");
        text
    })
}

fn md5(bytes: &[u8]) -> String {
    use md5::Digest as _;
    hex(&md5::Md5::digest(bytes))
}

/// A line of some database, by its file's ending.
fn line(dice: &mut Dice, samples: &[Vec<u8>]) -> (&'static str, String) {
    let name = format!("S{}", dice.below(30));
    let mut some = || hex(&word(dice.below(WORDS)));
    let (one, two) = (some(), some());
    let chosen = &samples[dice.below(samples.len())];
    match dice.below(12) {
        0 | 1 => ("ndb", format!("{name}:0:*:{one}")),
        2 => ("ndb", format!("{name}:0:*:{}", &one[..6 + 2 * dice.below(8)])),
        3 => ("ndb", format!("{name}:0:*:{}??{}*{two}", &one[..10], &one[12..])),
        4 => ("ndb", format!("{name}:1:*:{one}")),
        5 => ("ldb", format!("{name};Target:0;0&1;{one};{two}")),
        6 => ("ldb", format!("{name};Target:0;(0|1)>1;{one};{two}")),
        7 => ("ldb", format!("{name};Target:0;1&(0=0);{one};{two}")),
        8 => (
            "ldb",
            format!(
                "{name};Target:7;0;{}::i",
                hex(["sheep words", "wolf words", "bear words"][dice.below(3)].as_bytes())
            ),
        ),
        9 => ("hdb", format!("{}:{}:{name}", md5(chosen), chosen.len())),
        10 => {
            let section = chosen.get(0x200..).unwrap_or_default();
            ("mdb", format!("{}:{}:{name}", section.len().max(1), md5(section)))
        }
        _ => ("fp", format!("{}:{}:{name}", md5(chosen), chosen.len())),
    }
}

type Files = Vec<(String, String)>;

fn files_of(lines: &[(&'static str, String)]) -> Files {
    let of = |ending: &str| {
        lines.iter().filter(|line| line.0 == ending).fold(String::new(), |text, line| text + &line.1 + "\n")
    };
    let endings = ["ndb", "ldb", "hdb", "mdb", "fp"];
    endings.iter().map(|ending| (format!("a.{ending}"), of(ending))).collect()
}

fn sources_of(files: &Files) -> Vec<Source<'_>> {
    files.iter().map(|(name, text)| Source { name, bytes: text.as_bytes() }).collect()
}

/// As a server compares two packages.
fn between_parts(old: &Files, new: &Files, rule: &Rule) -> Delta {
    let (old, new) = (sources_of(old), sources_of(new));
    let parts = Parts::of(&old, &new).expect("lines stand for themselves");
    let [old, new] =
        [parts.only_old(), parts.only_new()].map(|sources| load(&sources, Options::default()).expect("loads"));
    let mut delta = Delta::between(&old, &new, rule, Limits::default()).expect("small");
    let gone = delta.gone().clone();
    let shared = parts.shared(gone.iter().map(|name| &**name));
    delta.doubt(|name| shared.contains(name));
    delta
}

fn definitions(lines: &[(&'static str, String)]) -> Definitions {
    let files = files_of(lines);
    let definitions = load(&sources_of(&files), Options::default()).expect("loads");
    assert!(definitions.rejected.is_empty(), "{:?}", definitions.rejected);
    definitions
}

fn compiled(definitions: &Definitions) -> Ruleset {
    Ruleset::compile(definitions.clone(), Limits::default()).expect("small")
}

fn shelf_of(samples: &[(u64, &[u8])], rule: &Rule) -> Vec<u8> {
    let mut facts = FactsBuilder::new(rule);
    let mut shelf = ShelfBuilder::new(rule, Policy { bits_per_kib: 1024, filter: Filter::Bitmap });
    for (id, bytes) in samples {
        walk(bytes, &WalkLimits::default(), &|| false, &mut |member| {
            facts.take(&member);
            Flow::On
        });
        shelf.add(*id, *blake3::hash(bytes).as_bytes(), facts.finish()).expect("one rule");
    }
    shelf.finish()
}

/// What became of the samples' answers, to show that the test tests something.
#[derive(Debug, Default)]
struct Seen {
    joined: usize,
    candidates: usize,
    held: usize,
    swept: usize,
    rescans: usize,
    changed: usize,
}

/// Answers one sample of a shelf as a server would.
fn answered(
    delta: &Delta,
    whole: &Ruleset,
    bytes: &[u8],
    before: &Matches,
    (place, answer): (u32, &scanner::retest::Answer),
    seen: &mut Seen,
) -> Matches {
    let doubtful = before.iter().any(|(name, _)| delta.doubtful().contains(name.as_str()));
    if doubtful || answer.rescan.contains(&place) {
        seen.rescans += 1;
        return matches(whole, bytes);
    }
    let mut found: Matches = Vec::new();
    if let Some(names) = answer.joined.get(&place) {
        seen.joined += 1;
        found.extend(names.iter().map(|name| (name.clone(), false)));
    }
    let holds = |candidate: &scanner::retest::Candidate| match candidate.block {
        None => true,
        Some(block) => {
            let from = block as usize * BLOCK;
            let literal = delta.literal(candidate.literal).expect("a literal");
            let (block, both) = (bytes.len().min(from + BLOCK), bytes.len().min(from + 2 * BLOCK));
            let crosses = || literal.may_cross(&bytes[from..block]) && literal.is_in(&bytes[from..both]);
            literal.is_in(&bytes[from..block]) || crosses()
        }
    };
    if let Some(candidates) = answer.candidates.get(&place) {
        seen.candidates += 1;
        if candidates.iter().any(holds) {
            seen.held += 1;
            found.extend(matches(delta.ruleset(), bytes));
        }
    }
    if let Some(swept) = delta.swept() {
        seen.swept += 1;
        found.extend(matches(swept, bytes));
    }
    delta.merge(before.clone(), found)
}

#[test]
fn a_delta_answers_as_a_full_scan_does_on_random_histories() {
    let mut dice = Dice(SEED);
    let mut seen = Seen::default();
    let mut steps = 0;
    for history in 0..240 {
        let samples: Vec<Vec<u8>> = (0..12).map(|_| sample(&mut dice)).collect();
        let rule = match history % 3 {
            0 => Rule::fixed(5),
            1 => Rule::fixed(4),
            _ => Rule::learn(&samples.iter().map(Vec::as_slice).collect::<Vec<_>>(), 4, 8, 100),
        };
        let numbered: Vec<(u64, &[u8])> =
            samples.iter().enumerate().map(|(at, bytes)| (at as u64 * 7 + 3, bytes.as_slice())).collect();
        // Two shelves, and the last samples on none.
        let shelves = [shelf_of(&numbered[..5], &rule), shelf_of(&numbered[5..10], &rule)];
        let mut lines: Vec<(&'static str, String)> = (0..6).map(|_| line(&mut dice, &samples)).collect();
        let (mut old, mut kept_files) = (definitions(&lines), files_of(&lines));
        let mut kept: Vec<Matches> = samples.iter().map(|bytes| matches(&compiled(&old), bytes)).collect();
        for _ in 0..12 {
            for _ in 0..1 + dice.below(4) {
                if dice.below(3) == 0 && !lines.is_empty() {
                    lines.swap_remove(dice.below(lines.len()));
                } else {
                    lines.push(line(&mut dice, &samples));
                }
            }
            let (new, files) = (definitions(&lines), files_of(&lines));
            let whole = compiled(&new);
            // Of what is different in the text, or of the whole sets: the answers are the same.
            let delta = match steps % 2 {
                0 => Delta::between(&old, &new, &rule, Limits::default()).expect("small"),
                _ => between_parts(&kept_files, &files, &rule),
            };
            let mut after: Vec<Matches> = Vec::new();
            for (shelf, first) in shelves.iter().zip([0, 5]) {
                let shelf = Shelf::open(shelf, &rule).expect("opens");
                shelf.verify().expect("whole");
                let answer = delta.ask(&shelf);
                for (place, (id, digest)) in (0_u32..).zip(shelf.samples()) {
                    let bytes = &samples[first + place as usize];
                    assert_eq!((id, digest), (numbered[first + place as usize].0, *blake3::hash(bytes).as_bytes()));
                    let before = &kept[first + place as usize];
                    after.push(answered(&delta, &whole, bytes, before, (place, &answer), &mut seen));
                }
            }
            after.extend(samples[10..].iter().map(|bytes| matches(&whole, bytes)));
            for (at, (delta_says, bytes)) in after.iter().zip(&samples).enumerate() {
                let full = matches(&whole, bytes);
                assert_eq!(*delta_says, full, "seed {SEED}, history {history}, sample {at}, lines {lines:?}");
                seen.changed += usize::from(full != kept[at]);
            }
            (old, kept, kept_files) = (new, after, files);
            steps += 1;
        }
    }
    assert_eq!(steps, 2_880);
    for (what, count) in [
        ("joined", seen.joined),
        ("candidates", seen.candidates),
        ("held", seen.held),
        ("swept", seen.swept),
        ("rescans", seen.rescans),
        ("changed", seen.changed),
    ] {
        assert!(count > 50, "{what}: {seen:?}");
    }
}

#[test]
fn a_shelf_that_is_cut_or_flipped_is_an_error_and_never_a_panic() {
    let samples: Vec<Vec<u8>> = (0..4).map(|number| [word(number), word(number + 1)].concat()).collect();
    let numbered: Vec<(u64, &[u8])> = samples.iter().zip(1..).map(|(bytes, id)| (id, bytes.as_slice())).collect();
    let rule = Rule::fixed(5);
    let whole = shelf_of(&numbered, &rule);
    let ids: BTreeSet<u64> = Shelf::open(&whole, &rule).expect("opens").samples().map(|(id, _)| id).collect();
    assert_eq!(ids, BTreeSet::from([1, 2, 3, 4]));
    for end in 0..whole.len() {
        assert!(Shelf::open(&whole[..end], &rule).is_err(), "cut at {end}");
    }
    let check = |bytes: &[u8]| Shelf::open(bytes, &rule).and_then(|shelf| shelf.verify());
    let mut unseen = 0;
    for at in 0..whole.len() {
        let mut flipped = whole.clone();
        flipped[at] ^= 1 << (at % 8);
        unseen += usize::from(check(&flipped).is_ok());
    }
    assert_eq!(unseen, 0, "every flipped bit is found");
    assert!(matches!(Shelf::open(&whole, &Rule::fixed(4)), Err(ShelfError::Grams(_))), "another rule");
    assert!(matches!(Shelf::open(&[b'x'; 64], &rule), Err(ShelfError::Magic(_))));
}
