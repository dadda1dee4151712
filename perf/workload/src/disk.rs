//! What the kernel knows: bytes this process had written, blocks a folder occupies.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Unit of `st_blocks`, whatever the file system's own block is (stat(2)).
const BLOCK_BYTES: u64 = 512;

/// Bytes this process caused to be sent to storage so far, direct writes included; 0 where
/// `/proc/self/io` is not to be had.
pub fn written_bytes() -> u64 {
    written("/proc/self/io")
}

/// The same for another process and its children.
pub fn written_bytes_of(pid: u32) -> u64 {
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    let children = children.split_whitespace().filter_map(|child| child.parse().ok());
    written(&format!("/proc/{pid}/io")) + children.map(written_bytes_of).sum::<u64>()
}

fn written(path: &str) -> u64 {
    fs::read_to_string(path)
        .ok()
        .and_then(|text| text.lines().find_map(|line| line.strip_prefix("write_bytes: ")?.parse().ok()))
        .unwrap_or(0)
}

/// Bytes allocated to a folder and all below it. What vanishes meanwhile counts as nothing.
pub fn allocated_bytes(folder: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(found) if found.is_dir() => found.blocks() * BLOCK_BYTES + allocated_bytes(&entry.path()),
            Ok(found) => found.blocks() * BLOCK_BYTES,
            Err(_) => 0,
        })
        .sum()
}
