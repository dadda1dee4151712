//! All grams of files in which nothing may be found.
//!
//! 1. A gram of a file that was added is always held.
//! 2. A gram without variety is held whether or not it was added: it never makes a literal discriminating.

use super::gram::{Gram, grams, is_varied, number};
use super::gram_set::GramSet;

const MAGIC: &[u8; 8] = b"LZGOOD\r\n";
const VERSION: u16 = 1;
/// Magic and version.
const HEAD_BYTES: usize = 10;

/// A filter over the grams of clean files, a byte of memory for each byte of them.
///
/// At the size it was made for it holds one gram in thirty that no file has. That costs a literal now and then, and
/// never lets one through.
#[derive(Clone, PartialEq, Eq)]
pub struct Goodware {
    set: GramSet,
}

/// Why bytes are no goodware.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GoodwareError {
    /// Another file, or one of a later version.
    #[error("not a goodware filter of version {VERSION}")]
    Head,
    /// Cut short, or longer than the bound.
    #[error("a goodware filter of {bytes} bytes is not made of whole blocks within the bound")]
    Size {
        /// How many there are.
        bytes: usize,
    },
    /// Bits have changed.
    #[error("the digest of a goodware filter does not fit its bytes")]
    Digest,
}

impl Goodware {
    /// Empty, with room for so many bytes of files, at most [`super::limits::GRAM_SET_BYTES_MAX`].
    #[must_use]
    pub fn sized_for(bytes: u64) -> Goodware {
        Goodware { set: GramSet::sized_for(bytes) }
    }

    /// Adds a file, or a part of one: parts that follow each other have to overlap by seven bytes. O(n).
    pub fn add(&mut self, bytes: &[u8]) {
        grams(bytes).filter(|gram| is_varied(*gram)).for_each(|gram| self.set.add(number(gram)));
    }

    /// Whether a gram may be in a file that was added. `false` is certain. O(1).
    #[must_use]
    pub fn holds(&self, gram: &Gram) -> bool {
        !is_varied(*gram) || self.set.holds(number(*gram))
    }

    /// Whether a literal may be in a file that was added: all of its grams are held. `false` is certain.
    /// A literal shorter than a gram may be anywhere. O(n).
    #[must_use]
    pub fn contains_all_grams(&self, literal: &[u8]) -> bool {
        grams(literal).all(|gram| self.holds(&gram))
    }

    /// How full the filter is, of a thousand: beyond 500 it was made for fewer bytes than it got.
    #[must_use]
    pub fn fullness_per_mille(&self) -> u32 {
        self.set.fullness_per_mille()
    }

    /// Its bytes: `LZGOOD\r\n`, a version of two bytes, 32 bytes of BLAKE3 over the blocks, the blocks.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let blocks: Vec<u8> = self.set.bytes().collect();
        let mut bytes = Vec::with_capacity(HEAD_BYTES + blake3::OUT_LEN + blocks.len());
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(blake3::hash(&blocks).as_bytes());
        bytes.extend_from_slice(&blocks);
        bytes
    }

    /// Reads what [`Goodware::encode`] wrote.
    ///
    /// # Errors
    /// Bytes of anything else. They are then built anew from the files.
    pub fn decode(bytes: &[u8]) -> Result<Goodware, GoodwareError> {
        let (head, rest) = bytes.split_at_checked(HEAD_BYTES).ok_or(GoodwareError::Head)?;
        if !head.starts_with(MAGIC) || head[MAGIC.len()..] != VERSION.to_le_bytes() {
            return Err(GoodwareError::Head);
        }
        let size = GoodwareError::Size { bytes: bytes.len() };
        let (digest, blocks) = rest.split_first_chunk::<{ blake3::OUT_LEN }>().ok_or(size)?;
        let set = GramSet::from_bytes(blocks).ok_or(size)?;
        if blake3::hash(blocks) != *digest {
            return Err(GoodwareError::Digest);
        }
        Ok(Goodware { set })
    }
}

impl std::fmt::Debug for Goodware {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Goodware({} of a thousand bits set)", self.fullness_per_mille())
    }
}

#[cfg(test)]
mod tests {
    use super::super::families::noise;
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_literal_of_a_file_may_be_in_goodware(
            file in prop::collection::vec(any::<u8>(), 0..2000), from in 0usize..2000, len in 0usize..80,
        ) {
            let mut goodware = Goodware::sized_for(64);
            goodware.add(&file);
            let from = from.min(file.len());
            let to = (from + len).min(file.len());
            prop_assert!(goodware.contains_all_grams(&file[from..to]));
        }

        #[test]
        fn hostile_bytes_decode_to_an_error_or_to_what_wrote_them(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(goodware) = Goodware::decode(&bytes) {
                prop_assert_eq!(goodware.encode(), bytes);
            }
        }
    }

    #[test]
    fn other_literals_are_certainly_absent() {
        let mut goodware = Goodware::sized_for(100_000);
        goodware.add(&noise("clean", 100_000));
        let absent = |index: u32| !goodware.contains_all_grams(&noise(&format!("literal {index}"), 32));
        assert!((0..1000).all(absent));
    }

    #[test]
    fn a_filter_survives_its_bytes_and_no_cut_of_them() {
        let mut goodware = Goodware::sized_for(1000);
        goodware.add(&noise("clean", 1000));
        let bytes = goodware.encode();
        assert_eq!(Goodware::decode(&bytes), Ok(goodware));
        assert!((0..bytes.len()).all(|len| Goodware::decode(&bytes[..len]).is_err()));
    }
}
