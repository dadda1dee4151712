//! Encryption at rest. No byte of a sample lies on disk in clear, so no other scanner on the host eats the store
//! and nothing in it can run.
//!
//! 1. Key of a record = BLAKE3 derive_key(store key, salt); cipher AES-256-GCM; nonce = block number.
//! 2. A salt is never used for two contents: rewriting draws a new one, verbatim copies keep payload and salt.
//! 3. The associated data binds a block to its content, its number and its being the last, but never to a place.

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, MAX_TAG_LEN, Nonce, UnboundKey};
use std::cell::RefCell;
use std::fmt;
use std::io;

/// Bytes that sealing adds to a block.
pub(crate) const TAG_BYTES: usize = 16;
const _: () = assert!(TAG_BYTES == MAX_TAG_LEN);

const KEY_CONTEXT: &str = "lazaret 2026-11 record key, version 1";
/// Salts drawn from the system at once: a call for each would cost as much as sealing 4 KiB.
const SALTS_DRAWN: usize = 256;

/// Sixteen random bytes that make a record's key its own.
pub(crate) type Salt = [u8; 16];

/// The secret that opens a store.
#[derive(Clone)]
pub(crate) struct StoreKey {
    /// A hasher that has taken in the context and the secret; deriving is a clone and 16 bytes more.
    keyed: blake3::Hasher,
}

impl fmt::Debug for StoreKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("StoreKey(..)")
    }
}

impl StoreKey {
    pub(crate) fn new(secret: &[u8; 32]) -> Self {
        let mut keyed = blake3::Hasher::new_derive_key(KEY_CONTEXT);
        keyed.update(secret);
        Self { keyed }
    }

    #[cfg(test)]
    pub(crate) fn for_tests() -> Self {
        Self::new(&[42; 32])
    }

    fn record_key(&self, salt: &Salt) -> LessSafeKey {
        let mut hasher = self.keyed.clone();
        hasher.update(salt);
        match UnboundKey::new(&AES_256_GCM, hasher.finalize().as_bytes()) {
            Ok(key) => LessSafeKey::new(key),
            Err(_) => unreachable!("a BLAKE3 hash has the 32 bytes that AES-256 takes"),
        }
    }
}

/// What a sealed run of blocks is part of: a sample's digest, or a part's id while a large sample streams in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) id: [u8; 32],
    pub(crate) raw_bytes: u64,
}

impl Identity {
    /// 32 bytes id, 8 bytes plain length, 4 bytes block number, 1 byte last block, 1 byte raw.
    fn associated(&self, block: u32, blocks: u32, raw: bool) -> [u8; 46] {
        let mut data = [0; 46];
        data[..32].copy_from_slice(&self.id);
        data[32..40].copy_from_slice(&self.raw_bytes.to_le_bytes());
        data[40..44].copy_from_slice(&block.to_le_bytes());
        data[44] = u8::from(block + 1 == blocks);
        data[45] = u8::from(raw);
        data
    }
}

fn nonce(block: u32) -> Nonce {
    let mut nonce = [0; 12];
    nonce[..4].copy_from_slice(&block.to_le_bytes());
    Nonce::assume_unique_for_key(nonce)
}

/// Seals the blocks of one record.
pub(crate) struct Sealer {
    key: LessSafeKey,
}

impl Sealer {
    pub(crate) fn new(key: &StoreKey, salt: &Salt) -> Self {
        Self { key: key.record_key(salt) }
    }

    /// Encrypts `block` in place and gives its tag.
    pub(crate) fn seal(
        &self,
        identity: &Identity,
        number: u32,
        count: u32,
        raw: bool,
        block: &mut [u8],
    ) -> [u8; TAG_BYTES] {
        let aad = Aad::from(identity.associated(number, count, raw));
        match self.key.seal_in_place_separate_tag(nonce(number), aad, block) {
            Ok(tag) => {
                let mut bytes = [0; TAG_BYTES];
                bytes.copy_from_slice(tag.as_ref());
                bytes
            }
            Err(_) => unreachable!("AES-GCM seals anything shorter than 64 GiB, and a block has 64 KiB"),
        }
    }
}

/// Opens the blocks of one record.
pub(crate) struct Unsealer {
    key: LessSafeKey,
    identity: Identity,
    count: u32,
}

impl Unsealer {
    pub(crate) fn new(key: &StoreKey, salt: &Salt, identity: Identity, count: u32) -> Self {
        Self { key: key.record_key(salt), identity, count }
    }

    /// Decrypts in place; `None` when any bit of block, tag or associated data is not as it was sealed.
    pub(crate) fn unseal<'a>(&self, number: u32, raw: bool, sealed: &'a mut [u8]) -> Option<&'a mut [u8]> {
        let aad = Aad::from(self.identity.associated(number, self.count, raw));
        self.key.open_in_place(nonce(number), aad, sealed).ok()
    }
}

/// A salt that was never given before.
pub(crate) fn fresh_salt() -> Salt {
    thread_local! {
        static DRAWN: RefCell<Vec<Salt>> = const { RefCell::new(Vec::new()) };
    }
    DRAWN.with_borrow_mut(|drawn| {
        if drawn.is_empty() {
            let mut bytes = [0; SALTS_DRAWN * 16];
            random(&mut bytes).expect("the system gives random bytes once it has booted");
            drawn.extend(bytes.as_chunks::<16>().0);
        }
        drawn.pop().expect("it was just filled")
    })
}

/// Fills `out` from the system's generator.
pub(crate) fn random(out: &mut [u8]) -> io::Result<()> {
    getrandom::fill(out).map_err(|error| io::Error::other(format!("no random bytes from the system: {error}")))
}
