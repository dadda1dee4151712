//! The keys of a PE's version information, which `VI` signatures match at.
//!
//! Resources are a tree of three levels: type, name, language. Every step is bounded: entries per level, and bytes
//! of the information itself.

use super::read::Bytes;

const VERSION_TYPE: u32 = 16;
/// Entries followed on one level of the tree.
const ENTRIES_MAX: u64 = 64;
/// Keys kept.
const KEYS_MAX: usize = 1024;
/// Set in an entry that leads to another level.
const DIRECTORY: u32 = 1 << 31;

/// File offsets of the keys, sorted. `place` turns addresses into offsets.
pub(super) fn keys(bytes: Bytes<'_>, resources: u32, place: &dyn Fn(u32) -> Option<u64>) -> Vec<u64> {
    let mut keys = Vec::new();
    let types = entries(bytes, resources, 0, place);
    for (_, name) in types.into_iter().filter(|(id, next)| *id == VERSION_TYPE && next & DIRECTORY != 0) {
        for (_, language) in entries(bytes, resources, name & !DIRECTORY, place) {
            for (_, leaf) in entries(bytes, resources, language & !DIRECTORY, place) {
                information(bytes, resources, leaf, place, &mut keys);
            }
        }
    }
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// `(id, where it leads)` of one level.
fn entries(bytes: Bytes<'_>, resources: u32, level: u32, place: &dyn Fn(u32) -> Option<u64>) -> Vec<(u32, u32)> {
    let Some(at) = resources.checked_add(level).and_then(place) else { return Vec::new() };
    let count = |n| bytes.u16(at + n).map_or(0, u64::from);
    let count = (count(12) + count(14)).min(ENTRIES_MAX);
    (0..count).map_while(|n| Some((bytes.u32(at + 16 + n * 8)?, bytes.u32(at + 20 + n * 8)?))).collect()
}

fn information(bytes: Bytes<'_>, resources: u32, leaf: u32, place: &dyn Fn(u32) -> Option<u64>, keys: &mut Vec<u64>) {
    let block = || {
        let entry = resources.checked_add(leaf).and_then(place)?;
        let at = place(bytes.u32(entry)?)?;
        let length = u64::from(bytes.u32(entry + 4)?).min(u64::from(bytes.u16(at)?));
        Some((at, at + length))
    };
    let Some((start, end)) = block() else { return };
    // Header, key "VS_VERSION_INFO" and the fixed part take 92 bytes.
    for table_parent in blocks(bytes, start, start + 92, end) {
        if !key_is(bytes, table_parent.0, "StringFileInfo") {
            continue;
        }
        for table in blocks(bytes, start, table_parent.0 + 36, table_parent.1) {
            for string in blocks(bytes, start, table.0 + 24, table.1) {
                // A key without a value is none to clamscan.
                let has_value = bytes.u16(string.0 + 2).is_some_and(|value| value > 0);
                if has_value && keys.len() < KEYS_MAX {
                    keys.push(string.0 + 6);
                }
            }
        }
    }
}

/// `(start, end)` of the blocks that lie one behind the other, each on a multiple of four from `origin`.
fn blocks(bytes: Bytes<'_>, origin: u64, from: u64, end: u64) -> Vec<(u64, u64)> {
    let mut found = Vec::new();
    let mut at = from;
    while at + 6 <= end && found.len() < KEYS_MAX {
        let Some(length) = bytes.u16(at).map(u64::from).filter(|length| *length >= 6 && at + length <= end) else {
            break;
        };
        found.push((at, at + length));
        at += length;
        at = origin + (at - origin).next_multiple_of(4);
    }
    found
}

fn key_is(bytes: Bytes<'_>, block: u64, key: &str) -> bool {
    (0u64..).zip(key.bytes()).all(|(n, letter)| bytes.u16(block + 6 + n * 2) == Some(u16::from(letter)))
}
