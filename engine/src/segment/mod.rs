//! Segments: append-only files of sealed records. A segment is written once, then sealed.
//!
//! 1. Bytes past the last complete batch are never read as records.
//! 2. A sealed segment never changes; it is cut to its length before it is mapped, and removed by unlink.
//! 3. Only a durable extent is visible to readers.
//! 4. A segment's number is never used again.
//!
//! Every byte: `docs/format.md`. Reading order: [`header`], [`record`], [`batch`], [`footer`] are the format;
//! [`scan`] accepts what a crash left; [`reader`] serves; [`table`] holds all.

pub mod batch;
pub mod footer;
pub mod header;
pub mod reader;
pub mod record;
pub mod scan;
pub mod table;

use std::fmt;
use std::path::{Path, PathBuf};

/// Number of a segment or of a large sample's file; one counter serves both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SegmentId(pub u32);

impl fmt::Display for SegmentId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:08}", self.0)
    }
}

/// Segments that can ever be made: the dedupe index gives a segment number 24 bits.
pub const SEGMENTS_MAX: u32 = 1 << 24;

/// Records start at multiples of this, so that 22 bits address one in 256 MiB.
pub const RECORD_ALIGN: usize = 64;

/// Where the segments of a store lie.
pub(crate) fn segments_dir(data: &Path) -> PathBuf {
    data.join("segments")
}

/// Name of a sealed or active segment.
pub(crate) fn segment_path(data: &Path, id: SegmentId) -> PathBuf {
    segments_dir(data).join(format!("{id}.seg"))
}

/// Name of a segment that compaction is still writing; recovery removes it.
pub(crate) fn rewrite_path(data: &Path, id: SegmentId) -> PathBuf {
    segments_dir(data).join(format!("{id}.rewrite"))
}

/// Name of a large sample's own file.
pub(crate) fn large_path(data: &Path, id: SegmentId) -> PathBuf {
    segments_dir(data).join(format!("{id}.large"))
}

/// The number in a file name with this ending.
pub(crate) fn parse_name(name: &str, ending: &str) -> Option<SegmentId> {
    let digits = name.strip_suffix(ending)?;
    let valid = digits.len() == 8 && digits.bytes().all(|digit| digit.is_ascii_digit());
    valid.then(|| digits.parse().ok().map(SegmentId)).flatten()
}

/// A record's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Place {
    /// The segment, or the large sample's file.
    pub segment: SegmentId,
    /// Byte offset of the record, a multiple of [`RECORD_ALIGN`]; 0 in a large sample's file.
    pub offset: u64,
}
