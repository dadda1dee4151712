//! One segment as readers see it, active or sealed.

use super::SegmentId;
use super::footer::{Entry, Footer};
use super::record::{HEAD_BYTES, RecordFailure, RecordHead};
use crate::disk::ReadFile;
use crate::error::{Damage, ReadError};
use crate::pack::{BlockLen, BlockSource};
use model::Blake3;
use parking_lot::RwLock;
use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

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

/// Records of a segment that is being written: entry and full digest, in order of both offset and sequence.
type ActiveEntries = RwLock<Vec<(Entry, Blake3)>>;

enum Body {
    Active(ActiveEntries),
    Sealed(Footer),
}

/// A segment.
pub(crate) struct Segment {
    pub(crate) id: SegmentId,
    file: Arc<dyn ReadFile>,
    body: Body,
    /// Bytes of records that nobody needs any more.
    dead_bytes: AtomicU64,
}

impl Segment {
    pub(crate) fn active(id: SegmentId, file: Arc<dyn ReadFile>) -> Self {
        Self { id, file, body: Body::Active(RwLock::default()), dead_bytes: AtomicU64::new(0) }
    }

    /// Entries must be in order of sequence.
    pub(crate) fn sealed(id: SegmentId, file: Arc<dyn ReadFile>, footer: Footer) -> Self {
        Self { id, file, body: Body::Sealed(footer), dead_bytes: AtomicU64::new(0) }
    }

    /// Makes durable records visible.
    pub(crate) fn publish(&self, more: &[(Entry, Blake3)]) {
        match &self.body {
            Body::Active(entries) => entries.write().extend_from_slice(more),
            Body::Sealed(_) => unreachable!("a sealed segment never changes"),
        }
    }

    pub(crate) fn footer(&self) -> Option<&Footer> {
        match &self.body {
            Body::Active(_) => None,
            Body::Sealed(footer) => Some(footer),
        }
    }

    pub(crate) fn entries(&self) -> Vec<Entry> {
        match &self.body {
            Body::Active(entries) => entries.read().iter().map(|(entry, _)| *entry).collect(),
            Body::Sealed(footer) => footer.entries.clone(),
        }
    }

    /// Lowest and highest sequence, when there is any record.
    pub(crate) fn sequences(&self) -> Option<(u64, u64)> {
        let span = |first: Option<&Entry>, last: Option<&Entry>| Some((first?.sequence, last?.sequence));
        match &self.body {
            Body::Active(entries) => {
                let entries = entries.read();
                span(entries.first().map(|(entry, _)| entry), entries.last().map(|(entry, _)| entry))
            }
            Body::Sealed(footer) => span(footer.entries.first(), footer.entries.last()),
        }
    }

    /// The record with this sequence.
    pub(crate) fn entry(&self, sequence: u64) -> Option<Entry> {
        match &self.body {
            Body::Active(entries) => {
                let entries = entries.read();
                let at = entries.binary_search_by_key(&sequence, |(entry, _)| entry.sequence).ok()?;
                Some(entries[at].0)
            }
            Body::Sealed(footer) => {
                let at = footer.entries.binary_search_by_key(&sequence, |entry| entry.sequence).ok()?;
                Some(footer.entries[at])
            }
        }
    }

    /// The full digest of the record at `offset`, from memory where it is there.
    pub(crate) fn digest_at(&self, offset: u64) -> Result<Blake3, ReadError> {
        if let Body::Active(entries) = &self.body {
            let entries = entries.read();
            if let Ok(at) = entries.binary_search_by_key(&offset, |(entry, _)| entry.offset) {
                return Ok(entries[at].1);
            }
        }
        self.record(offset).map(|view| view.head.blake3)
    }

    pub(crate) fn file_bytes(&self) -> u64 {
        self.file.bytes()
    }

    pub(crate) fn add_dead(&self, bytes: u64) {
        self.dead_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn dead_bytes(&self) -> u64 {
        self.dead_bytes.load(Ordering::Relaxed)
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
        head.check(&before_payload).map_err(|failure| self.damaged(offset..offset + head.payload_at() as u64, failure))?;
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
            io::ErrorKind::UnexpectedEof => {
                self.damaged(offset..offset + out.len() as u64, RecordFailure::Truncated)
            }
            _ => ReadError::Io { segment: self.id.0, offset, message: error.to_string() },
        })
    }

    fn damaged(&self, range: Range<u64>, failure: RecordFailure) -> ReadError {
        ReadError::Damaged(Damage::at(self.id, range, failure.to_string()))
    }
}

/// The payload of one record of a segment.
pub(crate) struct Payload<'a> {
    pub(crate) segment: &'a Segment,
    pub(crate) start: u64,
}

impl BlockSource for Payload<'_> {
    fn payload(&self, from: u64, out: &mut [u8]) -> io::Result<()> {
        self.segment.file.read_at(self.start + from, out)
    }
}
