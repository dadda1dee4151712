//! Whether a pattern stands in a buffer at any of given places, exactly.
//!
//! All places are followed at once, as ranges, so that no choice is ever taken back: the work is at most
//! (bytes of the buffer) x (bytes of the pattern), whatever gaps and alternates it has.

use super::spans::Spans;
use crate::definitions::Pattern;
use crate::definitions::pattern::{Alternates, Part};

/// Whether an exact verdict on this pattern can be given: one with word or line boundaries cannot yet.
pub(crate) fn is_verifiable(pattern: &Pattern) -> bool {
    pattern.parts.iter().all(|part| match part {
        Part::Boundary(_) => false,
        Part::Alternates(alternates) => alternates.choices.iter().all(is_verifiable),
        Part::Bytes(_) | Part::Masked(_) | Part::Gap(_) => true,
    })
}

/// Where matches that start at one of `starts` end, each as the place behind its last byte. `work` is lowered by
/// the places looked at; `None` when it does not suffice.
pub(crate) fn ends(pattern: &Pattern, bytes: &[u8], starts: Spans, work: &mut u64) -> Option<Spans> {
    let mut here = starts.within(0, bytes.len());
    for part in &pattern.parts {
        if here.is_empty() {
            break;
        }
        here = match part {
            Part::Bytes(wanted) => fixed(bytes, &here, wanted.len(), work, |at| at == &**wanted)?,
            Part::Masked(wanted) => fixed(bytes, &here, wanted.len(), work, |at| {
                at.iter().zip(wanted).all(|(byte, wanted)| byte & wanted.mask == wanted.value)
            })?,
            Part::Gap(gap) => {
                let far = |to: usize| gap.max.map_or(bytes.len(), |max| to.saturating_add(max as usize));
                let moved = |range: &(usize, usize)| (range.0.saturating_add(gap.min as usize), far(range.1));
                Spans::union(here.ranges().iter().map(moved).collect()).within(0, bytes.len())
            }
            Part::Alternates(alternates) => choice(alternates, bytes, &here, work)?,
            // Refused when the ruleset is compiled.
            Part::Boundary(_) => Spans::default(),
        };
    }
    Some(here)
}

fn choice(alternates: &Alternates, bytes: &[u8], here: &Spans, work: &mut u64) -> Option<Spans> {
    if !alternates.is_positive() {
        let choices = &alternates.choices;
        let len = alternates.plain_len().unwrap_or(0);
        return fixed(bytes, here, len, work, |at| choices.iter().all(|choice| choice.as_bytes() != Some(at)));
    }
    let mut reached = Vec::new();
    for choice in &alternates.choices {
        reached.extend_from_slice(ends(choice, bytes, here.clone(), work)?.ranges());
    }
    Some(Spans::union(reached))
}

/// The places behind `len` bytes that `holds`.
fn fixed(bytes: &[u8], here: &Spans, len: usize, work: &mut u64, holds: impl Fn(&[u8]) -> bool) -> Option<Spans> {
    let mut reached = Vec::new();
    let Some(last) = bytes.len().checked_sub(len) else { return Some(Spans::default()) };
    for (from, to) in here.within(0, last).ranges() {
        *work = work.checked_sub((to - from + 1) as u64)?;
        let found = (*from..=*to).filter(|start| holds(&bytes[*start..*start + len]));
        reached.extend(found.map(|start| (start + len, start + len)));
    }
    Some(Spans::union(reached))
}
