//! What seals a segment: an entry for every record, so that a start reads footers and no record.
//!
//! Layout from the first page after the last batch: entries (32 bytes each), numbers of replaced segments (8 each),
//! damaged ranges (16 each), zeroes, and in the last 128 bytes of the file the trailer.

use super::SegmentId;
use super::record::{RecordHead, RecordKind};
use crate::disk::{AlignedBuf, PAGE_BYTES};
use crate::pack::Effort;
use crate::segment::RECORD_ALIGN;
use model::Blake3;
use std::ops::Range;

/// Bytes of an entry.
pub const ENTRY_BYTES: usize = 32;
/// Bytes of the trailer at the end of the file.
pub const TRAILER_BYTES: usize = 128;

const MAGIC: [u8; 8] = *b"LZFOOT\0\x01";

/// One record, as the footer keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// The first eight bytes of the sample's BLAKE3.
    pub digest_prefix: [u8; 8],
    /// Number in the log.
    pub sequence: u64,
    /// Offset in the segment.
    pub offset: u64,
    /// Bytes of the record.
    pub record_bytes: u64,
    /// What it says.
    pub kind: RecordKind,
    /// How it was compressed.
    pub effort: Effort,
    /// Its own item was deleted.
    pub content_only: bool,
    /// Plain bytes of its content, at most `u32::MAX`.
    pub raw_bytes: u32,
}

impl Entry {
    /// The entry of a record at `offset`.
    #[must_use]
    pub fn of(head: &RecordHead, offset: u64) -> Self {
        Self {
            digest_prefix: prefix(&head.blake3),
            sequence: head.sequence,
            offset,
            record_bytes: head.record_bytes() as u64,
            kind: head.kind,
            effort: head.effort,
            content_only: head.content_only,
            raw_bytes: u32::try_from(head.raw_bytes).unwrap_or(u32::MAX),
        }
    }

    /// Layout: digest prefix 8, sequence 8, offset / 64 4, bytes / 64 4, kind 1, effort 1, flags 1, zero 1, plain
    /// bytes 4.
    fn encode(&self) -> [u8; ENTRY_BYTES] {
        let unit = RECORD_ALIGN as u64;
        let mut bytes = [0; ENTRY_BYTES];
        bytes[..8].copy_from_slice(&self.digest_prefix);
        bytes[8..16].copy_from_slice(&self.sequence.to_le_bytes());
        bytes[16..20].copy_from_slice(&((self.offset / unit) as u32).to_le_bytes());
        bytes[20..24].copy_from_slice(&((self.record_bytes / unit) as u32).to_le_bytes());
        bytes[24] = self.kind as u8;
        bytes[25] = self.effort as u8;
        bytes[26] = u8::from(self.content_only);
        bytes[28..].copy_from_slice(&self.raw_bytes.to_le_bytes());
        bytes
    }

    pub(crate) fn decode(bytes: &[u8; ENTRY_BYTES]) -> Option<Self> {
        let unit = RECORD_ALIGN as u64;
        let u32_at = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let (numbers, _) = bytes.as_chunks::<8>();
        Some(Self {
            digest_prefix: numbers[0],
            sequence: u64::from_le_bytes(numbers[1]),
            offset: u64::from(u32_at(16)) * unit,
            record_bytes: u64::from(u32_at(20)) * unit,
            kind: RecordKind::from_code(bytes[24])?,
            effort: Effort::from_code(bytes[25])?,
            content_only: bytes[26] & 1 != 0,
            raw_bytes: u32_at(28),
        })
    }
}

/// The part of a digest that entries keep.
#[must_use]
pub fn prefix(digest: &Blake3) -> [u8; 8] {
    let mut prefix = [0; 8];
    prefix.copy_from_slice(&digest.0[..8]);
    prefix
}

/// Everything a footer says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Footer {
    /// The segment it seals.
    pub segment: SegmentId,
    /// End of the last batch.
    pub batches_end: u64,
    /// Digest of the segment's header and of every batch's chain, in order.
    pub chain: Blake3,
    /// A record each, by sequence.
    pub entries: Vec<Entry>,
    /// Segments whose live records this one took over.
    pub replaces: Vec<SegmentId>,
    /// Ranges that recovery found damaged.
    pub damaged: Vec<Range<u64>>,
}

impl Footer {
    /// Bytes that `entries` records add to a segment when it is sealed, and what the footer costs without them.
    #[must_use]
    pub fn bytes_for(entries: usize) -> u64 {
        (entries * ENTRY_BYTES + TRAILER_BYTES).next_multiple_of(PAGE_BYTES) as u64
    }

