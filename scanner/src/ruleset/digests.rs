//! Digests of files and of sections, looked up by value and size.

use crate::definitions::{FileDigest, HashSignature, Size};

/// Which signature a digest is of.
type Owner = u32;

/// Digests of the three algorithms.
#[derive(Default)]
pub(crate) struct DigestTable {
    md5: Table<16>,
    sha1: Table<20>,
    sha256: Table<32>,
}

/// Digests of one algorithm, ascending; a size of 0 stands for any size.
struct Table<const N: usize> {
    entries: Vec<([u8; N], u32, Owner)>,
    /// The sizes that are named, ascending; the first is 0 when any size is.
    sizes: Vec<u32>,
}

impl<const N: usize> Default for Table<N> {
    fn default() -> Self {
        Self { entries: Vec::new(), sizes: Vec::new() }
    }
}

impl<const N: usize> Table<N> {
    fn finish(&mut self) {
        self.entries.sort_unstable();
        self.entries.shrink_to_fit();
        self.sizes = self.entries.iter().map(|(_, size, _)| *size).collect();
        self.sizes.sort_unstable();
        self.sizes.dedup();
        self.sizes.shrink_to_fit();
    }

    fn asks_for(&self, size: u64) -> bool {
        let named = u32::try_from(size).is_ok_and(|size| self.sizes.binary_search(&size).is_ok());
        named || self.sizes.first() == Some(&0)
    }

    fn find(&self, digest: [u8; N], size: u64, found: &mut dyn FnMut(Owner)) {
        let from = self.entries.partition_point(|(other, _, _)| *other < digest);
        let same = self.entries[from..].iter().take_while(|(other, _, _)| *other == digest);
        same.filter(|(_, wanted, _)| *wanted == 0 || u64::from(*wanted) == size)
            .for_each(|(_, _, owner)| found(*owner));
    }
}

impl DigestTable {
    /// A table of signatures with their owners.
    pub fn new<'a>(signatures: impl Iterator<Item = (&'a HashSignature, Owner)>) -> Self {
        let mut table = Self::default();
        for (signature, owner) in signatures {
            let size = match signature.size {
                Size::Any => 0,
                Size::Bytes(bytes) => bytes,
            };
            match signature.digest {
                FileDigest::Md5(digest) => table.md5.entries.push((digest, size, owner)),
                FileDigest::Sha1(digest) => table.sha1.entries.push((digest, size, owner)),
                FileDigest::Sha256(digest) => table.sha256.entries.push((digest, size, owner)),
            }
        }
        table.md5.finish();
        table.sha1.finish();
        table.sha256.finish();
        table
    }

    /// Calls for every signature that names these bytes. A digest is taken only if a signature names their size.
    pub fn find(&self, bytes: &[u8], found: &mut dyn FnMut(Owner)) {
        let size = bytes.len() as u64;
        if self.md5.asks_for(size) {
            use md5::Digest as _;
            self.md5.find(md5::Md5::digest(bytes).into(), size, found);
        }
        let ring = |algorithm| ring::digest::digest(algorithm, bytes);
        if self.sha1.asks_for(size)
            && let Ok(digest) = ring(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY).as_ref().try_into()
        {
            self.sha1.find(digest, size, found);
        }
        if self.sha256.asks_for(size)
            && let Ok(digest) = ring(&ring::digest::SHA256).as_ref().try_into()
        {
            self.sha256.find(digest, size, found);
        }
    }

    /// Whether it names nothing.
    pub fn is_empty(&self) -> bool {
        self.md5.entries.is_empty() && self.sha1.entries.is_empty() && self.sha256.entries.is_empty()
    }

    /// Bytes on the heap.
    pub fn memory_bytes(&self) -> usize {
        let of = |entries: usize, sizes: usize| entries + 4 * sizes;
        of(size_of_val(&*self.md5.entries), self.md5.sizes.len())
            + of(size_of_val(&*self.sha1.entries), self.sha1.sizes.len())
            + of(size_of_val(&*self.sha256.entries), self.sha256.sizes.len())
    }
}
