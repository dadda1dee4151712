//! A record: a fixed head, the arrival's metadata in clear, the block table, the sealed payload.
//!
//! Layout: head 128 bytes, metadata, table (4 bytes a block when there are several), payload, zeroes up to
//! [`RECORD_ALIGN`]. All numbers little-endian.

use super::RECORD_ALIGN;
use crate::pack::{BlockLen, Effort, Salt};
use model::{Blake3, Sha256, limits};

/// Bytes of the fixed head.
pub const HEAD_BYTES: usize = 128;
/// Metadata of a record: an arrival, or who deleted.
pub const META_BYTES_MAX: usize = limits::ARRIVAL_BYTES_MAX;
/// The largest record: 8 MiB of plain bytes that do not compress, each block with its tag and table entry, twice
/// over for what streaming parts may need.
pub const RECORD_BYTES_MAX: usize = 16 << 20;

const MAGIC: [u8; 4] = *b"LZR1";
const CRC_AT: usize = 60;

/// What a record says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RecordKind {
    /// A new sample and the arrival that brought it.
    Sample = 1,
    /// One more arrival of a sample that is here.
    Known = 2,
    /// Items were deleted.
    Deletion = 3,
    /// A sample's content was dropped, for no item needs it.
    Tombstone = 4,
    /// An arrival whose content lies in a file of its own.
    Large = 5,
    /// A part of a large sample, in its file.
    Part = 6,
    /// The end of a large sample's file: digests and the offsets of its parts.
    Closing = 7,
}

impl RecordKind {
    pub(crate) fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            1 => Self::Sample,
            2 => Self::Known,
            3 => Self::Deletion,
            4 => Self::Tombstone,
            5 => Self::Large,
            6 => Self::Part,
            7 => Self::Closing,
            _ => return None,
        })
    }

    /// Whether the record is an arrival, and so an item.
    #[must_use]
    pub fn is_arrival(self) -> bool {
        match self {
            Self::Sample | Self::Known | Self::Large => true,
            Self::Deletion | Self::Tombstone | Self::Part | Self::Closing => false,
        }
    }

    /// Whether the record brings a sample's content.
    #[must_use]
    pub fn brings_content(self) -> bool {
        match self {
            Self::Sample | Self::Large => true,
            Self::Known | Self::Deletion | Self::Tombstone | Self::Part | Self::Closing => false,
        }
    }
}

/// The head of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordHead {
    /// What it says.
    pub kind: RecordKind,
    /// How its blocks were compressed.
    pub effort: Effort,
    /// The record carries content only: its own item was deleted.
    pub content_only: bool,
    /// The only block is stored as it is; with several blocks the table says so for each.
    pub single_raw: bool,
    /// Number in the log; of an arrival, its item's id.
    pub sequence: u64,
    /// Plain bytes of the sample.
    pub raw_bytes: u64,
    /// Bytes of metadata.
    pub meta_bytes: u16,
    /// Sealed blocks.
    pub blocks: u32,
    /// Bytes of the payload.
    pub payload_bytes: u32,
    /// crc32c of the payload.
    pub payload_crc: u32,
    /// What makes the record's key its own; in records without sealed content, two numbers (see [`RecordHead::link`]).
    pub salt: Salt,
    /// BLAKE3 of the plain bytes.
    pub blake3: Blake3,
    /// SHA-256 of the plain bytes.
    pub sha256: Sha256,
}

/// Why bytes are not a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RecordFailure {
    /// No record starts here.
    #[error("no record starts here")]
    Magic,
    /// The head's checksum is wrong.
    #[error("the checksum of the record's head is wrong")]
    HeadChecksum,
    /// A length in the head is impossible.
    #[error("the record's lengths are impossible")]
    Length,
    /// The bytes end before the record does.
    #[error("the record is cut short")]
    Truncated,
    /// The payload's checksum is wrong.
    #[error("the checksum of the record's content is wrong")]
    PayloadChecksum,
}

impl RecordHead {
    /// Bytes between the head and the payload.
    #[must_use]
    pub fn table_bytes(&self) -> usize {
        if self.blocks > 1 { self.blocks as usize * 4 } else { 0 }
    }

    /// Offset of the payload in the record.
    #[must_use]
    pub fn payload_at(&self) -> usize {
        HEAD_BYTES + usize::from(self.meta_bytes) + self.table_bytes()
    }

    /// Bytes of the whole record, padding included.
    #[must_use]
    pub fn record_bytes(&self) -> usize {
        (self.payload_at() + self.payload_bytes as usize).next_multiple_of(RECORD_ALIGN)
    }

    /// The two numbers that records without sealed content keep in the salt's place: of [`RecordKind::Known`] and
    /// [`RecordKind::Tombstone`] the sample's id, of [`RecordKind::Large`] the file's number and the offset of its
    /// closing record, of [`RecordKind::Deletion`] the time.
    #[must_use]
    pub fn link(&self) -> [u64; 2] {
        let (halves, _) = self.salt.as_chunks::<8>();
        [u64::from_le_bytes(halves[0]), u64::from_le_bytes(halves[1])]
    }

    /// The salt's place filled with two numbers.
    #[must_use]
    pub fn linked(first: u64, second: u64) -> Salt {
        let mut salt = [0; 16];
        salt[..8].copy_from_slice(&first.to_le_bytes());
        salt[8..].copy_from_slice(&second.to_le_bytes());
        salt
    }

