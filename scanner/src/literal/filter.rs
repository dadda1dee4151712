//! A register-blocked Bloom filter: two bits in one 32-bit word for each window.
//!
//! A word is what a processor fetches for a lane in one go, so a second bit is free where a second place
//! would be a second miss (Putze, Sanders, Singler 2007, "Cache-, Hash- and Space-Efficient Bloom Filters").

/// Words of the smallest filter: anything smaller lies in the first-level cache as well.
const WORDS_LOG2_MIN: u32 = 8;
/// Words of the largest filter, 32 MiB: beyond the caches of any machine, more words only cost memory.
const WORDS_LOG2_MAX: u32 = 23;
/// Bits of filter for a window, at least. With 8, a random window passes with about one chance in twenty.
const BITS_PER_KEY: usize = 8;
/// Bits for a window while the filter is small: what passes in vain costs more than the second-level cache.
const BITS_PER_KEY_SMALL: usize = 32;
/// Words of such a filter at most: 64 KiB.
const WORDS_LOG2_SMALL: u32 = 14;

/// Multipliers of the hash; the lanes of the SIMD version use the same.
pub(super) const LOW: u32 = 0x9e37_79b1;
pub(super) const HIGH: u32 = 0x85eb_ca77;
pub(super) const LAST: u32 = 0xc2b2_ae3d;

/// Which windows are filed, with some that are not.
pub(super) struct Filter {
    words: Vec<u32>,
    /// 32 less the logarithm of the number of words.
    shift: u32,
}

/// The part of the hash that both the bits and the place are taken from.
#[inline]
fn mix(window: u64) -> u32 {
    let mixed = (window as u32).wrapping_mul(LOW).wrapping_add(((window >> 32) as u32).wrapping_mul(HIGH));
    mixed ^ (mixed >> 15)
}

#[inline]
fn bits(mixed: u32) -> u32 {
    (1 << (mixed >> 27)) | (1 << (mixed >> 22 & 31))
}

impl Filter {
    /// An empty filter for so many windows.
    pub(super) fn new(keys: usize) -> Self {
        let log2 = Self::words_log2(keys);
        Self { words: vec![0; 1 << log2], shift: 32 - log2 }
    }

    fn words_log2(keys: usize) -> u32 {
        let log2 = |bits: usize| (keys.saturating_mul(bits) / 32).max(1).next_power_of_two().trailing_zeros();
        let small = log2(BITS_PER_KEY_SMALL).min(WORDS_LOG2_SMALL);
        log2(BITS_PER_KEY).max(small).clamp(WORDS_LOG2_MIN, WORDS_LOG2_MAX)
    }

    /// Memory of a filter for so many windows, bytes.
    pub(super) fn bytes_for(keys: usize) -> usize {
        4 << Self::words_log2(keys)
    }

    /// Files a window, already masked.
    pub(super) fn insert(&mut self, window: u64) {
        let mixed = mix(window);
        self.words[(mixed.wrapping_mul(LAST) >> self.shift) as usize] |= bits(mixed);
    }

    /// Whether a window, already masked, may be filed.
    #[inline]
    pub(super) fn may_hold(&self, window: u64) -> bool {
        let mixed = mix(window);
        let bits = bits(mixed);
        self.words[(mixed.wrapping_mul(LAST) >> self.shift) as usize] & bits == bits
    }

    /// The words, a power of two of them.
    #[cfg_attr(not(target_arch = "x86_64"), allow(dead_code))]
    pub(super) fn words(&self) -> &[u32] {
        &self.words
    }

    /// 32 less the logarithm of the number of words, at most 24.
    #[cfg_attr(not(target_arch = "x86_64"), allow(dead_code))]
    pub(super) fn shift(&self) -> u32 {
        self.shift
    }

    /// Share of bits that are set.
    pub(super) fn load(&self) -> f64 {
        let set: u64 = self.words.iter().map(|word| u64::from(word.count_ones())).sum();
        set as f64 / (32 * self.words.len()) as f64
    }
}
