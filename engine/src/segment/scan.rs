//! Reading a segment that was not sealed: which batches were acknowledged, what is torn, what is damaged.
//!
//! A gap is damage only if a later batch claims durability at or past it: acknowledged data was there, so nothing is
//! cut, the range is named, and what still reads on both sides stays. Otherwise the gap is the torn tail of a write
//! that nobody was told of, and the segment ends before it.

use super::batch::{Batch, BatchHead, head_at, record_at};
use super::footer::Entry;
use super::header::{HEADER_BYTES, SegmentHeader};
use super::record::RecordHead;
use super::{RECORD_ALIGN, SegmentId};
use crate::disk::PAGE_BYTES;
use model::Blake3;
use std::ops::Range;

/// What a scan found.
#[derive(Debug, Clone)]
pub struct Scan {
    /// Records, in order of their offset.
    pub entries: Vec<Entry>,
    /// Records whose content does not match its checksum: offset and digest.
    pub broken: Vec<(u64, Blake3)>,
    /// Ranges in which acknowledged data is damaged.
    pub damaged: Vec<Range<u64>>,
    /// End of what was acknowledged or may have been.
    pub end: u64,
    /// Bytes of a batch that was never complete, after `end`.
    pub torn_bytes: u64,
    /// Digest over header and chains, for the footer.
    pub chain: SegmentChain,
}

/// Digest over a segment's header and the chain of each of its batches.
#[derive(Debug, Clone)]
pub struct SegmentChain(blake3::Hasher);

impl SegmentChain {
    /// Starts with the segment's header.
    #[must_use]
    pub fn new(header: &SegmentHeader) -> Self {
        Self::from_bytes(&header.encode())
    }

    fn from_bytes(header: &[u8]) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(header);
        Self(hasher)
    }

    /// Adds a batch.
    pub fn add(&mut self, chain: u32) {
        self.0.update(&chain.to_le_bytes());
    }

    /// The digest so far.
    #[must_use]
    pub fn digest(&self) -> Blake3 {
        Blake3(*self.0.finalize().as_bytes())
    }
}

/// Scans the bytes of a segment file, its header page included.
#[must_use]
pub fn scan(bytes: &[u8], header: &SegmentHeader) -> Scan {
    let mut found = Scan {
        entries: Vec::new(),
        broken: Vec::new(),
        damaged: Vec::new(),
        end: PAGE_BYTES as u64,
        torn_bytes: 0,
        chain: SegmentChain::from_bytes(bytes.get(..HEADER_BYTES).unwrap_or_default()),
    };
    let mut at = PAGE_BYTES;
    let mut next_number = 0;
    while at < bytes.len() {
        if let Some(batch) = batch_at(bytes, at, header, next_number) {
            found.entries.extend(batch.records.iter().map(|(head, offset)| Entry::of(head, (at + offset) as u64)));
            found.chain.add(batch.chain);
            next_number = batch.head.number + 1;
            at += batch.head.batch_bytes as usize;
            found.end = at as u64;
            continue;
        }
        let Some(later) = claim_after(bytes, at, header, next_number) else { break };
        salvage(bytes, at..later, &mut found);
        found.damaged.push(at as u64..later as u64);
        at = later;
    }
    let end = found.end as usize;
    found.torn_bytes =
        bytes[end.min(bytes.len())..].iter().rposition(|byte| *byte != 0).map_or(0, |last| last as u64 + 1);
    found
}

fn batch_at(bytes: &[u8], at: usize, header: &SegmentHeader, number_from: u32) -> Option<Batch> {
    let head = ours(bytes, at, header)?;
    if head.number < number_from {
        return None;
    }
    Batch::decode(&bytes[at..])
}

fn ours(bytes: &[u8], at: usize, header: &SegmentHeader) -> Option<BatchHead> {
    let head = BatchHead::decode(bytes.get(at..)?)?;
    (head.segment == header.segment && head.store == header.store).then_some(head)
}

/// The next complete batch after `gap` that says the gap was durable when it was written.
fn claim_after(bytes: &[u8], gap: usize, header: &SegmentHeader, number_from: u32) -> Option<usize> {
    (gap + PAGE_BYTES..bytes.len())
        .step_by(PAGE_BYTES)
        .find(|at| batch_at(bytes, *at, header, number_from).is_some_and(|batch| batch.head.durable_to > gap as u64))
}