    /// Layout: magic 4, kind 1, effort 1, flags 1, zero 1, record bytes 4, metadata bytes 2, zero 2, sequence 8,
    /// plain bytes 8, payload bytes 4, blocks 4, salt 16, payload crc32c 4, head crc32c 4, BLAKE3 32, SHA-256 32.
    /// The head's checksum also covers metadata and table, which follow.
    pub(crate) fn encode(&self, meta: &[u8], table: &[u8]) -> [u8; HEAD_BYTES] {
        debug_assert_eq!(meta.len(), usize::from(self.meta_bytes));
        debug_assert_eq!(table.len(), self.table_bytes());
        let mut bytes = [0; HEAD_BYTES];
        bytes[..4].copy_from_slice(&MAGIC);
        bytes[4] = self.kind as u8;
        bytes[5] = self.effort as u8;
        bytes[6] = u8::from(self.content_only) | u8::from(self.single_raw) << 1;
        bytes[8..12].copy_from_slice(&(self.record_bytes() as u32).to_le_bytes());
        bytes[12..14].copy_from_slice(&self.meta_bytes.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.sequence.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.raw_bytes.to_le_bytes());
        bytes[32..36].copy_from_slice(&self.payload_bytes.to_le_bytes());
        bytes[36..40].copy_from_slice(&self.blocks.to_le_bytes());
        bytes[40..56].copy_from_slice(&self.salt);
        bytes[56..60].copy_from_slice(&self.payload_crc.to_le_bytes());
        bytes[64..96].copy_from_slice(&self.blake3.0);
        bytes[96..].copy_from_slice(&self.sha256.0);
        let crc = head_crc(&bytes, meta, table);
        bytes[CRC_AT..64].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// Reads the fixed head; its checksum is checked by [`RecordHead::check`] once metadata and table are there.
    ///
    /// # Errors
    /// No record starts here, or its lengths cannot be.
    pub fn decode(bytes: &[u8]) -> Result<Self, RecordFailure> {
        let Some(bytes) = bytes.first_chunk::<HEAD_BYTES>() else { return Err(RecordFailure::Truncated) };
        if bytes[..4] != MAGIC || bytes[6] > 3 || bytes[7] != 0 || bytes[14..16] != [0, 0] {
            return Err(RecordFailure::Magic);
        }
        let u32_at = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let (numbers, _) = bytes.as_chunks::<8>();
        let mut salt = [0; 16];
        salt.copy_from_slice(&bytes[40..56]);
        let mut digests = [[0; 32]; 2];
        digests[0].copy_from_slice(&bytes[64..96]);
        digests[1].copy_from_slice(&bytes[96..]);
        let head = Self {
            kind: RecordKind::from_code(bytes[4]).ok_or(RecordFailure::Magic)?,
            effort: Effort::from_code(bytes[5]).ok_or(RecordFailure::Magic)?,
            content_only: bytes[6] & 1 != 0,
            single_raw: bytes[6] & 2 != 0,
            sequence: u64::from_le_bytes(numbers[2]),
            raw_bytes: u64::from_le_bytes(numbers[3]),
            meta_bytes: u16::from_le_bytes([bytes[12], bytes[13]]),
            blocks: u32_at(36),
            payload_bytes: u32_at(32),
            payload_crc: u32_at(56),
            salt,
            blake3: Blake3(digests[0]),
            sha256: Sha256(digests[1]),
        };
        let possible = usize::from(head.meta_bytes) <= META_BYTES_MAX
            && head.payload_bytes as usize <= RECORD_BYTES_MAX
            && head.blocks as usize <= RECORD_BYTES_MAX / 1024
            && head.record_bytes() <= RECORD_BYTES_MAX
            && head.record_bytes() as u32 == u32_at(8);
        if possible { Ok(head) } else { Err(RecordFailure::Length) }
    }

    /// Checks the head's checksum, given everything before the payload.
    ///
    /// # Errors
    /// The checksum is wrong or the bytes are too few.
    pub fn check(&self, before_payload: &[u8]) -> Result<(), RecordFailure> {
        let bytes = before_payload.get(..self.payload_at()).ok_or(RecordFailure::Truncated)?;
        let (fixed, rest) = bytes.split_at(HEAD_BYTES);
        let (meta, table) = rest.split_at(usize::from(self.meta_bytes));
        let mut zeroed = [0; HEAD_BYTES];
        zeroed.copy_from_slice(fixed);
        let stored = u32::from_le_bytes([zeroed[60], zeroed[61], zeroed[62], zeroed[63]]);
        zeroed[CRC_AT..64].fill(0);
        if head_crc(&zeroed, meta, table) == stored { Ok(()) } else { Err(RecordFailure::HeadChecksum) }
    }

    /// The blocks' stored lengths, out of the table or, for a single block, the payload's length.
    ///
    /// # Errors
    /// The lengths do not add up to the payload.
    pub(crate) fn table(&self, before_payload: &[u8]) -> Result<Vec<BlockLen>, RecordFailure> {
        if self.blocks <= 1 {
            return Ok(vec![BlockLen(self.payload_bytes | if self.single_raw { 1 << 31 } else { 0 })]);
        }
        let bytes = before_payload.get(self.payload_at() - self.table_bytes()..self.payload_at());
        let (entries, _) = bytes.ok_or(RecordFailure::Truncated)?.as_chunks::<4>();
        let table: Vec<_> = entries.iter().map(|entry| BlockLen(u32::from_le_bytes(*entry))).collect();
        let total: usize = table.iter().map(|block| block.stored_bytes()).sum();
        if total == self.payload_bytes as usize { Ok(table) } else { Err(RecordFailure::Length) }
    }
}

fn head_crc(zeroed: &[u8; HEAD_BYTES], meta: &[u8], table: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c_append(crc32c::crc32c(zeroed), meta), table)
}
