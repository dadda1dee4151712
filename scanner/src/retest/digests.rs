//! Digests of stored buffers, and many digests looked up among them.

use crate::definitions::{FileDigest, HashSignature, Size};
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

/// Bytes of a row on a shelf: length and the three digests.
pub(super) const FACT_BYTES: usize = 8 + 16 + 20 + 32;

/// The digests of some bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FileFact {
    pub bytes: u64,
    pub md5: [u8; 16],
    pub sha1: [u8; 20],
    pub sha256: [u8; 32],
}

impl FileFact {
    pub fn of(bytes: &[u8]) -> Self {
        use md5::Digest as _;
        let (mut sha1, mut sha256) = ([0; 20], [0; 32]);
        sha1.copy_from_slice(ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, bytes).as_ref());
        sha256.copy_from_slice(ring::digest::digest(&ring::digest::SHA256, bytes).as_ref());
        Self { bytes: bytes.len() as u64, md5: md5::Md5::digest(bytes).into(), sha1, sha256 }
    }

    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.bytes.to_le_bytes());
        out.extend_from_slice(&self.md5);
        out.extend_from_slice(&self.sha1);
        out.extend_from_slice(&self.sha256);
    }

    pub fn read(row: &[u8; FACT_BYTES]) -> Self {
        let (mut length, mut md5, mut sha1, mut sha256) = ([0; 8], [0; 16], [0; 20], [0; 32]);
        length.copy_from_slice(&row[..8]);
        md5.copy_from_slice(&row[8..24]);
        sha1.copy_from_slice(&row[24..44]);
        sha256.copy_from_slice(&row[44..]);
        Self { bytes: u64::from_le_bytes(length), md5, sha1, sha256 }
    }
}

/// A digest's first eight bytes are as good as any hash of it.
#[derive(Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.0 ^= u64::from_le_bytes(word);
        }
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = word;
    }
}

type Prefixes = HashSet<u64, BuildHasherDefault<AsItIs>>;

/// Digests that signatures name, each with its owner. Looking up a digest that none names reads one place in memory.
#[derive(Default)]
pub(super) struct Digests {
    /// The first bytes of every digest, of whichever algorithm.
    prefixes: Prefixes,
    owners: HashMap<FileDigest, Vec<(Size, u32)>>,
    /// Which algorithms are asked for.
    md5: bool,
    sha1: bool,
    sha256: bool,
}

impl Digests {
    pub fn new<'s>(signatures: impl Iterator<Item = (&'s HashSignature, u32)>) -> Self {
        let mut digests = Self::default();
        for (signature, owner) in signatures {
            match signature.digest {
                FileDigest::Md5(_) => digests.md5 = true,
                FileDigest::Sha1(_) => digests.sha1 = true,
                FileDigest::Sha256(_) => digests.sha256 = true,
            }
            digests.prefixes.insert(prefix(signature.digest.bytes()));
            digests.owners.entry(signature.digest).or_default().push((signature.size, owner));
        }
        digests
    }

    pub fn is_empty(&self) -> bool {
        self.owners.is_empty()
    }

    /// Calls for every owner of a digest of these bytes.
    pub fn find(&self, fact: &FileFact, found: &mut dyn FnMut(u32)) {
        let mut look = |asked: bool, first: &[u8], digest: FileDigest| {
            if !asked || !self.prefixes.contains(&prefix(first)) {
                return;
            }
            for (size, owner) in self.owners.get(&digest).into_iter().flatten() {
                let fits = match size {
                    Size::Any => true,
                    Size::Bytes(bytes) => u64::from(*bytes) == fact.bytes,
                };
                if fits {
                    found(*owner);
                }
            }
        };
        look(self.md5, &fact.md5, FileDigest::Md5(fact.md5));
        look(self.sha1, &fact.sha1, FileDigest::Sha1(fact.sha1));
        look(self.sha256, &fact.sha256, FileDigest::Sha256(fact.sha256));
    }
}

fn prefix(digest: &[u8]) -> u64 {
    let mut word = [0; 8];
    word.copy_from_slice(&digest[..8]);
    u64::from_le_bytes(word)
}
