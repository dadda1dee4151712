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