/// Collects the records that still have a readable head inside a damaged range.
pub(crate) fn salvage(bytes: &[u8], range: Range<usize>, found: &mut Scan) {
    let inside = &bytes[..range.end];
    for (head, at) in heads_in(bytes, range) {
        if record_at(inside, at).is_none() {
            found.broken.push((at as u64, head.blake3));
        }
        found.entries.push(Entry::of(&head, at as u64));
    }
}

/// The records of a range whose heads still read, with their offsets.
pub(crate) fn heads_in(bytes: &[u8], range: Range<usize>) -> Vec<(RecordHead, usize)> {
    let inside = &bytes[..range.end];
    let mut heads = Vec::new();
    let mut at = range.start;
    while at < range.end {
        match head_at(inside, at) {
            Some(head) => {
                heads.push((head, at));
                at += head.record_bytes();
            }
            None => at += RECORD_ALIGN,
        }
    }
    heads
}

/// The segment that a file's first page names, if it is one of this store and bears the right number.
#[must_use]
pub fn header_of(bytes: &[u8], store: &[u8; 16], segment: SegmentId) -> Option<SegmentHeader> {
    SegmentHeader::decode(bytes).filter(|header| header.store == *store && header.segment == segment)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::AlignedBuf;
    use crate::pack::Effort;
    use crate::segment::SegmentId;
    use crate::segment::batch::BatchBuilder;
    use crate::segment::header::SegmentKind;
    use crate::segment::record::RecordKind;
    use model::Sha256;

    const HEADER: SegmentHeader =
        SegmentHeader { store: [3; 16], segment: SegmentId(7), kind: SegmentKind::Lane, created_at_ms: 0 };

    /// One record in a batch that says it belongs to `segment` of `store` under `number`.
    fn batch(segment: SegmentId, store: [u8; 16], number: u32, durable_to: u64) -> Vec<u8> {
        let payload = [9; 100];
        let head = RecordHead {
            kind: RecordKind::Sample,
            effort: Effort::Usual,
            content_only: false,
            single_raw: true,
            sequence: u64::from(number),
            raw_bytes: 100,
            meta_bytes: 0,
            blocks: 1,
            payload_bytes: 100,
            payload_crc: crc32c::crc32c(&payload),
            salt: [1; 16],
            blake3: Blake3([1; 32]),
            sha256: Sha256([2; 32]),
        };
        let mut builder = BatchBuilder::new(AlignedBuf::default());
        builder.push(&head, &[], &[], &payload);
        builder.close(segment, store, number, durable_to).0.as_slice().to_vec()
    }

    /// Scans a segment that begins with the batches 0 and 1 of its own, and goes on with `rest`.
    fn scan_before(rest: &[u8]) -> Scan {
        let mut bytes = HEADER.page().as_slice().to_vec();
        for number in 0..2 {
            let durable_to = bytes.len() as u64;
            bytes.extend(batch(HEADER.segment, HEADER.store, number, durable_to));
        }
        bytes.extend_from_slice(rest);
        scan(&bytes, &HEADER)
    }

    #[test]
    fn the_next_batch_of_the_segment_is_taken() {
        let own = batch(HEADER.segment, HEADER.store, 2, 0);
        assert_eq!(scan_before(&own).entries.len(), 3);
    }

    #[test]
    fn a_batch_of_another_segment_or_store_or_an_older_one_ends_the_segment() {
        let strangers = [
            ("another segment", batch(SegmentId(8), HEADER.store, 2, 0)),
            ("another store", batch(HEADER.segment, [4; 16], 2, 0)),
            ("an older batch", batch(HEADER.segment, HEADER.store, 1, 0)),
        ];
        for (what, stranger) in strangers {
            let found = scan_before(&stranger);
            assert_eq!((found.entries.len(), found.damaged.len()), (2, 0), "{what}");
            assert!(found.torn_bytes > 0, "{what} is reported as cut");
        }
    }

    #[test]
    fn only_the_segments_own_batches_claim_that_a_gap_was_durable() {
        let gap_at = scan_before(&[]).end;
        let gap = vec![0xee; PAGE_BYTES];
        let own = [gap.clone(), batch(HEADER.segment, HEADER.store, 3, gap_at + PAGE_BYTES as u64)].concat();
        let found = scan_before(&own);
        assert_eq!((found.entries.len(), found.damaged.len()), (3, 1), "its own later batch proves damage");
        let foreign = [gap, batch(HEADER.segment, [4; 16], 3, gap_at + PAGE_BYTES as u64)].concat();
        let found = scan_before(&foreign);
        assert_eq!((found.entries.len(), found.damaged.len()), (2, 0), "a stranger's proves nothing");
    }
}
