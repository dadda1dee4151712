//! Which looked-at positions of a piece of the buffer may begin a filed window.

use super::filter::Filter;
use super::shape::{Shape, load};

/// Bytes of buffer that are looked at in one go: the candidates of a piece fit 16 bits each, and its bytes
/// stay in the first-level cache while one class after another looks at them.
pub(super) const PIECE_BYTES: usize = 8 << 10;
/// Candidates are written eight at a time, whether there are eight or none.
const SLACK: usize = 8;

/// Positions, counted from the beginning of a piece.
pub(super) type Candidates = [u16; PIECE_BYTES + SLACK];

/// Which of the processor's instructions look for candidates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Instructions {
    /// Those that every processor has; the oracle of the other.
    Scalar,
    /// AVX2 where the processor has it, else scalar.
    Avx2,
}

impl Instructions {
    /// The fastest that this processor has.
    pub fn best() -> Self {
        Self::Avx2
    }
}

/// Writes the candidates of the piece that begins at `piece`, a multiple of every stride, and says how many.
/// Their order is free.
#[inline]
pub(super) fn probe(
    instructions: Instructions,
    shape: Shape,
    filter: &Filter,
    haystack: &[u8],
    piece: usize,
    candidates: &mut Candidates,
) -> usize {
    // A window that begins at `end` or behind it does not fit the buffer.
    let end = (haystack.len() + 1).saturating_sub(usize::from(shape.width)).min(piece + PIECE_BYTES);
    let (mut count, mut at) = (0, piece);
    #[cfg(target_arch = "x86_64")]
    if instructions == Instructions::Avx2 {
        (count, at) = super::avx2::probe(shape, filter, haystack, piece..end, candidates);
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = instructions;
    let mask = shape.mask();
    while at < end {
        candidates[count] = (at - piece) as u16;
        count += usize::from(filter.may_hold(load(haystack, at) & mask));
        at += usize::from(shape.stride);
    }
    count
}
