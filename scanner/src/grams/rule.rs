//! Which gram stands at each position: the shortest one there that is not common.
//!
//! A common gram is in so many blocks that knowing it says little, yet it costs as much as a rare one. So the
//! rule extends it by the bytes that follow until it is rare, or as long as the longest gram. What stands at a
//! position depends on the bytes from there on alone, never on what came before: block and literal agree.

use super::error::GramsError;

/// Shortest gram a rule may start at.
pub const GRAM_BYTES_MIN: usize = 3;
/// Longest gram: what one load from memory holds.
pub const GRAM_BYTES_MAX: usize = 8;

/// Bits of the table of common grams, as a power of two: 128 KiB, which stays in a second-level cache.
const TABLE_BITS: u32 = 20;
const TABLE_WORDS: usize = 1 << (TABLE_BITS - 6);
const MAGIC: &[u8; 8] = b"LZGRULE\0";
const HEAD_BYTES: usize = 16;

/// Odd multipliers, one a length, so that equal bits of grams of different lengths fall apart. Any odd numbers
/// with balanced bits serve; these are digits of the golden ratio, stepped.
const MULTIPLIERS: [u64; GRAM_BYTES_MAX + 1] = {
    let mut table = [0; GRAM_BYTES_MAX + 1];
    let mut length = 0;
    while length <= GRAM_BYTES_MAX {
        table[length] = 0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(2 * length as u64 + 1) | 1;
        length += 1;
    }
    table
};

/// Which gram stands at each position. Immutable; an index names the rule it was written with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    shortest: usize,
    longest: usize,
    /// Empty when `shortest == longest`.
    common: Box<[u64]>,
    id: u64,
}

impl Rule {
    /// Every position has a gram of `gram_bytes` (clamped to 3..=8): needs no learning.
    #[must_use]
    pub fn fixed(gram_bytes: usize) -> Self {
        let length = gram_bytes.clamp(GRAM_BYTES_MIN, GRAM_BYTES_MAX);
        Self::of(length, length, Box::default())
    }

    /// Learns which grams are common: those in more than `common_per_mille` of the given blocks. A few hundred
    /// blocks of what the store holds are enough; more than 65,535 are not looked at. Lengths are clamped to
    /// 3..=8 and put in order.
    #[must_use]
    pub fn learn(blocks: &[&[u8]], shortest: usize, longest: usize, common_per_mille: u32) -> Self {
        let shortest = shortest.clamp(GRAM_BYTES_MIN, GRAM_BYTES_MAX);
        let longest = longest.clamp(shortest, GRAM_BYTES_MAX);
        if shortest == longest {
            return Self::fixed(shortest);
        }
        let blocks = &blocks[..blocks.len().min(usize::from(u16::MAX))];
        let limit = blocks.len() as u64 * u64::from(common_per_mille) / 1000;
        let mut rule = Self::of(shortest, longest, vec![0; TABLE_WORDS].into());
        let mut seen = vec![0_u64; TABLE_WORDS];
        for length in shortest..longest {
            // Cut at this length, the rule hands out here only what is common in every shorter form.
            rule.longest = length;
            let mut blocks_with = vec![0_u16; 1 << TABLE_BITS];
            for block in blocks {
                seen.fill(0);
                rule.each(block, |hash, found| {
                    let slot = slot(hash);
                    if found == length && seen[slot >> 6] >> (slot & 63) & 1 == 0 {
                        seen[slot >> 6] |= 1 << (slot & 63);
                        blocks_with[slot] += 1;
                    }
                });
            }
            for (slot, _) in blocks_with.iter().enumerate().filter(|(_, count)| u64::from(**count) > limit) {
                rule.common[slot >> 6] |= 1 << (slot & 63);
            }
        }
        Self::of(shortest, longest, rule.common)
    }

    fn of(shortest: usize, longest: usize, common: Box<[u64]>) -> Self {
        let start = (shortest as u64) << 8 | longest as u64;
        let id = common.iter().fold(super::layer::scramble(start), |id, word| super::layer::scramble(id ^ word));
        Self { shortest, longest, common, id }
    }

    /// Length in bytes of the shortest gram: no literal below it can be asked for.
    #[must_use]
    pub fn shortest(&self) -> usize {
        self.shortest
    }

    /// Names the rule in an index.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Hands out hash and length of the gram at every position that has one wholly inside `bytes`, in order.
    #[inline]
    pub(super) fn each(&self, bytes: &[u8], mut take: impl FnMut(u64, usize)) {
        if self.shortest == self.longest {
            let (length, mask, multiplier) = (self.longest, mask(self.longest), MULTIPLIERS[self.longest]);
            for load in bytes.windows(GRAM_BYTES_MAX) {
                take((word(load) & mask).wrapping_mul(multiplier), length);
            }
        } else {
            for load in bytes.windows(GRAM_BYTES_MAX) {
                if let Some((hash, length)) = self.gram(word(load), GRAM_BYTES_MAX) {
                    take(hash, length);
                }
            }
        }
        let tail = &bytes[bytes.len().saturating_sub(GRAM_BYTES_MAX - 1)..];
        for at in 0..tail.len() {
            let mut load = [0; GRAM_BYTES_MAX];
            let left = tail.len() - at;
            load[..left].copy_from_slice(&tail[at..]);
            if let Some((hash, length)) = self.gram(u64::from_le_bytes(load), left) {
                take(hash, length);
            }
        }
    }

