//! Grams: eight bytes in a row.

/// Bytes of a gram.
pub(super) const GRAM_BYTES: usize = 8;
/// Different bytes that a gram must have to tell anything: padding, runs and tables of small numbers have fewer.
const DISTINCT_MIN: u32 = 4;

/// A gram.
pub(super) type Gram = [u8; GRAM_BYTES];

/// All grams of some bytes, in order. None of fewer than eight bytes.
pub(super) fn grams(bytes: &[u8]) -> impl ExactSizeIterator<Item = Gram> + '_ {
    bytes.windows(GRAM_BYTES).map(|window| *window.first_chunk().unwrap_or(&[0; GRAM_BYTES]))
}

/// The number of a gram, spread over 64 bits. Different grams have different numbers.
///
/// There is no key: whoever makes samples can choose grams with low numbers. They then decide in which group their
/// sample is, which they can also do by copying another one.
pub(super) fn number(gram: Gram) -> u64 {
    mix(u64::from_le_bytes(gram))
}

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014), which is one to one.
pub(super) fn mix(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// Whether a gram has enough different bytes to tell anything.
pub(super) fn is_varied(gram: Gram) -> bool {
    distinct_bytes(&gram) >= DISTINCT_MIN
}

/// How many different bytes there are.
pub(super) fn distinct_bytes(bytes: &[u8]) -> u32 {
    let mut seen = [0u64; 4];
    for byte in bytes {
        seen[usize::from(byte >> 6)] |= 1 << (byte & 63);
    }
    seen.iter().map(|word| word.count_ones()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_and_small_tables_are_not_varied() {
        assert!(!is_varied([0; 8]));
        assert!(!is_varied(*b"ababcabc"));
        assert!(is_varied(*b"ababcabd"));
    }

    #[test]
    fn fewer_bytes_than_a_gram_have_no_gram() {
        assert_eq!(grams(b"seven b").len(), 0);
        assert_eq!(grams(b"eight by").collect::<Vec<_>>(), [*b"eight by"]);
    }
}
