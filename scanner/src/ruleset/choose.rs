//! Which byte string of a pattern is searched for in its stead: every match of the pattern contains it.

use crate::definitions::Pattern;
use crate::definitions::pattern::{Length, MaskedByte, Part};
use crate::literal::Case;

/// Bytes beyond these make a literal no rarer.
const ENOUGH_BYTES: usize = 16;
/// A literal shorter than this is found by the slow searcher for short ones.
const WINDOWED_BYTES: usize = 4;

/// One literal of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Choice {
    /// What to search for.
    pub bytes: Vec<u8>,
    /// Which letters count as the same.
    pub case: Case,
    /// How many bytes a match has before it.
    pub before: Length,
}

/// The literals of which every match contains at least one; none when there are no such literals, and the pattern has
/// to be tried at every place.
pub(crate) fn choose(pattern: &Pattern) -> Vec<Choice> {
    let runs = runs(pattern);
    let best = runs.into_iter().max_by_key(worth);
    let alternates = alternates(pattern);
    match (best, alternates) {
        (Some(best), Some(choices)) => {
            let worst = choices.iter().map(worth).min();
            if best.bytes.len() < WINDOWED_BYTES && worst > Some(worth(&best)) { choices } else { vec![best] }
        }
        (Some(best), None) => vec![best],
        (None, Some(choices)) => choices,
        (None, None) => Vec::new(),
    }
}

/// Longer is rarer; one case is cheaper than both; a known start is verified at one place. Zeroes and repetitions are
/// everywhere.
fn worth(choice: &Choice) -> (usize, bool, bool) {
    let mut different = choice.bytes.clone();
    different.sort_unstable();
    different.dedup();
    let variety = (2 * different.len()).min(choice.bytes.len());
    (variety.min(ENOUGH_BYTES), choice.case == Case::Exact, choice.before.max == Some(choice.before.min))
}

/// Maximal runs of known bytes, letters of either case among them.
fn runs(pattern: &Pattern) -> Vec<Choice> {
    let mut runs = Vec::new();
    for folding in [false, true] {
        let mut before = Length { min: 0, max: Some(0) };
        let mut open: Option<Choice> = None;
        let take = |open: &mut Option<Choice>, byte: u8, folded: bool, before: Length| {
            let run = open.get_or_insert_with(|| Choice { bytes: Vec::new(), case: Case::Exact, before });
            run.bytes.push(byte);
            if folded {
                run.case = Case::AnyAscii;
            }
        };
        for part in &pattern.parts {
            match part {
                Part::Bytes(bytes) => {
                    for (at, byte) in bytes.iter().enumerate() {
                        take(&mut open, *byte, false, plus(before, at));
                    }
                }
                Part::Masked(bytes) => {
                    for (at, byte) in bytes.iter().enumerate() {
                        if folding && is_letter(*byte) {
                            take(&mut open, byte.value, true, plus(before, at));
                        } else {
                            runs.extend(open.take());
                        }
                    }
                }
                Part::Gap(_) | Part::Alternates(_) | Part::Boundary(_) => runs.extend(open.take()),
            }
            before = sum(before, part.length());
        }
        runs.extend(open.take());
    }
    runs
}

/// The choices of the first alternates that are plain strings.
fn alternates(pattern: &Pattern) -> Option<Vec<Choice>> {
    let mut before = Length { min: 0, max: Some(0) };
    for part in &pattern.parts {
        if let Part::Alternates(alternates) = part
            && alternates.is_positive()
        {
            let plain = alternates.choices.iter().map(|choice| {
                let bytes = choice.as_bytes().filter(|bytes| !bytes.is_empty())?;
                Some(Choice { bytes: bytes.to_vec(), case: Case::Exact, before })
            });
            if let Some(choices) = plain.collect::<Option<Vec<_>>>() {
                return Some(choices);
            }
        }
        before = sum(before, part.length());
    }
    None
}

/// A byte that both cases of one letter pass, and nothing else.
fn is_letter(byte: MaskedByte) -> bool {
    byte.mask == 0xdf && byte.value.is_ascii_uppercase()
}

fn plus(length: Length, bytes: usize) -> Length {
    sum(length, Length { min: bytes as u64, max: Some(bytes as u64) })
}

fn sum(one: Length, other: Length) -> Length {
    let max = one.max.zip(other.max).map(|(one, other)| one.saturating_add(other));
    Length { min: one.min.saturating_add(other.min), max }
}