    /// The gram at the start of a load of which `left` bytes exist.
    #[inline]
    fn gram(&self, load: u64, left: usize) -> Option<(u64, usize)> {
        #[expect(clippy::needless_range_loop, reason = "the length is the subject, the multiplier goes with it")]
        for length in self.shortest..=self.longest.min(left) {
            let hash = (load & mask(length)).wrapping_mul(MULTIPLIERS[length]);
            if length == self.longest || !self.is_common(hash) {
                return Some((hash, length));
            }
        }
        None
    }

    #[inline]
    fn is_common(&self, hash: u64) -> bool {
        let slot = slot(hash);
        self.common[slot >> 6] >> (slot & 63) & 1 == 1
    }

    /// The rule as bytes, to be kept beside the indexes that name it (`docs/grams.md`).
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        out.extend_from_slice(&1_u16.to_le_bytes());
        out.extend_from_slice(&[self.shortest as u8, self.longest as u8, 0, 0, 0, 0]);
        out.extend(self.common.iter().flat_map(|word| word.to_le_bytes()));
        out.extend_from_slice(&crc32c::crc32c(&out).to_le_bytes());
        out
    }

    /// Reads back what [`Rule::encode`] wrote.
    ///
    /// # Errors
    /// Cut, damaged, of a later version, or with lengths outside 3..=8.
    pub fn decode(bytes: &[u8]) -> Result<Self, GramsError> {
        let head: &[u8; HEAD_BYTES] =
            bytes.first_chunk().ok_or(GramsError::Short { needed: HEAD_BYTES as u64, found: bytes.len() as u64 })?;
        let [m0, m1, m2, m3, m4, m5, m6, m7, v0, v1, shortest, longest, zeroes @ ..] = *head;
        let magic = [m0, m1, m2, m3, m4, m5, m6, m7];
        if magic != *MAGIC {
            return Err(GramsError::Magic(magic));
        }
        match u16::from_le_bytes([v0, v1]) {
            1 => {}
            later => return Err(GramsError::Version(later)),
        }
        let (shortest, longest) = (usize::from(shortest), usize::from(longest));
        let lengths = GRAM_BYTES_MIN..=GRAM_BYTES_MAX;
        if !lengths.contains(&shortest) || !lengths.contains(&longest) || shortest > longest || zeroes != [0; 4] {
            return Err(GramsError::Shape { field: "lengths", value: (shortest << 8 | longest) as u64 });
        }
        let words = if shortest == longest { 0 } else { TABLE_WORDS };
        let needed = HEAD_BYTES + words * 8 + 4;
        if bytes.len() != needed {
            return Err(GramsError::Short { needed: needed as u64, found: bytes.len() as u64 });
        }
        let (covered, checksum) = bytes.split_at(needed - 4);
        let expected = u32::from_le_bytes([checksum[0], checksum[1], checksum[2], checksum[3]]);
        let found = crc32c::crc32c(covered);
        if found != expected {
            return Err(GramsError::Checksum { part: "rule", expected, found });
        }
        let common = covered[HEAD_BYTES..].chunks_exact(8).map(word).collect();
        Ok(Self::of(shortest, longest, common))
    }
}

#[inline]
fn mask(length: usize) -> u64 {
    u64::MAX >> (64 - 8 * length)
}

#[inline]
fn slot(hash: u64) -> usize {
    (hash >> (64 - TABLE_BITS)) as usize
}

/// Eight bytes as a number; the callers' slices have exactly eight.
#[inline]
fn word(bytes: &[u8]) -> u64 {
    bytes.first_chunk().map_or(0, |eight| u64::from_le_bytes(*eight))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grams(rule: &Rule, bytes: &[u8]) -> Vec<(u64, usize)> {
        let mut out = Vec::new();
        rule.each(bytes, |hash, length| out.push((hash, length)));
        out
    }

    #[test]
    fn a_fixed_rule_has_a_gram_wherever_one_fits() {
        for bytes in 0..40 {
            let found = grams(&Rule::fixed(5), &vec![7; bytes]).len();
            assert_eq!(found, (bytes + 1).saturating_sub(5), "{bytes} bytes");
        }
    }

    #[test]
    fn a_common_gram_is_extended_and_a_rare_one_is_not() {
        let common = *b"abcdefgh";
        let blocks: Vec<&[u8]> = vec![&common; 10];
        let rule = Rule::learn(&blocks, 3, 8, 100);
        assert_eq!(grams(&rule, b"abcdefgh"), grams(&Rule::fixed(8), b"abcdefgh"));
        assert_eq!(grams(&rule, b"xyz").iter().map(|gram| gram.1).collect::<Vec<_>>(), [3]);
        assert_eq!(grams(&rule, b"abcdefg"), [], "no gram of abc is rare before its eighth byte");
    }

    #[test]
    fn a_rule_survives_its_bytes_and_every_cut_is_an_error() {
        let learned = Rule::learn(&[b"abcdefgh"], 4, 6, 10);
        for rule in [Rule::fixed(5), learned] {
            let bytes = rule.encode();
            assert_eq!(Rule::decode(&bytes), Ok(rule));
            for cut in (0..bytes.len().min(64)).chain([bytes.len() - 1]) {
                assert!(Rule::decode(&bytes[..cut]).is_err(), "cut at {cut}");
            }
            for at in (0..bytes.len()).step_by(97) {
                let mut damaged = bytes.clone();
                damaged[at] ^= 0x10;
                assert!(Rule::decode(&damaged).is_err(), "flipped at {at}");
            }
        }
    }
}
