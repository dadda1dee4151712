//! Samples cut from real binaries of the machine: compressible as binaries are, all distinct, each a
//! pure function of (seed, index) over the same files.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Where programs and libraries lie on Linux.
const FOLDERS: &[&str] = &["/usr/bin", "/usr/lib"];
/// Far more than the processor's caches, little beside the memory of any machine that builds this.
const BLOB_BYTES_MAX: usize = 256 << 20;
/// Files below this are mostly scripts and stubs.
const FILE_BYTES_MIN: u64 = 16 << 10;
/// The stamp that makes every sample distinct, also where two slices are the same.
const STAMP_BYTES: usize = 16;

/// The bytes that samples are cut from.
pub struct Corpus {
    blob: Vec<u8>,
}

impl Corpus {
    /// Reads ELF files of the machine in the order of their paths, up to 256 MiB.
    ///
    /// # Errors
    /// No such file could be read.
    pub fn of_machine() -> io::Result<Self> {
        let mut files = Vec::new();
        for folder in FOLDERS {
            list(Path::new(folder), &mut files);
        }
        files.sort();
        let mut blob = Vec::with_capacity(BLOB_BYTES_MAX);
        for path in files {
            let left = BLOB_BYTES_MAX - blob.len();
            if left == 0 {
                break;
            }
            let before = blob.len();
            // A file that cannot be read is skipped: the corpus is whatever this machine has.
            let _ = File::open(&path).and_then(|file| file.take(left as u64).read_to_end(&mut blob));
            if !blob[before..].starts_with(b"\x7fELF") {
                blob.truncate(before);
            }
        }
        Self::of(blob)
    }

    /// Takes bytes as they are; tests use a small, fixed blob.
    ///
    /// # Errors
    /// Fewer bytes than a sample's stamp needs.
    pub fn of(blob: Vec<u8>) -> io::Result<Self> {
        if blob.len() <= STAMP_BYTES {
            return Err(io::Error::other(format!("{} bytes are too few to cut samples from", blob.len())));
        }
        Ok(Self { blob })
    }

    /// Appends sample `index` of `seed`, exactly `bytes` long, to `out`.
    pub fn fill(&self, seed: u64, index: u64, bytes: usize, out: &mut Vec<u8>) {
        let start = out.len();
        let mut at = mix(seed ^ mix(index)) as usize % self.blob.len();
        while out.len() < start + bytes {
            let left = start + bytes - out.len();
            let end = self.blob.len().min(at + left);
            out.extend_from_slice(&self.blob[at..end]);
            at = 0;
        }
        let mut stamp = [0; STAMP_BYTES];
        stamp[..8].copy_from_slice(&index.to_le_bytes());
        stamp[8..].copy_from_slice(&seed.to_le_bytes());
        let stamped = bytes.min(STAMP_BYTES);
        out[start..start + stamped].copy_from_slice(&stamp[..stamped]);
    }
}

/// The finalizer of SplitMix64 (Steele, Lea, Flood 2014): spreads neighbouring indices.
pub(crate) fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_dir() {
            list(&entry.path(), files);
        } else if kind.is_file() && entry.metadata().is_ok_and(|file| file.len() >= FILE_BYTES_MIN) {
            files.push(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_a_function_of_seed_and_index_and_no_two_are_equal() {
        let corpus = Corpus::of((0..100_u8).collect()).unwrap();
        let sample = |seed, index| {
            let mut out = vec![7];
            corpus.fill(seed, index, 300, &mut out);
            assert_eq!(out.len(), 301);
            out
        };
        assert_eq!(sample(1, 2), sample(1, 2));
        let mut all: Vec<_> = (0..500).map(|index| sample(1, index)).chain([sample(2, 0)]).collect();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 501);
    }
}
