//! The tail of a segment that a crash left open: bytes of a batch that is not complete.
//!
//! 1. A torn write and a damaged last batch look alike. No batch claims the last one durable, but the catalogue is fed
//!    only what is: where a record in the tail is one that it has seen, the tail was acknowledged, and it is kept and
//!    named as damage like any other.
//! 2. Otherwise nobody is known to have been told of it, and it is cut. What is cut is kept aside first, so that no byte
//!    is destroyed by a wrong guess.

use crate::disk::{Disk, PAGE_BYTES};
use crate::error::{OpenError, opening};
use crate::segment::scan::{Scan, heads_in, salvage};
use crate::segment::{SegmentId, segments_dir};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Tails that are kept aside; the oldest goes when there are more. Each is at most a batch, 8 MiB.
const KEPT_MAX: usize = 8;

/// A tail that was cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TornTail {
    /// Which segment.
    pub segment: u32,
    /// Where the cut is.
    pub offset: u64,
    /// Bytes that were behind it.
    pub bytes: u64,
    /// Arrivals whose records still begin readably in it; none of them was acknowledged, as far as is known.
    pub items: u64,
    /// The file that holds these bytes now; `None` when the disk had no room for it.
    pub kept: Option<PathBuf>,
}

impl fmt::Display for TornTail {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { segment, offset, bytes, items, kept } = self;
        write!(out, "segment {segment} ended in an incomplete write: {bytes} bytes cut at {offset}, ")?;
        match items {
            0 => write!(out, "no item begins in them; ")?,
            items => write!(out, "{items} items begin in them and are not known to have been acknowledged; ")?,
        }
        match kept {
            Some(path) => write!(out, "the bytes are kept in {}", path.display()),
            None => write!(out, "the disk had no room to keep them"),
        }
    }
}

/// Takes the tail into the scan when the catalogue has seen a record of it. `true` when it did.
pub(crate) fn keep_acknowledged(bytes: &[u8], found: &mut Scan, watermark: u64) -> bool {
    let tail = found.end as usize..(found.end + found.torn_bytes) as usize;
    if !heads_in(bytes, tail.clone()).iter().any(|(head, _)| head.sequence <= watermark) {
        return false;
    }
    let end = tail.end.next_multiple_of(PAGE_BYTES).min(bytes.len());
    salvage(bytes, tail.start..end, found);
    found.damaged.push(tail.start as u64..end as u64);
    (found.end, found.torn_bytes) = (end as u64, 0);
    true
}

/// Keeps the bytes of a tail aside, before it is cut.
///
/// # Errors
/// The disk said no, and not because it is full.
pub(crate) fn set_aside(
    disk: &dyn Disk,
    data: &Path,
    id: SegmentId,
    bytes: &[u8],
    found: &Scan,
) -> Result<TornTail, OpenError> {
    let tail = found.end as usize..(found.end + found.torn_bytes) as usize;
    let items = heads_in(bytes, tail.clone()).iter().filter(|(head, _)| head.kind.is_arrival()).count() as u64;
    let path = segments_dir(data).join(format!("{id}-{}.torn", found.end));
    let kept = match disk.write_small(&path, &bytes[tail]) {
        Ok(()) => Some(path),
        Err(error) if error.kind() == io::ErrorKind::StorageFull => None,
        Err(error) => return Err(opening("keep a torn tail in", &path)(error)),
    };
    Ok(TornTail { segment: id.0, offset: found.end, bytes: found.torn_bytes, items, kept })
}

/// Removes the oldest tails beyond [`KEPT_MAX`].
///
/// # Errors
/// The disk said no.
pub(crate) fn forget_oldest(disk: &dyn Disk, data: &Path, names: &[String]) -> Result<(), OpenError> {
    // The segment's number, eight digits, comes first: the order of names is the order of age.
    let mut kept: Vec<_> = names.iter().filter(|name| name.ends_with(".torn")).collect();
    kept.sort_unstable();
    for name in kept.iter().rev().skip(KEPT_MAX) {
        let path = segments_dir(data).join(name);
        disk.unlink(&path).map_err(opening("remove", &path))?;
    }
    Ok(())
}
