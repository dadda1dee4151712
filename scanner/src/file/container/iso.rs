//! ISO 9660 images: the files of the first directory tree.

use crate::file::Flow;
use crate::file::walk::Walk;

const SECTOR: usize = 2048;
/// Directories within directories; the standard allows eight.
const NESTING_MAX: u32 = 32;

pub(super) fn unpack(bytes: &[u8], walk: &mut Walk<'_>) {
    let Some(root) = bytes.get(16 * SECTOR + 156..16 * SECTOR + 190) else {
        return walk.broken("an ISO image ends in its first descriptor");
    };
    let mut seen = std::collections::HashSet::new();
    directory(bytes, extent(root), NESTING_MAX, &mut seen, walk);
}

/// First sector and bytes of what a record describes. Numbers stand in both orders; the first is little-endian.
fn extent(record: &[u8]) -> (usize, usize) {
    let word = |at: usize| u32::from_le_bytes([record[at], record[at + 1], record[at + 2], record[at + 3]]) as usize;
    (word(2), word(10))
}

fn directory(
    bytes: &[u8],
    (sector, size): (usize, usize),
    nesting: u32,
    seen: &mut std::collections::HashSet<usize>,
    walk: &mut Walk<'_>,
) -> Flow {
    if nesting == 0 || !seen.insert(sector) {
        return walk.go_on();
    }
    let Some(records) = slice(bytes, sector, size) else {
        walk.broken("an ISO directory lies outside of the image");
        return Flow::On;
    };
    for block in records.chunks(SECTOR) {
        let mut rest = block;
        while let Some(&length) = rest.first().filter(|length| **length >= 34 && usize::from(**length) <= rest.len()) {
            let (record, behind) = rest.split_at(usize::from(length));
            rest = behind;
            let name = &record[33..(33 + usize::from(record[32])).min(record.len())];
            if matches!(name, [0] | [1]) {
                continue;
            }
            let flow = if record[25] & 2 != 0 {
                directory(bytes, extent(record), nesting - 1, seen, walk)
            } else {
                file(bytes, extent(record), name, walk)
            };
            if flow == Flow::Stop {
                return Flow::Stop;
            }
        }
    }
    walk.go_on()
}

fn file(bytes: &[u8], (sector, size): (usize, usize), name: &[u8], walk: &mut Walk<'_>) -> Flow {
    let Some(content) = slice(bytes, sector, size) else {
        walk.broken("an ISO file lies outside of the image");
        return Flow::On;
    };
    if content.len() < size {
        walk.broken("an ISO image ends inside of a file");
    }
    if content.is_empty() {
        return Flow::On;
    }
    let name = String::from_utf8_lossy(name).trim_end_matches(";1").to_owned();
    walk.open(&name, &content[..content.len().min(walk.room())])
}

fn slice(bytes: &[u8], sector: usize, size: usize) -> Option<&[u8]> {
    let rest = bytes.get(sector.checked_mul(SECTOR)?..)?;
    Some(&rest[..rest.len().min(size)])
}
