//! A recipe from the samples alone, or with a single original.
//!
//! What is looked for is the oldest way of infecting a program: the body is appended, the first bytes become a jump to
//! it, and the body keeps them. Three facts have to agree, each of which could be chance alone: the jumps of all
//! samples lead to the same place, that place is the first byte of what all samples end in, and exactly one part of the
//! block is as long as a jump, differs in each of its bytes, and is not explained otherwise.

use super::block::Block;
use super::jump::{self, Jump};
use super::{Base, Position, Step};
use std::ops::Range;

/// Different samples without which bytes are equal or different by chance, when no original says where the block
/// begins.
const SAMPLES_MIN: usize = 4;
/// The same with an original.
const SAMPLES_MIN_WITH_ORIGINAL: usize = 3;

/// The steps, when the block is known to have `grown` bytes, or when a jump shows where it begins. O(n).
pub(super) fn derive(samples: &[&[u8]], grown: Option<usize>) -> Option<Vec<Step>> {
    let mut different = samples.to_vec();
    different.sort_unstable();
    different.dedup();
    let needed = if grown.is_some() { SAMPLES_MIN_WITH_ORIGINAL } else { SAMPLES_MIN };
    if different.len() < needed {
        return None;
    }
    let block = match grown {
        Some(bytes) => Block::of_length(&different, bytes)?,
        None => Block::longest(&different)?,
    };
    let remove = Step::Drop { bytes: block.bytes };
    match jump::common(&different) {
        Some(jump) if grown.is_some() || jump.from_end == block.bytes => {
            let saved = saved(&different, &block, jump)?;
            let from = Position::new(Base::End, saved.start as i64 - block.bytes as i64);
            let copy = Step::Copy { from, bytes: saved.len(), to: Position::new(Base::Start, 0) };
            Some(vec![copy, remove])
        }
        Some(_) => None,
        // Without a jump only an original can tell that nothing else was changed, and a block with holes keeps
        // something of its host that may have to go back.
        None => (grown.is_some() && block.holes.is_empty()).then(|| vec![remove]),
    }
}

/// Where the block keeps the first bytes of its host: the one hole that nothing else explains, as long as the jump.
fn saved(samples: &[&[u8]], block: &Block, jump: Jump) -> Option<Range<usize>> {
    let mut unexplained = block.holes.iter().filter(|hole| !is_distance(samples, block, hole));
    let hole = unexplained.next()?;
    let is_only = unexplained.next().is_none();
    (is_only && hole.len() == jump.bytes).then(|| hole.clone())
}

/// Whether a hole is part of a number of 16 or 32 bits that grows with the host, as a stored length or distance does.
fn is_distance(samples: &[&[u8]], block: &Block, hole: &Range<usize>) -> bool {
    let first = |bytes: usize| (hole.end.saturating_sub(bytes)..=hole.start).map(move |at| (at, bytes));
    let mut fields = first(2).chain(first(4)).filter(|(at, bytes)| at + bytes <= block.bytes && at + bytes >= hole.end);
    fields.any(|(at, bytes)| {
        let rest = |sample: &&[u8]| {
            let start = sample.len() - block.bytes + at;
            let value = sample[start..start + bytes].iter().rev().fold(0u64, |sum, byte| sum << 8 | u64::from(*byte));
            value.wrapping_sub(sample.len() as u64) & ((1 << (8 * bytes)) - 1)
        };
        samples.iter().all(|sample| rest(sample) == rest(&samples[0]))
    })
}