    /// The pages to write at `batches_end`.
    #[must_use]
    pub fn encode(&self) -> AlignedBuf {
        let mut pages = AlignedBuf::with_capacity(Self::bytes_for(self.entries.len()) as usize);
        for entry in &self.entries {
            pages.extend_from_slice(&entry.encode());
        }
        for segment in &self.replaces {
            pages.extend_from_slice(&u64::from(segment.0).to_le_bytes());
        }
        for range in &self.damaged {
            pages.extend_from_slice(&range.start.to_le_bytes());
            pages.extend_from_slice(&range.end.to_le_bytes());
        }
        let body = blake3::hash(pages.as_slice());
        pages.extend_from_slice(&[0; TRAILER_BYTES]);
        pages.pad_to(PAGE_BYTES);
        let mut trailer = [0; TRAILER_BYTES];
        trailer[..8].copy_from_slice(&MAGIC);
        trailer[8..16].copy_from_slice(&u64::from(self.segment.0).to_le_bytes());
        trailer[16..24].copy_from_slice(&self.batches_end.to_le_bytes());
        trailer[24..28].copy_from_slice(&(self.entries.len() as u32).to_le_bytes());
        trailer[28..32].copy_from_slice(&(self.replaces.len() as u32).to_le_bytes());
        trailer[32..36].copy_from_slice(&(self.damaged.len() as u32).to_le_bytes());
        trailer[40..72].copy_from_slice(&self.chain.0);
        trailer[72..104].copy_from_slice(body.as_bytes());
        let crc = crc32c::crc32c(&trailer[..124]);
        trailer[124..].copy_from_slice(&crc.to_le_bytes());
        let at = pages.len() - TRAILER_BYTES;
        pages.as_mut_slice()[at..].copy_from_slice(&trailer);
        pages
    }

    /// Reads the footer of a file of `file_bytes`; `read` gives a range of it. `None` when there is none or any bit of
    /// it is wrong.
    pub fn decode(
        file_bytes: u64,
        read: impl Fn(u64, &mut [u8]) -> std::io::Result<()>,
    ) -> std::io::Result<Option<Self>> {
        let Some(trailer_at) = file_bytes.checked_sub(TRAILER_BYTES as u64) else { return Ok(None) };
        let mut trailer = [0; TRAILER_BYTES];
        read(trailer_at, &mut trailer)?;
        let u32_at = |at: usize| u32::from_le_bytes([trailer[at], trailer[at + 1], trailer[at + 2], trailer[at + 3]]);
        if trailer[..8] != MAGIC || crc32c::crc32c(&trailer[..124]) != u32_at(124) {
            return Ok(None);
        }
        let (numbers, _) = trailer.as_chunks::<8>();
        let (entries, replaces, damaged) = (u32_at(24) as usize, u32_at(28) as usize, u32_at(32) as usize);
        let batches_end = u64::from_le_bytes(numbers[2]);
        let body_bytes = entries * ENTRY_BYTES + replaces * 8 + damaged * 16;
        if batches_end.checked_add(body_bytes as u64).is_none_or(|end| end > trailer_at) {
            return Ok(None);
        }
        let mut body = vec![0; body_bytes];
        read(batches_end, &mut body)?;
        if blake3::hash(&body).as_bytes() != &trailer[72..104] {
            return Ok(None);
        }
        let (entry_bytes, rest) = body.split_at(entries * ENTRY_BYTES);
        let (replaced, ranges) = rest.split_at(replaces * 8);
        let numbered =
            |bytes: &[u8]| bytes.as_chunks::<8>().0.iter().map(|b| u64::from_le_bytes(*b)).collect::<Vec<_>>();
        let entries: Option<Vec<_>> = entry_bytes.as_chunks::<ENTRY_BYTES>().0.iter().map(Entry::decode).collect();
        let replaces: Result<Vec<_>, _> =
            numbered(replaced).into_iter().map(|number| u32::try_from(number).map(SegmentId)).collect();
        let (Some(entries), Ok(replaces), Ok(segment)) = (entries, replaces, u64::from_le_bytes(numbers[1]).try_into())
        else {
            return Ok(None);
        };
        let mut chain = [0; 32];
        chain.copy_from_slice(&trailer[40..72]);
        let damaged = numbered(ranges).as_chunks::<2>().0.iter().map(|pair| pair[0]..pair[1]).collect();
        Ok(Some(Self { segment: SegmentId(segment), batches_end, chain: Blake3(chain), entries, replaces, damaged }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_from(bytes: &[u8]) -> impl Fn(u64, &mut [u8]) -> std::io::Result<()> {
        |at, out| {
            let from = bytes.get(at as usize..at as usize + out.len()).ok_or(std::io::ErrorKind::UnexpectedEof)?;
            out.copy_from_slice(from);
            Ok(())
        }
    }

    #[test]
    fn a_footer_reads_back_and_no_changed_bit_passes() {
        let entry = |at: u64| Entry {
            digest_prefix: [at as u8; 8],
            sequence: at,
            offset: 4096 + at * 64,
            record_bytes: 128,
            kind: RecordKind::Known,
            effort: Effort::Raw,
            content_only: at == 1,
            raw_bytes: 77,
        };
        let footer = Footer {
            segment: SegmentId(3),
            batches_end: 8192,
            chain: Blake3([5; 32]),
            entries: (0..3).map(entry).collect(),
            replaces: vec![SegmentId(1), SegmentId(2)],
            damaged: vec![4096..8192, 12288..16384],
        };
        let mut file = vec![0; 8192];
        file.extend_from_slice(footer.encode().as_slice());
        let decode = |file: &[u8]| Footer::decode(file.len() as u64, read_from(file)).unwrap();
        assert_eq!(decode(&file), Some(footer));
        let body = 3 * ENTRY_BYTES + 2 * 8 + 2 * 16;
        let meaningful = (8192..8192 + body).chain(file.len() - TRAILER_BYTES..file.len());
        for at in meaningful {
            let mut changed = file.clone();
            changed[at] ^= 1;
            assert_eq!(decode(&changed), None, "byte {at}");
        }
        for cut in 0..file.len() {
            let _ = decode(&file[..cut]);
        }
    }
}
