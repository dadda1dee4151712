//! Rulesets against a matcher that tries everything: random pattern sets on random buffers.
//!
//! The matcher below knows nothing of literals, ranges or segments: it tries each place and, in it, each way through
//! the pattern, by going back. Few different bytes make near misses the rule.

use scanner::definitions::pattern::Part;
use scanner::definitions::{Anchor, Definitions, Kind, Offset, Options, Pattern, Source, load};
use scanner::file::{Digests, Form, Member, Targets};
use scanner::ruleset::{Limits, Ruleset, Scratch};
use std::collections::BTreeSet;
use std::fmt::Write as _;

const SEED: u64 = 4_211_965;

struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }

    fn hexadecimal(&mut self, len: usize) -> String {
        (0..len).fold(String::new(), |mut text, _| {
            write!(text, "{:02x}", 0x61 + self.below(3)).expect("a string takes all");
            text
        })
    }
}

/// Whether `parts` stand at `at`.
fn stands(parts: &[Part], bytes: &[u8], at: usize) -> bool {
    let Some((part, rest)) = parts.split_first() else { return true };
    let here = &bytes[at..];
    match part {
        Part::Bytes(wanted) => here.starts_with(wanted) && stands(rest, bytes, at + wanted.len()),
        Part::Masked(wanted) => {
            here.len() >= wanted.len()
                && here.iter().zip(wanted).all(|(byte, wanted)| byte & wanted.mask == wanted.value)
                && stands(rest, bytes, at + wanted.len())
        }
        Part::Gap(gap) => {
            let most = gap.max.map_or(here.len(), |max| here.len().min(max as usize));
            (gap.min as usize..=most).any(|skipped| stands(rest, bytes, at + skipped))
        }
        Part::Alternates(alternates) if alternates.is_positive() => alternates.choices.iter().any(|choice| {
            let parts: Vec<Part> = choice.parts.iter().chain(rest).cloned().collect();
            stands(&parts, bytes, at)
        }),
        Part::Alternates(alternates) => {
            let len = alternates.plain_len().expect("negations have one length");
            here.len() >= len
                && alternates.choices.iter().all(|choice| choice.as_bytes() != Some(&here[..len]))
                && stands(rest, bytes, at + len)
        }
        Part::Boundary(_) => unreachable!("none is made here"),
    }
}

fn is_found(pattern: &Pattern, offset: Offset, bytes: &[u8]) -> bool {
    let (from, to) = match offset.anchor {
        Anchor::Any => (0, bytes.len()),
        Anchor::Absolute(at) => (at as usize, at as usize + offset.shift_max as usize),
        Anchor::End(back) => match bytes.len().checked_sub(back as usize) {
            Some(at) => (at, at + offset.shift_max as usize),
            None => return false,
        },
        _ => unreachable!("none is made here"),
    };
    (from..=to.min(bytes.len())).any(|at| stands(&pattern.parts, bytes, at))
}

fn line(dice: &mut Dice, number: usize) -> String {
    let offset = match dice.below(5) {
        0 => format!("{},{}", dice.below(20), dice.below(8)),
        1 => format!("EOF-{}", 1 + dice.below(30)),
        _ => "*".to_owned(),
    };
    let len = 2 + dice.below(5);
    let mut text = dice.hexadecimal(len);
    for _ in 0..dice.below(4) {
        let piece = match dice.below(9) {
            0 => "??".to_owned(),
            1 => format!("{{{}}}", 1 + dice.below(3)),
            2 => format!("{{{}-{}}}", dice.below(3), 3 + dice.below(3)),
            3 => "*".to_owned(),
            4 => format!("{{-{}}}", 1 + dice.below(4)),
            5 => format!("({}|{})", dice.hexadecimal(1), dice.hexadecimal(2)),
            6 => format!("!({}|{})", dice.hexadecimal(1), dice.hexadecimal(1)),
            7 => "6?".to_owned(),
            _ => format!("({}|{})", dice.hexadecimal(3), dice.hexadecimal(3)),
        };
        let len = 2 + dice.below(3);
        text += &piece;
        text += &dice.hexadecimal(len);
    }
    format!("S{number}:0:{offset}:{text}\n")
}

fn member<'a>(bytes: &'a [u8]) -> Member<'a> {
    Member {
        path: &[],
        depth: 0,
        containers: &[],
        kind: scanner::file::Kind::Data,
        form: Form::Raw,
        targets: Targets { any: true, own: None },
        digests: Digests::Counted,
        executable: None,
        file_bytes: bytes.len() as u64,
        bytes,
    }
}

#[test]
fn a_ruleset_finds_what_trying_everything_finds() {
    let mut dice = Dice(SEED);
    let mut scratch = Scratch::default();
    let (mut cases, mut hits) = (0u64, 0u64);
    for round in 0..400 {
        let text: String = (0..1 + dice.below(200)).map(|number| line(&mut dice, number)).collect();
        let definitions = load(&[Source { name: "a.ndb", bytes: text.as_bytes() }], Options::default()).expect("loads");
        let naive: Definitions = definitions.clone();
        let ruleset = Ruleset::compile(definitions, Limits::default()).expect("small");
        for _ in 0..60 {
            let bytes: Vec<u8> = (0..dice.below(120)).map(|_| 0x61 + dice.below(3) as u8).collect();
            let mut ours = BTreeSet::new();
            assert!(ruleset.scan(&member(&bytes), &mut scratch, &mut |signature| {
                ours.insert(signature);
            }));
            let all = (0u32..).zip(&naive.signatures).filter(|(_, signature)| match &signature.kind {
                Kind::Body(body) => is_found(&body.pattern, body.offset, &bytes),
                _ => false,
            });
            let all: BTreeSet<u32> = all.map(|(index, _)| index).collect();
            let wrong: Vec<String> =
                ours.symmetric_difference(&all).map(|index| naive.signatures[*index as usize].line()).collect();
            assert!(wrong.is_empty(), "seed {SEED}, round {round}: {wrong:?} in {}", bytes.escape_ascii());
            cases += naive.signatures.len() as u64;
            hits += all.len() as u64;
        }
    }
    assert!(cases > 2_000_000 && hits > cases / 20, "{hits} hits in {cases} cases show little");
}
