//! A batch: what one sync makes durable, all or nothing.
//!
//! Layout: head 64 bytes, records, zeroes, and in the last 64 bytes of the last page a trailer. The trailer's chain
//! covers the head and the checksums in every record's head, which cover everything else.

use super::SegmentId;
use super::header::StoreId;
use super::record::{HEAD_BYTES, RecordHead};
use crate::disk::{AlignedBuf, PAGE_BYTES};
use crate::segment::RECORD_ALIGN;

/// Bytes of a batch's head, and of its trailer.
pub const BATCH_HEAD_BYTES: usize = 64;
/// A batch is closed when it has grown to this; a single record may be larger.
pub const BATCH_BYTES_MAX: usize = 8 << 20;
/// What a batch costs besides its records: head, trailer, and the rest of a page.
pub const BATCH_OVERHEAD_BYTES: usize = 2 * BATCH_HEAD_BYTES + PAGE_BYTES;

const HEAD_MAGIC: [u8; 4] = *b"LZBH";
const TRAILER_MAGIC: [u8; 4] = *b"LZBT";

/// The head of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchHead {
    /// The segment it was written to.
    pub segment: SegmentId,
    /// The store it belongs to.
    pub store: StoreId,
    /// Number of the batch in its segment, from 0.
    pub number: u32,
    /// Records in it.
    pub records: u32,
    /// Bytes of the whole batch, a multiple of the page size.
    pub batch_bytes: u32,
    /// Everything in the segment before this offset was durable when the batch was written.
    pub durable_to: u64,
}

impl BatchHead {
    /// Layout: magic 4, zero 4, segment 8, store 16, number 4, records 4, bytes 4, zero 4, durable_to 8, zero 4,
    /// crc32c 4.
    fn encode(&self) -> [u8; BATCH_HEAD_BYTES] {
        let mut bytes = [0; BATCH_HEAD_BYTES];
        bytes[..4].copy_from_slice(&HEAD_MAGIC);
        bytes[8..16].copy_from_slice(&u64::from(self.segment.0).to_le_bytes());
        bytes[16..32].copy_from_slice(&self.store);
        bytes[32..36].copy_from_slice(&self.number.to_le_bytes());
        bytes[36..40].copy_from_slice(&self.records.to_le_bytes());
        bytes[40..44].copy_from_slice(&self.batch_bytes.to_le_bytes());
        bytes[48..56].copy_from_slice(&self.durable_to.to_le_bytes());
        let crc = crc32c::crc32c(&bytes[..60]);
        bytes[60..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// Reads a head; `None` when none starts here.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.first_chunk::<BATCH_HEAD_BYTES>()?;
        let u32_at = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        if bytes[..4] != HEAD_MAGIC || crc32c::crc32c(&bytes[..60]) != u32_at(60) {
            return None;
        }
        let (numbers, _) = bytes.as_chunks::<8>();
        let mut store = [0; 16];
        store.copy_from_slice(&bytes[16..32]);
        let head = Self {
            segment: SegmentId(u64::from_le_bytes(numbers[1]).try_into().ok()?),
            store,
            number: u32_at(32),
            records: u32_at(36),
            batch_bytes: u32_at(40),
            durable_to: u64::from_le_bytes(numbers[6]),
        };
        let bytes = head.batch_bytes as usize;
        (bytes.is_multiple_of(PAGE_BYTES) && bytes >= PAGE_BYTES).then_some(head)
    }
}

/// Layout of a trailer: magic 4, number 4, chain 4, zero 48, crc32c 4.
fn trailer(number: u32, chain: u32) -> [u8; BATCH_HEAD_BYTES] {
    let mut bytes = [0; BATCH_HEAD_BYTES];
    bytes[..4].copy_from_slice(&TRAILER_MAGIC);
    bytes[4..8].copy_from_slice(&number.to_le_bytes());
    bytes[8..12].copy_from_slice(&chain.to_le_bytes());
    let crc = crc32c::crc32c(&bytes[..60]);
    bytes[60..].copy_from_slice(&crc.to_le_bytes());
    bytes
}

/// Collects records and makes them a batch.
pub struct BatchBuilder {
    buffer: AlignedBuf,
    heads: Vec<u32>,
}

impl BatchBuilder {
    /// An empty batch in `buffer`.
    #[must_use]
    pub fn new(mut buffer: AlignedBuf) -> Self {
        buffer.clear();
        buffer.extend_from_slice(&[0; BATCH_HEAD_BYTES]);
        Self { buffer, heads: Vec::new() }
    }

    /// Whether it holds no record.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.heads.is_empty()
    }

    /// Bytes of the batch if it were closed now.
    #[must_use]
    pub fn bytes(&self) -> usize {
        (self.buffer.len() + BATCH_HEAD_BYTES).next_multiple_of(PAGE_BYTES)
    }

    /// Appends a record and gives its offset in the batch.
    pub fn push(&mut self, head: &RecordHead, meta: &[u8], table: &[u8], payload: &[u8]) -> usize {
        debug_assert_eq!(payload.len(), head.payload_bytes as usize);
        let at = self.buffer.len();
        let encoded = head.encode(meta, table);
        self.heads.push(u32::from_le_bytes([encoded[60], encoded[61], encoded[62], encoded[63]]));
        for piece in [&encoded[..], meta, table, payload] {
            self.buffer.extend_from_slice(piece);
        }
        self.buffer.pad_to(RECORD_ALIGN);
        debug_assert_eq!(self.buffer.len() - at, head.record_bytes());
        at
    }

    /// Gives the buffer up for another batch.
    #[must_use]
    pub fn into_buffer(self) -> AlignedBuf {
        self.buffer
    }

