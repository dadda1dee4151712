//! Large samples: each streams into a file of its own, in parts, in bounded memory.
//!
//! 1. The file counts only once the log has a record that names it; until then it is an attempt, and recovery
//!    removes it.
//! 2. The reservation grows before the bytes do.
//! 3. Giving up and deleting are an unlink.
//! 4. The finish pass writes a new file and switches; a file never changes.

mod file;
mod finish;
mod parts;
mod writer;

pub(crate) use file::LargeFile;
pub(crate) use finish::{Finished, Turn, finish};
pub(crate) use writer::Discard;
pub use writer::LargeWriter;

use crate::disk::PAGE_BYTES;
use crate::segment::record::{RecordHead, RecordKind};
use crate::segment::{SegmentId, large_path, segments_dir};
use crate::shared::Shared;

/// Plain bytes of a part. 1 MiB: sixteen blocks, so that a stream needs a few megabytes however long it is.
pub(crate) const PART_BYTES: usize = 1 << 20;

/// What seals a part: its file and number. The file's digest is not known while it streams.
fn part_id(file: SegmentId, part: u64) -> [u8; 32] {
    let mut id = [0; 32];
    id[..8].copy_from_slice(b"lzr-part");
    id[8..16].copy_from_slice(&u64::from(file.0).to_le_bytes());
    id[16..24].copy_from_slice(&part.to_le_bytes());
    id
}

/// The file that a log record of [`RecordKind::Large`] names, and where its closing record starts.
pub(crate) fn named_file(head: &RecordHead) -> Option<(SegmentId, u64)> {
    let [file, closing_at] = head.link();
    (head.kind == RecordKind::Large).then_some((SegmentId(u32::try_from(file).ok()?), closing_at))
}

/// Bytes of the file that a log record names.
pub(crate) fn file_bytes(head: &RecordHead) -> u64 {
    named_file(head).map_or(0, |(_, closing_at)| closing_at + closing_bytes(part_count(head.raw_bytes)))
}

/// Removes the file of a dropped large sample; for other records there is nothing to do.
pub(crate) fn remove_file_of(shared: &Shared, head: &RecordHead) {
    let Some((id, _)) = named_file(head) else { return };
    shared.table.remove_large(id);
    if shared.disk.unlink(&large_path(&shared.data, id)).is_ok() {
        shared.ledger.release(file_bytes(head));
        // A name that comes back after a power cut is removed by recovery, for its sample has a tombstone.
        let _ = shared.disk.sync_dir(&segments_dir(&shared.data));
    }
}

/// Parts of a sample of so many plain bytes.
fn part_count(raw_bytes: u64) -> u64 {
    raw_bytes.div_ceil(PART_BYTES as u64).max(1)
}

/// Bytes of the batch that holds the closing record.
fn closing_bytes(parts: u64) -> u64 {
    let record = (crate::segment::record::HEAD_BYTES as u64 + parts * 8).next_multiple_of(64);
    (record + 2 * crate::segment::batch::BATCH_HEAD_BYTES as u64).next_multiple_of(PAGE_BYTES as u64)
}
