//! The first page of every segment: what file this is.

use super::SegmentId;
use crate::disk::{AlignedBuf, PAGE_BYTES};

const MAGIC: [u8; 8] = *b"LAZARET\0";
const VERSION: u16 = 1;
/// Bytes of the page that carry meaning, the checksum included.
pub const HEADER_BYTES: usize = 64;

/// Random name of a store: a batch of another store that lies in our blocks is not ours.
pub type StoreId = [u8; 16];

/// What a file of segments holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SegmentKind {
    /// Batches of records in log order.
    Lane = 0,
    /// One large sample: parts, then a closing record.
    Large = 1,
}

/// The header's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SegmentHeader {
    /// Which store.
    pub store: StoreId,
    /// Which segment.
    pub segment: SegmentId,
    /// What it holds.
    pub kind: SegmentKind,
    /// When it was made, milliseconds since 1970 UTC; for people only.
    pub created_at_ms: i64,
}

impl SegmentHeader {
    /// The page to write.
    pub(crate) fn page(&self) -> AlignedBuf {
        let mut page = AlignedBuf::with_capacity(PAGE_BYTES);
        page.extend_from_slice(&self.encode());
        page.pad_to(PAGE_BYTES);
        page
    }

    /// Layout: magic 8, version 2, kind 1, zero 5, segment 8, store 16, created 8, zero 12, crc32c 4.
    pub(crate) fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..10].copy_from_slice(&VERSION.to_le_bytes());
        bytes[10] = self.kind as u8;
        bytes[16..24].copy_from_slice(&u64::from(self.segment.0).to_le_bytes());
        bytes[24..40].copy_from_slice(&self.store);
        bytes[40..48].copy_from_slice(&self.created_at_ms.to_le_bytes());
        let crc = crc32c::crc32c(&bytes[..60]);
        bytes[60..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// Reads a header; `None` when it is not one of this version or its checksum is wrong.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; HEADER_BYTES] = bytes.get(..HEADER_BYTES)?.try_into().ok()?;
        let crc = u32::from_le_bytes(bytes[60..].try_into().ok()?);
        if bytes[..8] != MAGIC || bytes[8..10] != VERSION.to_le_bytes() || crc32c::crc32c(&bytes[..60]) != crc {
            return None;
        }
        Some(Self {
            kind: match bytes[10] {
                0 => SegmentKind::Lane,
                1 => SegmentKind::Large,
                _ => return None,
            },
            segment: SegmentId(u64::from_le_bytes(bytes[16..24].try_into().ok()?).try_into().ok()?),
            store: bytes[24..40].try_into().ok()?,
            created_at_ms: i64::from_le_bytes(bytes[40..48].try_into().ok()?),
        })
    }
}
