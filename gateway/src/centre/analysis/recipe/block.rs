//! The part that all samples end in.

use super::super::limits;
use std::ops::Range;

/// The longest part of a block that differs from sample to sample: saved bytes, a length, a key.
const HOLE_BYTES_MAX: usize = 16;
/// So many equal bytes in front of a hole show that the block goes on there.
const EQUAL_BYTES_MIN: usize = 16;

/// The same bytes at the end of all samples, but for some holes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Block {
    /// How long it is.
    pub bytes: usize,
    /// Which parts of it differ, counted from its start, the last first. Every byte of a hole differs somewhere.
    pub holes: Vec<Range<usize>>,
}

/// For each distance from the end, the last byte first, whether all samples have the same byte there. As many as the
/// shortest sample has, up to the bound. O(n).
fn equal_columns(samples: &[&[u8]]) -> Vec<bool> {
    let shortest = samples.iter().map(|sample| sample.len()).min().unwrap_or(0).min(limits::BLOCK_BYTES_MAX);
    let mut equal = vec![true; shortest];
    let Some((first, others)) = samples.split_first() else { return equal };
    for other in others {
        let columns = first.iter().rev().zip(other.iter().rev());
        equal.iter_mut().zip(columns).for_each(|(equal, (a, b))| *equal &= a == b);
    }
    equal
}

impl Block {
    /// The longest block as far as its own bytes tell; none if the samples do not end alike.
    pub fn longest(samples: &[&[u8]]) -> Option<Block> {
        let columns = equal_columns(samples);
        let (mut bytes, mut at) = (0, 0);
        for run in columns.chunk_by(|a, b| a == b) {
            at += run.len();
            match run[0] {
                true if run.len() < EQUAL_BYTES_MIN => break,
                true => bytes = at,
                false if run.len() > HOLE_BYTES_MAX => break,
                false => {}
            }
        }
        Block::of_columns(columns.get(..bytes)?)
    }

    /// The block of a known length; none if it is not the same bytes but for short holes.
    pub fn of_length(samples: &[&[u8]], bytes: usize) -> Option<Block> {
        let block = Block::of_columns(equal_columns(samples).get(..bytes)?)?;
        block.holes.iter().all(|hole| hole.len() <= HOLE_BYTES_MAX).then_some(block)
    }

    fn of_columns(columns: &[bool]) -> Option<Block> {
        let (mut at, mut holes) = (0, Vec::new());
        for run in columns.chunk_by(|a, b| a == b) {
            if !run[0] {
                holes.push(columns.len() - at - run.len()..columns.len() - at);
            }
            at += run.len();
        }
        (!columns.is_empty()).then_some(Block { bytes: columns.len(), holes })
    }
}
