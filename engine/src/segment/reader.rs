//! One segment as readers see it, active or sealed.

use super::SegmentId;
use super::footer::{ENTRY_BYTES, Entry, Footer};
use super::record::{HEAD_BYTES, RecordFailure, RecordHead, RecordKind};
use crate::disk::ReadFile;
use crate::error::{Damage, ReadError};
use crate::pack::{BlockLen, Digests, Effort};
use parking_lot::RwLock;
use std::cmp::Ordering;
use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

/// A record's head and what follows it, up to the payload.
#[derive(Debug, Clone)]
pub(crate) struct RecordView {
    pub(crate) head: RecordHead,
    pub(crate) offset: u64,
    before_payload: Vec<u8>,
}

impl RecordView {
    pub(crate) fn meta(&self) -> &[u8] {
        &self.before_payload[HEAD_BYTES..HEAD_BYTES + usize::from(self.head.meta_bytes)]
    }

    pub(crate) fn table_bytes(&self) -> &[u8] {
        &self.before_payload[HEAD_BYTES + usize::from(self.head.meta_bytes)..]
    }

    pub(crate) fn table(&self) -> Result<Vec<BlockLen>, RecordFailure> {
        self.head.table(&self.before_payload)
    }
}

/// What brought content into an active segment: offset, digests, plain bytes. Kept in memory, so that a duplicate of a
/// fresh sample needs no read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fresh {
    pub(crate) offset: u64,
    pub(crate) digests: Digests,
    pub(crate) raw_bytes: u64,
}

#[derive(Default)]
struct Active {
    /// In order of both offset and sequence.
    entries: Vec<Entry>,
    /// In order of offset.
    fresh: Vec<Fresh>,
}

/// What is kept in memory of a sealed segment; its entries stay in the file.
#[derive(Debug, Clone)]
pub(crate) struct Sealed {
    pub(crate) batches_end: u64,
    pub(crate) entries: usize,
    pub(crate) sequences: Option<(u64, u64)>,
}

impl From<&Footer> for Sealed {
    fn from(footer: &Footer) -> Self {
        Self { batches_end: footer.batches_end, entries: footer.entries.len(), sequences: span(&footer.entries) }
    }
}

fn span(entries: &[Entry]) -> Option<(u64, u64)> {
    Some((entries.first()?.sequence, entries.last()?.sequence))
}

enum Body {
    Active(RwLock<Active>),
    Sealed(Sealed),
}

/// A segment.
pub(crate) struct Segment {
    pub(crate) id: SegmentId,
    file: Arc<dyn ReadFile>,
    body: Body,
    /// Bytes of records that nobody needs any more.
    dead_bytes: AtomicU64,
    /// Rewriting it failed; it is not tried again before the next start.
    left_alone: AtomicBool,
    /// All its content is compressed for good, as far as was looked.
    finished: OnceLock<bool>,
}

impl Segment {
    pub(crate) fn active(id: SegmentId, file: Arc<dyn ReadFile>) -> Self {
        Self {
            id,
            file,
            body: Body::Active(RwLock::default()),
            dead_bytes: AtomicU64::new(0),
            left_alone: AtomicBool::new(false),
            finished: OnceLock::new(),
        }
    }

    /// The footer's entries must be in order of sequence.
    pub(crate) fn sealed(id: SegmentId, file: Arc<dyn ReadFile>, sealed: Sealed) -> Self {
        Self {
            id,
            file,
            body: Body::Sealed(sealed),
            dead_bytes: AtomicU64::new(0),
            left_alone: AtomicBool::new(false),
            finished: OnceLock::new(),
        }
    }

    /// Makes durable records visible.
    pub(crate) fn publish(&self, entries: &[Entry], fresh: &[Fresh]) {
        match &self.body {
            Body::Active(active) => {
                let mut active = active.write();
                active.entries.extend_from_slice(entries);
                active.fresh.extend_from_slice(fresh);
            }
            Body::Sealed(_) => unreachable!("a sealed segment never changes"),
        }
    }

    pub(crate) fn as_sealed(&self) -> Option<&Sealed> {
        match &self.body {
            Body::Active(_) => None,
            Body::Sealed(sealed) => Some(sealed),
        }
    }

    /// All entries, in order of sequence.
    pub(crate) fn entries(&self) -> Result<Vec<Entry>, ReadError> {
        match &self.body {
            Body::Active(active) => Ok(active.read().entries.clone()),
            Body::Sealed(sealed) => {
                let mut bytes = vec![0; sealed.entries * ENTRY_BYTES];
                self.read(sealed.batches_end, &mut bytes)?;
                let entries: Option<Vec<_>> = bytes.as_chunks::<ENTRY_BYTES>().0.iter().map(Entry::decode).collect();
                let range = sealed.batches_end..sealed.batches_end + bytes.len() as u64;
                entries
                    .ok_or_else(|| ReadError::Damaged(Damage::at(self.id, range, "the footer's entries do not read")))
            }
        }
    }

