//! A set of numbers that may hold too much and never too little: a blocked Bloom filter (Putze, Sanders, Singler 2007).
//!
//! 1. A number that was added is always held.
//! 2. All bits of a number lie in one block of 64 bytes, so a test costs one cache line.
//!
//! A byte of filter for each number, and five bits set: one number in thirty that was never added is held. With
//! twice as many numbers as it was made for it is one in five, and the set still never holds too little.

use super::limits;

const BLOCK_WORDS: usize = 8;
const BLOCK_BYTES: u64 = 8 * BLOCK_WORDS as u64;
const BITS_SET: u32 = 5;

/// A set of numbers.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct GramSet {
    blocks: Vec<[u64; BLOCK_WORDS]>,
}

impl GramSet {
    /// An empty set for so many numbers, a byte for each up to the bound.
    pub fn sized_for(numbers: u64) -> GramSet {
        let blocks = numbers.min(limits::GRAM_SET_BYTES_MAX).div_ceil(BLOCK_BYTES).max(1);
        GramSet { blocks: vec![[0; BLOCK_WORDS]; usize::try_from(blocks).unwrap_or(1)] }
    }

    /// Adds a number. O(1).
    pub fn add(&mut self, number: u64) {
        let block = self.block_of(number);
        for bit in bits(number) {
            self.blocks[block][bit / 64] |= 1 << (bit % 64);
        }
    }

    /// Whether a number is held; one that was added always is. O(1).
    pub fn holds(&self, number: u64) -> bool {
        let block = &self.blocks[self.block_of(number)];
        bits(number).all(|bit| block[bit / 64] >> (bit % 64) & 1 == 1)
    }

    /// How many of a thousand bits are set. Beyond 500 the set is fuller than it was made for.
    pub fn fullness_per_mille(&self) -> u32 {
        let ones: u64 = self.blocks.iter().flatten().map(|word| u64::from(word.count_ones())).sum();
        u32::try_from(ones * 1000 / (self.blocks.len() as u64 * BLOCK_BYTES * 8)).unwrap_or(1000)
    }

    /// Its bytes, blocks one behind the other.
    pub fn bytes(&self) -> impl Iterator<Item = u8> + '_ {
        self.blocks.iter().flatten().flat_map(|word| word.to_le_bytes())
    }

    /// The set that has these bytes; none if they are no whole blocks or too many.
    pub fn from_bytes(bytes: &[u8]) -> Option<GramSet> {
        let whole = !bytes.is_empty() && (bytes.len() as u64).is_multiple_of(BLOCK_BYTES);
        if !whole || bytes.len() as u64 > limits::GRAM_SET_BYTES_MAX {
            return None;
        }
        let word = |bytes: &[u8]| u64::from_le_bytes(*bytes.first_chunk().unwrap_or(&[0; 8]));
        let block = |bytes: &[u8]| std::array::from_fn(|index| word(&bytes[8 * index..]));
        Some(GramSet { blocks: bytes.chunks_exact(8 * BLOCK_WORDS).map(block).collect() })
    }

    /// The high half of a number chooses the block, by multiplication instead of a remainder.
    fn block_of(&self, number: u64) -> usize {
        (((number >> 32) * self.blocks.len() as u64) >> 32) as usize
    }
}

/// The low 45 bits of a number choose five bits of a block.
fn bits(number: u64) -> impl Iterator<Item = usize> {
    // The high half has chosen the block, so what both halves share is mixed once more.
    let number = number.wrapping_mul(0xd6e8_feb8_6659_fd93).rotate_left(23);
    (0..BITS_SET).map(move |index| (number >> (9 * index)) as usize & 511)
}

#[cfg(test)]
mod tests {
    use super::super::gram::mix;
    use super::*;

    #[test]
    fn what_was_added_is_held_and_one_in_twenty_others_at_most() {
        let mut set = GramSet::sized_for(20_000);
        (0..20_000).for_each(|number| set.add(mix(number)));
        assert!((0..20_000).all(|number| set.holds(mix(number))));
        let wrong = (20_000..120_000).filter(|number| set.holds(mix(*number))).count();
        assert!(wrong < 5_000, "{wrong} of 100,000 numbers are held that were never added");
    }

    #[test]
    fn bytes_that_are_no_whole_blocks_are_no_set() {
        assert!(GramSet::from_bytes(&[]).is_none());
        assert!(GramSet::from_bytes(&[0; 63]).is_none());
        assert!(GramSet::from_bytes(&[0; 128]).is_some());
    }
}
