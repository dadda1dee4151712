//! Packing: a sample's plain bytes become digests and sealed blocks, in one pass by one thread.
//!
//! 1. A sample is packed as independent blocks of [`BLOCK_BYTES`] plain bytes; none needs another to be read.
//! 2. Every record has its own random salt and so its own key; a nonce is the block's number.
//! 3. A block that compression does not shrink is stored as it is.

mod codec;
mod open;
mod seal;

pub use codec::{CodecPolicy, Effort};
pub(crate) use codec::{Pressure, Squeezer};
pub(crate) use open::{Opener, open_block};
pub(crate) use seal::{Identity, Salt, Sealer, StoreKey, TAG_BYTES, fresh_salt, random};

use model::{Blake3, Sha256};
use std::cell::RefCell;

/// Plain bytes of a block. Re-test reads single blocks, and damage stays within one; it costs 9 % of the ratio on
/// binaries against whole-file compression.
pub const BLOCK_BYTES: usize = 64 << 10;

/// Marks, in a block's stored length, that the block is not compressed.
const RAW_BIT: u32 = 1 << 31;

/// A sealed block's place in its record: stored bytes with their tag, and whether it is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BlockLen(pub(crate) u32);

impl BlockLen {
    fn new(stored_bytes: usize, raw: bool) -> Self {
        debug_assert!(stored_bytes <= BLOCK_BYTES + TAG_BYTES, "a block never grows past its plain bytes and a tag");
        Self(stored_bytes as u32 | if raw { RAW_BIT } else { 0 })
    }

    /// Stored bytes, tag included.
    pub(crate) fn stored_bytes(self) -> usize {
        (self.0 & !RAW_BIT) as usize
    }

    pub(crate) fn is_raw(self) -> bool {
        self.0 & RAW_BIT != 0
    }
}

/// Digests of a whole sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Digests {
    pub(crate) blake3: Blake3,
    pub(crate) sha256: Sha256,
}

/// Hashes a sample both ways.
pub(crate) fn digest(plain: &[u8]) -> Digests {
    use sha2::Digest as _;
    Digests { blake3: Blake3(*blake3::hash(plain).as_bytes()), sha256: Sha256(sha2::Sha256::digest(plain).into()) }
}

/// Compressed and sealed content, not yet placed in a segment.
#[derive(Debug)]
pub(crate) struct Packed {
    pub(crate) raw_bytes: u64,
    pub(crate) effort: Effort,
    pub(crate) salt: Salt,
    pub(crate) blocks: Vec<BlockLen>,
    /// The sealed blocks, one after the other.
    pub(crate) payload: Vec<u8>,
    pub(crate) payload_crc: u32,
}

thread_local! {
    static SQUEEZER: RefCell<Squeezer> = RefCell::new(Squeezer::new());
}

/// Number of blocks that `raw_bytes` make; an empty sample has one empty block, so that it too is authenticated.
pub(crate) fn block_count(raw_bytes: u64) -> u64 {
    raw_bytes.div_ceil(BLOCK_BYTES as u64).max(1)
}

/// Compresses and seals `plain`, block by block, with this thread's contexts.
pub(crate) fn pack(key: &StoreKey, plain: &[u8], identity: &Identity, effort: Effort) -> Packed {
    let salt = fresh_salt();
    let sealer = Sealer::new(key, &salt);
    let count = block_count(plain.len() as u64) as usize;
    let mut blocks = Vec::with_capacity(count);
    let mut payload = Vec::with_capacity(effort.expected_bytes(plain.len()) + count * TAG_BYTES);
    SQUEEZER.with_borrow_mut(|squeezer| {
        for number in 0..count {
            let from = number * BLOCK_BYTES;
            let block = &plain[from..plain.len().min(from + BLOCK_BYTES)];
            let start = payload.len();
            let raw = match squeezer.squeeze(block, effort) {
                Some(squeezed) => {
                    payload.extend_from_slice(squeezed);
                    false
                }
                None => {
                    payload.extend_from_slice(block);
                    true
                }
            };
            let tag = sealer.seal(identity, number as u32, count as u32, raw, &mut payload[start..]);
            payload.extend_from_slice(&tag);
            blocks.push(BlockLen::new(payload.len() - start, raw));
        }
    });
    let payload_crc = crc32c::crc32c(&payload);
    Packed { raw_bytes: plain.len() as u64, effort, salt, blocks, payload, payload_crc }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn round_trip(plain: &[u8], effort: Effort) {
        let key = StoreKey::for_tests();
        let digests = digest(plain);
        let identity = Identity { id: digests.blake3.0, raw_bytes: plain.len() as u64 };
        let packed = pack(&key, plain, &identity, effort);
        let opener = Opener::new(&key, &packed.salt, identity, block_count(plain.len() as u64) as u32);
        let mut at = 0;
        let mut back = Vec::new();
        for (number, block) in packed.blocks.iter().enumerate() {
            let sealed = &packed.payload[at..at + block.stored_bytes()];
            open_block(&opener, number as u32, *block, sealed, &mut back).unwrap();
            at += block.stored_bytes();
        }
        assert_eq!(at, packed.payload.len());
        assert!(back == plain, "{} bytes at {effort:?}", plain.len());
    }

    proptest! {
        #[test]
        fn what_is_packed_opens_to_the_same_bytes(seed: u64, len in 0_usize..300_000, run in 1_usize..64) {
            let mut state = seed | 1;
            let plain: Vec<u8> = (0..len).map(|at| {
                if at % run == 0 { state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407); }
                (state >> 56) as u8
            }).collect();
            for effort in Effort::ALL {
                round_trip(&plain, effort);
            }
        }
    }

    #[test]
    fn every_length_around_a_block_boundary_round_trips() {
        for len in [0, 1, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1, 2 * BLOCK_BYTES, 3 * BLOCK_BYTES - 1] {
            round_trip(&vec![b'x'; len], Effort::Usual);
        }
    }

    #[test]
    fn a_changed_bit_or_a_swapped_block_does_not_open() {
        let key = StoreKey::for_tests();
        let plain = vec![5; 2 * BLOCK_BYTES];
        let identity = Identity { id: digest(&plain).blake3.0, raw_bytes: plain.len() as u64 };
        let packed = pack(&key, &plain, &identity, Effort::Usual);
        let opener = Opener::new(&key, &packed.salt, identity, 2);
        let (first, second) = packed.payload.split_at(packed.blocks[0].stored_bytes());
        let mut out = Vec::new();
        assert!(open_block(&opener, 0, packed.blocks[1], second, &mut out).is_err());
        assert!(open_block(&opener, 1, packed.blocks[0], first, &mut out).is_err());
        for bit in 0..first.len() * 8 {
            let mut changed = first.to_vec();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(open_block(&opener, 0, packed.blocks[0], &changed, &mut out).is_err(), "bit {bit}");
        }
        assert!(out.is_empty(), "nothing of a block that does not open reaches the caller");
    }

    #[test]
    fn incompressible_blocks_are_stored_as_they_are() {
        let mut plain = vec![0; BLOCK_BYTES];
        blake3::Hasher::new().finalize_xof().fill(&mut plain);
        let identity = Identity { id: [1; 32], raw_bytes: plain.len() as u64 };
        let packed = pack(&StoreKey::for_tests(), &plain, &identity, Effort::Usual);
        assert!(packed.blocks[0].is_raw());
        assert_eq!(packed.payload.len(), plain.len() + TAG_BYTES);
    }
}