    /// Closes the batch. The second value is the chain that the trailer carries.
    #[must_use]
    pub fn close(mut self, segment: SegmentId, store: StoreId, number: u32, durable_to: u64) -> (AlignedBuf, u32) {
        let batch_bytes = self.bytes();
        let head = BatchHead {
            segment,
            store,
            number,
            records: self.heads.len() as u32,
            batch_bytes: batch_bytes as u32,
            durable_to,
        }
        .encode();
        let chain = chain(&head, self.heads.iter().copied());
        self.buffer.extend_from_slice(&[0; BATCH_HEAD_BYTES]);
        self.buffer.pad_to(PAGE_BYTES);
        debug_assert_eq!(self.buffer.len(), batch_bytes);
        let bytes = self.buffer.as_mut_slice();
        bytes[..BATCH_HEAD_BYTES].copy_from_slice(&head);
        bytes[batch_bytes - BATCH_HEAD_BYTES..].copy_from_slice(&trailer(number, chain));
        (self.buffer, chain)
    }
}

fn chain(head: &[u8], record_crcs: impl Iterator<Item = u32>) -> u32 {
    record_crcs.fold(crc32c::crc32c(head), |chain, crc| crc32c::crc32c_append(chain, &crc.to_le_bytes()))
}

/// A batch that was read whole and found complete.
#[derive(Debug)]
pub struct Batch {
    /// Its head.
    pub head: BatchHead,
    /// Each record's head and offset in the batch.
    pub records: Vec<(RecordHead, usize)>,
    /// The chain in its trailer.
    pub chain: u32,
}

impl Batch {
    /// Reads the batch at the front of `bytes`, checking every checksum; `None` unless all of it is as it was written.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let head = BatchHead::decode(bytes)?;
        let bytes = bytes.get(..head.batch_bytes as usize)?;
        let (body, closing) = bytes.split_at(bytes.len() - BATCH_HEAD_BYTES);
        let mut at = BATCH_HEAD_BYTES;
        let mut crcs = Vec::new();
        let mut records = Vec::new();
        for _ in 0..head.records {
            let record = record_at(body, at)?;
            crcs.push(u32::from_le_bytes(body.get(at + 60..at + 64)?.try_into().ok()?));
            records.push((record, at));
            at += record.record_bytes();
        }
        let chain = chain(&bytes[..BATCH_HEAD_BYTES], crcs.into_iter());
        (closing == trailer(head.number, chain)).then_some(Self { head, records, chain })
    }
}

/// The record at `at`, if head and payload are as they were written.
pub(crate) fn record_at(bytes: &[u8], at: usize) -> Option<RecordHead> {
    let rest = bytes.get(at..)?;
    let head = RecordHead::decode(rest).ok()?;
    head.check(rest).ok()?;
    let payload = rest.get(head.payload_at()..head.payload_at() + head.payload_bytes as usize)?;
    (crc32c::crc32c(payload) == head.payload_crc).then_some(head)
}

/// The record's head at `at`, whatever has become of its payload.
pub(crate) fn head_at(bytes: &[u8], at: usize) -> Option<RecordHead> {
    let rest = bytes.get(at..)?;
    let head = RecordHead::decode(rest).ok()?;
    head.check(rest.get(..head.payload_at().max(HEAD_BYTES))?).ok()?;
    Some(head)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pack::Effort;
    use crate::segment::record::RecordKind;
    use model::{Blake3, Sha256};

    fn batch(payloads: &[&[u8]]) -> AlignedBuf {
        let mut builder = BatchBuilder::new(AlignedBuf::default());
        for (at, payload) in payloads.iter().enumerate() {
            let head = RecordHead {
                kind: RecordKind::Sample,
                effort: Effort::Usual,
                content_only: false,
                single_raw: true,
                sequence: at as u64,
                raw_bytes: payload.len() as u64,
                meta_bytes: 3,
                blocks: 1,
                payload_bytes: payload.len() as u32,
                payload_crc: crc32c::crc32c(payload),
                salt: [at as u8; 16],
                blake3: Blake3([1; 32]),
                sha256: Sha256([2; 32]),
            };
            builder.push(&head, b"abc", &[], payload);
        }
        builder.close(SegmentId(7), [3; 16], 9, 4096).0
    }

    #[test]
    fn a_batch_reads_back_and_every_truncation_is_refused() {
        let bytes = batch(&[b"", b"one", &[9; 5000]]);
        let read = Batch::decode(bytes.as_slice()).unwrap();
        assert_eq!((read.head.segment, read.head.number, read.head.durable_to), (SegmentId(7), 9, 4096));
        let sequences: Vec<_> = read.records.iter().map(|(head, _)| head.sequence).collect();
        assert_eq!(sequences, [0, 1, 2]);
        for cut in 0..bytes.len() {
            assert!(Batch::decode(&bytes.as_slice()[..cut]).is_none(), "cut at {cut}");
        }
    }

    #[test]
    fn a_batch_with_any_bit_changed_is_refused_unless_the_bit_is_padding() {
        let bytes = batch(&[b"one", b"two"]);
        let whole = bytes.as_slice().to_vec();
        let body_end = BATCH_HEAD_BYTES + 2 * (HEAD_BYTES + 6_usize).next_multiple_of(RECORD_ALIGN);
        for at in 0..whole.len() {
            let padding = (BATCH_HEAD_BYTES..whole.len() - BATCH_HEAD_BYTES).contains(&at)
                && (at >= body_end || (at - BATCH_HEAD_BYTES) % 192 >= HEAD_BYTES + 6);
            for bit in 0..8 {
                let mut changed = whole.clone();
                changed[at] ^= 1 << bit;
                assert_eq!(Batch::decode(&changed).is_some(), padding, "byte {at} bit {bit}");
            }
        }
    }
}
