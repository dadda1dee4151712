//! The set of grams of one block, as a worker takes it while the plain bytes are in memory.

use super::rule::Rule;
use std::ops::Deref;

/// Plain bytes of a block (`docs/format.md`: a sample is stored in blocks of this size).
pub const BLOCK_BYTES: usize = 64 << 10;
/// A literal that starts in a block may end this many bytes after it: a window of 64 bytes less one.
pub const REACH_BYTES: usize = super::query::WINDOW_BYTES_MAX - 1;

/// Gram numbers per plain byte, as a power of two. With half a gram a byte one number in thirty is taken, so two
/// grams that share a number cost 3 % of the filter's sharpness; fewer numbers cost more.
const SPARSITY_BITS: u32 = 4;
/// The smallest set of numbers: blocks of up to 64 bytes.
pub(super) const ID_BITS_MIN: u32 = 10;
/// The largest: whole blocks.
pub(super) const ID_BITS_MAX: u32 = BLOCK_BYTES.ilog2() + SPARSITY_BITS;

/// The distinct grams of a block: about 0.45 bytes a plain byte of a program, kept until its segment's filter
/// is built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockGrams {
    pub(super) rule: u64,
    pub(super) id_bits: u32,
    pub(super) count: u32,
    pub(super) plain_bytes: u32,
    /// Distances between numbers in ascending order, seven bits a byte, low bits first.
    distances: Box<[u8]>,
}

impl BlockGrams {
    /// Distinct grams.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count as usize
    }

    /// Bytes that the set holds in memory.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        size_of::<Self>() + self.distances.len()
    }

    /// The numbers in ascending order.
    pub(super) fn ids(&self) -> impl Iterator<Item = u32> + Clone + '_ {
        let mut bytes = self.distances.iter();
        let mut last = 0;
        std::iter::from_fn(move || {
            let mut shift = 0;
            loop {
                let byte = *bytes.next()?;
                last += u32::from(byte & 0x7f) << shift;
                if byte < 0x80 {
                    return Some(last);
                }
                shift += 7;
            }
        })
    }
}

/// The number of a gram in a block whose numbers have `id_bits`.
#[inline]
pub(super) fn id(hash: u64, id_bits: u32) -> u32 {
    (hash >> (64 - id_bits)) as u32
}

/// Takes the grams of blocks by a rule, borrowed or shared; one a worker, its scratch (128 KiB) is used again.
#[derive(Debug)]
pub struct Filler<R> {
    rule: R,
    seen: Vec<u64>,
    distances: Vec<u8>,
}

impl<R: Deref<Target = Rule>> Filler<R> {
    /// A filler for blocks that will be asked for by this rule.
    #[must_use]
    pub fn new(rule: R) -> Self {
        Self { rule, seen: vec![0; 1 << (ID_BITS_MAX - 6)], distances: Vec::with_capacity(BLOCK_BYTES) }
    }

    /// The grams of the block that starts at `at` in a buffer: at most 64 KiB and the 63 bytes after them, as far
    /// as the buffer goes. A buffer must hold what follows its block, or what crosses the border is missed.
    pub fn block(&mut self, buffer: &[u8], at: usize) -> BlockGrams {
        let rest = buffer.get(at..).unwrap_or_default();
        let plain = rest.len().min(BLOCK_BYTES);
        let id_bits = (plain.max(1).next_power_of_two().ilog2() + SPARSITY_BITS).clamp(ID_BITS_MIN, ID_BITS_MAX);
        let seen = &mut self.seen[..1 << (id_bits - 6)];
        self.rule.each(&rest[..rest.len().min(BLOCK_BYTES + REACH_BYTES)], |hash, _| {
            let id = id(hash, id_bits) as usize;
            seen[id >> 6] |= 1 << (id & 63);
        });
        self.distances.clear();
        let (mut count, mut last) = (0, 0);
        for (at, word) in seen.iter_mut().enumerate() {
            let mut left = std::mem::take(word);
            count += left.count_ones();
            while left != 0 {
                let id = (at as u32) << 6 | left.trailing_zeros();
                left &= left - 1;
                let mut distance = id - last;
                last = id;
                while distance >= 0x80 {
                    self.distances.push(distance as u8 | 0x80);
                    distance >>= 7;
                }
                self.distances.push(distance as u8);
            }
        }
        BlockGrams {
            rule: self.rule.id(),
            id_bits,
            count,
            plain_bytes: plain as u32,
            distances: self.distances.as_slice().into(),
        }
    }

    /// The grams of every block of a buffer, in order; an empty buffer has none.
    pub fn blocks<'a>(&'a mut self, buffer: &'a [u8]) -> impl Iterator<Item = BlockGrams> + 'a {
        (0..buffer.len()).step_by(BLOCK_BYTES).map(move |at| self.block(buffer, at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_set_holds_each_number_once_in_order() {
        let rule = Rule::fixed(5);
        let mut filler = Filler::new(&rule);
        for bytes in [0, 4, 5, 64, 4096, BLOCK_BYTES, BLOCK_BYTES + 200] {
            let buffer: Vec<u8> = (0..bytes as u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 17) as u8).collect();
            let set = filler.block(&buffer, 0);
            let mut expected = BTreeSet::new();
            rule.each(&buffer[..bytes.min(BLOCK_BYTES + REACH_BYTES)], |hash, _| {
                expected.insert(id(hash, set.id_bits));
            });
            assert_eq!(set.ids().collect::<Vec<_>>(), expected.into_iter().collect::<Vec<_>>(), "{bytes} bytes");
            assert_eq!(set.count(), set.ids().count());
        }
    }

    #[test]
    fn a_buffer_has_one_set_a_block() {
        let rule = Rule::fixed(5);
        let mut filler = Filler::new(&rule);
        let counts = [(0, 0), (1, 1), (BLOCK_BYTES, 1), (BLOCK_BYTES + 1, 2)];
        for (bytes, blocks) in counts {
            assert_eq!(filler.blocks(&vec![1; bytes]).count(), blocks, "{bytes} bytes");
        }
    }
}
