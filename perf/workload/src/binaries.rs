//! Real binaries in three disjoint parts: one to learn from, one to cut literals from, one to scan.
//!
//! Files are told apart by the stem of their names, so that two versions of one library fall in the same
//! part: literals from a file that is scanned would be found where no signature is.

use crate::corpus::mix;
use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

const FOLDERS: &[&str] = &["/usr/bin", "/usr/sbin", "/usr/lib", "/usr/libexec", "/usr/local"];
/// Files below this are mostly scripts and stubs.
const FILE_BYTES_MIN: u64 = 16 << 10;
/// Of one file, so that a few large ones are not the whole part.
const FILE_BYTES_MAX: u64 = 2 << 20;

/// Which third of the machine's binaries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The table of grams is learned from these.
    Learn,
    /// Literals are cut from these.
    Cut,
    /// These are scanned.
    Scan,
}

/// The paths of a part, in an order that mixes folders and is the same on each run.
pub fn paths(part: Part) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for folder in FOLDERS {
        list(Path::new(folder), &mut files);
    }
    files.retain(|path| stem_hash(path) % 3 == part as u64);
    files.sort_by_key(|path| hash(path.as_os_str().as_encoded_bytes()));
    files
}

/// Up to so many bytes of a part.
///
/// # Errors
/// The machine has no such files.
pub fn read(part: Part, bytes_max: usize) -> io::Result<Vec<u8>> {
    let mut blob = Vec::new();
    for path in paths(part) {
        if blob.len() >= bytes_max {
            break;
        }
        // A file that cannot be read is skipped: the corpus is whatever this machine has.
        let _ = File::open(&path).and_then(|file| file.take(FILE_BYTES_MAX).read_to_end(&mut blob));
    }
    blob.truncate(bytes_max);
    if blob.len() < FILE_BYTES_MIN as usize {
        return Err(io::Error::other(format!("{} bytes of binaries are too few", blob.len())));
    }
    Ok(blob)
}

/// Cuts distinct literals of `lengths` bytes at random places of a blob. One that is half a single byte, or
/// more, is not taken: nobody writes a signature of padding.
pub fn cut(blob: &[u8], seed: u64, count: usize, lengths: std::ops::RangeInclusive<usize>) -> Vec<Vec<u8>> {
    let mut literals = HashSet::with_capacity(count);
    let mut ordered = Vec::with_capacity(count);
    // A small blob holds only so many; the bound ends the search there.
    for draw in 0..20 * count as u64 {
        if ordered.len() == count {
            break;
        }
        let len = lengths.start() + mix(seed ^ mix(2 * draw)) as usize % (lengths.end() - lengths.start() + 1);
        let at = mix(seed ^ mix(2 * draw + 1)) as usize % (blob.len() - len);
        let literal = &blob[at..at + len];
        let mut counts = [0; 256];
        literal.iter().for_each(|&byte| counts[usize::from(byte)] += 1);
        if counts.iter().all(|&of_one| 2 * of_one < len) && literals.insert(literal) {
            ordered.push(literal.to_vec());
        }
    }
    ordered
}

/// So many distinct literals of random bytes.
pub fn random(seed: u64, count: usize, lengths: std::ops::RangeInclusive<usize>) -> Vec<Vec<u8>> {
    let literal = |place: u64| {
        let len = lengths.start() + mix(seed ^ mix(place)) as usize % (lengths.end() - lengths.start() + 1);
        (0..len as u64).map(|at| mix(seed ^ mix(place << 16 | at << 1 | 1)) as u8).collect()
    };
    (0..count as u64).map(literal).collect()
}

/// FNV-1a, finished: the same on every machine.
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    let fold = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    mix(bytes.iter().fold(0xcbf2_9ce4_8422_2325, fold))
}

fn stem_hash(path: &Path) -> u64 {
    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
    hash(name.split(|byte| b".-0123456789".contains(byte)).next().unwrap_or_default())
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let (path, Ok(kind)) = (entry.path(), entry.file_type()) else { continue };
        if kind.is_dir() {
            list(&path, files);
        } else if kind.is_file() && entry.metadata().is_ok_and(|found| found.len() >= FILE_BYTES_MIN) && is_elf(&path) {
            files.push(path);
        }
    }
}

fn is_elf(path: &Path) -> bool {
    let mut magic = [0; 4];
    File::open(path).and_then(|mut file| file.read_exact(&mut magic)).is_ok() && magic == *b"\x7fELF"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_one_library_fall_in_the_same_part() {
        let part = |name: &str| stem_hash(Path::new(name)) % 3;
        assert_eq!(part("/usr/lib/libcrypto.so.3"), part("/usr/local/lib/libcrypto-1.1.so"));
    }

    #[test]
    fn literals_are_distinct_and_no_padding() {
        let blob: Vec<u8> = (0..4096_u64).map(|at| if at % 64 < 32 { 0 } else { mix(at) as u8 }).collect();
        let literals = cut(&blob, 1, 500, 8..=16);
        assert_eq!(literals.len(), 500);
        assert!(literals.iter().all(|one| (8..=16).contains(&one.len())));
        assert!(literals.iter().all(|one| 2 * one.iter().filter(|&&byte| byte == 0).count() < one.len()));
        assert_eq!(literals.iter().collect::<HashSet<_>>().len(), 500);
    }
}