    /// Lowest and highest sequence, when there is any record.
    pub(crate) fn sequences(&self) -> Option<(u64, u64)> {
        match &self.body {
            Body::Active(active) => span(&active.read().entries),
            Body::Sealed(sealed) => sealed.sequences,
        }
    }

    /// The record with this sequence.
    pub(crate) fn entry(&self, sequence: u64) -> Option<Entry> {
        match &self.body {
            Body::Active(active) => {
                let active = active.read();
                let at = active.entries.binary_search_by_key(&sequence, |entry| entry.sequence).ok()?;
                Some(active.entries[at])
            }
            Body::Sealed(sealed) => {
                let (mut low, mut high) = (0, sealed.entries);
                while low < high {
                    let middle = low + (high - low) / 2;
                    let mut bytes = [0; ENTRY_BYTES];
                    self.read(sealed.batches_end + (middle * ENTRY_BYTES) as u64, &mut bytes).ok()?;
                    let entry = Entry::decode(&bytes)?;
                    match entry.sequence.cmp(&sequence) {
                        Ordering::Equal => return Some(entry),
                        Ordering::Less => low = middle + 1,
                        Ordering::Greater => high = middle,
                    }
                }
                None
            }
        }
    }

    /// What the record at `offset` brought, from memory where it is there.
    pub(crate) fn fresh(&self, offset: u64) -> Result<Fresh, ReadError> {
        if let Body::Active(active) = &self.body {
            let active = active.read();
            if let Ok(at) = active.fresh.binary_search_by_key(&offset, |fresh| fresh.offset) {
                return Ok(active.fresh[at]);
            }
        }
        let head = self.record(offset)?.head;
        let digests = Digests { blake3: head.blake3, sha256: head.sha256 };
        Ok(Fresh { offset, digests, raw_bytes: head.raw_bytes })
    }

    pub(crate) fn file_bytes(&self) -> u64 {
        self.file.bytes()
    }

    pub(crate) fn add_dead(&self, bytes: u64) {
        self.dead_bytes.fetch_add(bytes, Relaxed);
    }

    pub(crate) fn dead_bytes(&self) -> u64 {
        self.dead_bytes.load(Relaxed)
    }

    pub(crate) fn leave_alone(&self) {
        self.left_alone.store(true, Relaxed);
    }

    pub(crate) fn is_left_alone(&self) -> bool {
        self.left_alone.load(Relaxed)
    }

    /// Whether the finish pass has nothing to do here. Of a sealed segment; it is looked up once.
    pub(crate) fn is_finished(&self) -> bool {
        *self.finished.get_or_init(|| {
            let unfinished = |entry: &Entry| {
                matches!(entry.kind, RecordKind::Sample | RecordKind::Large) && entry.effort < Effort::Final
            };
            self.entries().is_ok_and(|entries| !entries.iter().any(unfinished))
        })
    }

    /// The finish pass can do no more here, before the next start.
    pub(crate) fn call_finished(&self) {
        let _ = self.finished.set(true);
    }

    /// Reads a record up to its payload and checks the head's checksum.
    pub(crate) fn record(&self, offset: u64) -> Result<RecordView, ReadError> {
        let mut head_bytes = [0; HEAD_BYTES];
        self.read(offset, &mut head_bytes)?;
        let range = offset..offset + HEAD_BYTES as u64;
        let head = RecordHead::decode(&head_bytes).map_err(|failure| self.damaged(range.clone(), failure))?;
        let mut before_payload = vec![0; head.payload_at()];
        before_payload[..HEAD_BYTES].copy_from_slice(&head_bytes);
        self.read(range.end, &mut before_payload[HEAD_BYTES..])?;
        head.check(&before_payload)
            .map_err(|failure| self.damaged(offset..offset + head.payload_at() as u64, failure))?;
        Ok(RecordView { head, offset, before_payload })
    }

    /// Reads a record's payload and checks its checksum.
    pub(crate) fn payload(&self, view: &RecordView) -> Result<Vec<u8>, ReadError> {
        let start = view.offset + view.head.payload_at() as u64;
        let mut payload = vec![0; view.head.payload_bytes as usize];
        self.read(start, &mut payload)?;
        if crc32c::crc32c(&payload) == view.head.payload_crc {
            return Ok(payload);
        }
        let range = view.offset..view.offset + view.head.record_bytes() as u64;
        let damage = Damage::at(self.id, range, RecordFailure::PayloadChecksum.to_string());
        Err(ReadError::Damaged(damage.of_sample(view.head.blake3, view.head.sequence)))
    }

    /// Reads raw bytes.
    pub(crate) fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), ReadError> {
        self.file.read_at(offset, out).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => self.damaged(offset..offset + out.len() as u64, RecordFailure::Truncated),
            _ => ReadError::Io { segment: self.id.0, offset, message: error.to_string() },
        })
    }

    fn damaged(&self, range: Range<u64>, failure: RecordFailure) -> ReadError {
        ReadError::Damaged(Damage::at(self.id, range, failure.to_string()))
    }
}
