//! What every store gets: digests, zstd level 1, AES-256-GCM under a key of the sample's own.

use anyhow::{Context, Result, anyhow};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use sha2::{Digest, Sha256};

/// The level that the product packs with before any backlog.
const LEVEL: i32 = 1;
/// In front of the sealed bytes: SHA-256, salt, plain length.
const HEADER_BYTES: usize = 32 + 16 + 8;

/// The key of a store, from which each sample's key is derived.
#[derive(Clone)]
pub struct StoreKey([u8; 32]);

impl StoreKey {
    pub fn new() -> Result<Self> {
        let mut key = [0; 32];
        getrandom::fill(&mut key).map_err(|error| anyhow!("no random bytes for a key: {error}"))?;
        Ok(Self(key))
    }
}

/// A sample ready to be stored under its BLAKE3 digest.
pub struct Packed {
    pub digest: [u8; 32],
    pub value: Vec<u8>,
}

/// One thread's contexts and buffer.
pub struct Packer {
    key: StoreKey,
    plain: Vec<u8>,
    compressor: Option<zstd::bulk::Compressor<'static>>,
}

impl Packer {
    pub fn new(key: &StoreKey) -> Self {
        Self { key: key.clone(), plain: Vec::new(), compressor: zstd::bulk::Compressor::new(LEVEL).ok() }
    }

    pub fn pack(&mut self, sample_bytes: usize, fill: &mut dyn FnMut(&mut Vec<u8>)) -> Result<Packed> {
        self.plain.clear();
        self.plain.reserve(sample_bytes);
        fill(&mut self.plain);
        let digest = *blake3::hash(&self.plain).as_bytes();
        let sha256 = Sha256::digest(&self.plain);
        let mut salt = [0; 16];
        getrandom::fill(&mut salt).map_err(|error| anyhow!("no random bytes for a salt: {error}"))?;

        let mut value = Vec::with_capacity(HEADER_BYTES + zstd::zstd_safe::compress_bound(self.plain.len()) + 16);
        value.extend_from_slice(&sha256);
        value.extend_from_slice(&salt);
        value.extend_from_slice(&(self.plain.len() as u64).to_le_bytes());
        value.resize(value.capacity(), 0);
        let compressor = self.compressor.as_mut().context("zstd gave no context")?;
        let packed_bytes = compressor.compress_to_buffer(&self.plain, &mut value[HEADER_BYTES..])?;
        value.truncate(HEADER_BYTES + packed_bytes);

        let key = blake3::Hasher::new_keyed(&self.key.0).update(&salt).finalize();
        let key = UnboundKey::new(&AES_256_GCM, key.as_bytes()).map_err(|_| anyhow!("a key of the wrong length"))?;
        let tag = LessSafeKey::new(key)
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key([0; 12]),
                Aad::from(digest),
                &mut value[HEADER_BYTES..],
            )
            .map_err(|_| anyhow!("a sample of {} bytes could not be sealed", self.plain.len()))?;
        value.extend_from_slice(tag.as_ref());
        Ok(Packed { digest, value })
    }
}
