//! What waits for the lane, and a batch of it while it is being put together.

use crate::catalogue::{Change, Entry as CatalogueEntry};
use crate::disk::AlignedBuf;
use crate::error::SubmitError;
use crate::large::Discard;
use crate::pack::{Digests, Effort, Packed, Salt};
use crate::pool::Buffer;
use crate::quota::Permit;
use crate::retry::Remembered;
use crate::segment::SegmentId;
use crate::segment::batch::BatchBuilder;
use crate::segment::record::{RecordHead, RecordKind};
use crate::shared::Known;
use model::{Arrival, Blake3, ItemId, RawBytes, RetryKey, SampleId, Sha256, StoredBytes};
use std::collections::HashMap;
use std::time::Instant;

/// Proof that an arrival is durable; only the lane makes one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    /// The item.
    pub item: ItemId,
    /// Its sample.
    pub sample: SampleId,
    /// The sample's address.
    pub blake3: Blake3,
    /// The digest the field exchanges.
    pub sha256: Sha256,
    /// Plain bytes.
    pub raw: RawBytes,
    /// Bytes on disk.
    pub stored: StoredBytes,
    /// The content was here already.
    pub duplicate: bool,
    /// The retry key was remembered: this is the item of the earlier attempt.
    pub repeated: bool,
}

/// How an arrival ended.
pub type Outcome = Result<Stored, SubmitError>;
/// Called once, from an engine thread, when it has ended.
pub type Done = Box<dyn FnOnce(Outcome) + Send>;

/// A large sample's file, removed again unless the lane keeps it.
pub(crate) struct LargeContent {
    pub(crate) file: SegmentId,
    pub(crate) closing_at: u64,
    pub(crate) stored_bytes: u64,
    pub(crate) effort: Effort,
    pub(crate) discard: Option<Discard>,
}

/// An arrival on its way to the log.
pub(crate) struct Coming {
    pub(crate) digests: Digests,
    pub(crate) raw_bytes: u64,
    pub(crate) arrival: Arrival,
    pub(crate) permit: Permit,
    pub(crate) submitted: Instant,
    pub(crate) done: Done,
}

/// Where an arrival's content is.
pub(crate) enum Content {
    /// Packed just now.
    Packed(Packed),
    /// In a file of its own.
    Large(LargeContent),
    /// Stored before. Without the body the sample is pinned.
    Here { known: Known, body: Option<Buffer> },
}

/// An item to delete, as its record tells it.
#[derive(Debug, Clone)]
pub(crate) struct Doomed {
    pub(crate) item: ItemId,
    pub(crate) client: String,
    pub(crate) record_bytes: u64,
    pub(crate) kind: RecordKind,
}

/// Work for the lane.
pub(crate) enum Work {
    Arrive(Box<Coming>, Content),
    Delete {
        items: Vec<Doomed>,
        who: String,
        at_ms: i64,
        done: Box<dyn FnOnce(Result<(), SubmitError>) + Send>,
    },
    /// Drop a sample's content, if nothing has come to rely on it.
    Tombstone {
        digest: Blake3,
        sample: SampleId,
        done: Box<dyn FnOnce(Result<bool, SubmitError>) + Send>,
    },
    /// Everything before this is in the log: answers with the last sequence. `seal` closes the active segment.
    Barrier {
        seal: bool,
        done: Box<dyn FnOnce(Result<u64, SubmitError>) + Send>,
    },
    Stop,
}

/// What follows once the batch is durable.
pub(super) enum After {
    Arrived {
        placed: Placed,
        coming: Box<Coming>,
        how: How,
    },
    /// The same key was placed earlier, in this batch or before.
    Repeated {
        remembered: Remembered,
        stored_bytes: u64,
        coming: Box<Coming>,
    },
    Deleted {
        placed: Placed,
        items: Vec<Doomed>,
        who: String,
        at_ms: i64,
        done: Box<dyn FnOnce(Result<(), SubmitError>) + Send>,
    },
    Dropped {
        placed: Placed,
        digest: Blake3,
        sample: SampleId,
        done: Box<dyn FnOnce(Result<bool, SubmitError>) + Send>,
    },
    Passed {
        seal: bool,
        done: Box<dyn FnOnce(Result<u64, SubmitError>) + Send>,
    },
}

/// A record in the batch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Placed {
    pub(super) head: RecordHead,
    pub(super) at: usize,
}

/// How an arrival's content came to be there.
pub(super) enum How {
    New { effort: Effort },
    NewLarge(LargeContent),
    Known { sample: SampleId, stored_bytes: u64, unpin: bool },
}

/// A batch being put together.
pub(super) struct Batch {
    pub(super) builder: BatchBuilder,
    pub(super) first_sequence: u64,
    pub(super) next_sequence: u64,
    pub(super) after: Vec<After>,
    /// Samples placed in this batch: a second copy joins the first.
    fresh: HashMap<Blake3, (SampleId, u64)>,
    keys: HashMap<RetryKey, (Remembered, u64)>,
    meta: Vec<u8>,
}

impl Batch {
    pub(super) fn new(buffer: AlignedBuf, next_sequence: u64) -> Self {
        Self {
            builder: BatchBuilder::new(buffer),
            first_sequence: next_sequence,
            next_sequence,
            after: Vec::new(),
            fresh: HashMap::new(),
            keys: HashMap::new(),
            meta: Vec::new(),
        }
    }

    pub(super) fn records(&self) -> usize {
        (self.next_sequence - self.first_sequence) as usize
    }

    /// The sample placed in this batch under a digest, with its stored bytes.
    pub(super) fn fresh(&self, digest: &Blake3) -> Option<(SampleId, u64)> {
        self.fresh.get(digest).copied()
    }

    /// The arrival placed in this batch under a key, with its stored bytes.
    pub(super) fn keyed(&self, key: &RetryKey) -> Option<(Remembered, u64)> {
        self.keys.get(key).copied()
    }

    fn sequence(&mut self) -> u64 {
        let sequence = self.next_sequence;
        self.next_sequence += 1;
        sequence
    }

    /// Places an arrival.
    pub(super) fn arrive(&mut self, coming: Box<Coming>, content: Placing) {
        let sequence = self.sequence();
        self.meta.clear();
        coming.arrival.encode(&mut self.meta);
        let blank = RecordHead {
            kind: RecordKind::Sample,
            effort: Effort::Raw,
            content_only: false,
            single_raw: false,
            sequence,
            raw_bytes: coming.raw_bytes,
            meta_bytes: self.meta.len() as u16,
            blocks: 0,
            payload_bytes: 0,
            payload_crc: 0,
            salt: Salt::default(),
            blake3: coming.digests.blake3,
            sha256: coming.digests.sha256,
        };
        let (head, at, how) = match content {
            Placing::Packed(packed) => {
                let head = RecordHead {
                    effort: packed.effort,
                    single_raw: packed.blocks.len() == 1 && packed.blocks[0].is_raw(),
                    blocks: packed.blocks.len() as u32,
                    payload_bytes: packed.payload.len() as u32,
                    payload_crc: packed.payload_crc,
                    salt: packed.salt,
                    ..blank
                };
                let table: Vec<u8> = match packed.blocks.as_slice() {
                    [_] => Vec::new(),
                    blocks => blocks.iter().flat_map(|block| block.0.to_le_bytes()).collect(),
                };
                let at = self.builder.push(&head, &self.meta, &table, &packed.payload);
                (head, at, How::New { effort: packed.effort })
            }
            Placing::Large(large) => {
                let salt = RecordHead::linked(u64::from(large.file.0), large.closing_at);
                let head = RecordHead { kind: RecordKind::Large, effort: large.effort, salt, ..blank };
                let at = self.builder.push(&head, &self.meta, &[], &[]);
                (head, at, How::NewLarge(large))
            }
            Placing::Known { sample, stored_bytes, unpin } => {
                let head = RecordHead { kind: RecordKind::Known, salt: RecordHead::linked(sample.0, 0), ..blank };
                let at = self.builder.push(&head, &self.meta, &[], &[]);
                (head, at, How::Known { sample, stored_bytes, unpin })
            }
        };
        let (sample, stored_bytes) = match &how {
            How::New { .. } => (SampleId(sequence), head.record_bytes() as u64),
            How::NewLarge(large) => (SampleId(sequence), large.stored_bytes),
            How::Known { sample, stored_bytes, .. } => (*sample, *stored_bytes),
        };
        if head.kind.brings_content() {
            self.fresh.insert(coming.digests.blake3, (sample, stored_bytes));
        }
        if let Some(key) = coming.arrival.retry_key {
            let remembered = Remembered::new(ItemId(sequence), sample, &coming.digests.blake3);
            self.keys.insert(key, (remembered, stored_bytes));
        }
        self.after.push(After::Arrived { placed: Placed { head, at }, coming, how });
    }

    /// Places a deletion.
    pub(super) fn delete(
        &mut self,
        items: Vec<Doomed>,
        who: String,
        at_ms: i64,
        done: Box<dyn FnOnce(Result<(), SubmitError>) + Send>,
    ) {
        let payload: Vec<u8> = items.iter().flat_map(|doomed| doomed.item.0.to_le_bytes()).collect();
        let salt = RecordHead::linked(at_ms as u64, 0);
        let placed = self.note(RecordKind::Deletion, Blake3([0; 32]), salt, who.as_bytes(), &payload);
        self.after.push(After::Deleted { placed, items, who, at_ms, done });
    }

    /// Places a tombstone.
    pub(super) fn tombstone(
        &mut self,
        digest: Blake3,
        sample: SampleId,
        done: Box<dyn FnOnce(Result<bool, SubmitError>) + Send>,
    ) {
        let placed = self.note(RecordKind::Tombstone, digest, RecordHead::linked(sample.0, 0), &[], &[]);
        self.after.push(After::Dropped { placed, digest, sample, done });
    }

    fn note(&mut self, kind: RecordKind, blake3: Blake3, salt: Salt, meta: &[u8], payload: &[u8]) -> Placed {
        let head = RecordHead {
            kind,
            effort: Effort::Raw,
            content_only: false,
            single_raw: true,
            sequence: self.sequence(),
            raw_bytes: 0,
            meta_bytes: meta.len() as u16,
            blocks: 0,
            payload_bytes: payload.len() as u32,
            payload_crc: crc32c::crc32c(payload),
            salt,
            blake3,
            sha256: Sha256([0; 32]),
        };
        let at = self.builder.push(&head, meta, &[], payload);
        Placed { head, at }
    }
}

/// What the lane decided to place.
pub(super) enum Placing {
    Packed(Packed),
    Large(LargeContent),
    Known { sample: SampleId, stored_bytes: u64, unpin: bool },
}

impl After {
    /// Answers that it came to nothing.
    pub(super) fn fail(self, error: &SubmitError) {
        match self {
            Self::Arrived { coming, .. } | Self::Repeated { coming, .. } => {
                let Coming { done, permit, .. } = *coming;
                drop(permit);
                done(Err(error.clone()));
            }
            Self::Deleted { done, .. } => done(Err(error.clone())),
            Self::Dropped { done, .. } => done(Err(error.clone())),
            Self::Passed { done, .. } => done(Err(error.clone())),
        }
    }
}

impl Work {
    /// Answers that it came to nothing, before it was placed.
    pub(crate) fn fail(self, error: &SubmitError) {
        match self {
            Self::Arrive(coming, _) => {
                let Coming { done, permit, .. } = *coming;
                drop(permit);
                done(Err(error.clone()));
            }
            Self::Delete { done, .. } => done(Err(error.clone())),
            Self::Tombstone { done, .. } => done(Err(error.clone())),
            Self::Barrier { done, .. } => done(Err(error.clone())),
            Self::Stop => {}
        }
    }
}

/// What the catalogue is told of an arrival.
pub(super) fn arrived(head: &RecordHead, arrival: Arrival, sample: SampleId, stored_bytes: u64) -> Change {
    Change::Arrived(CatalogueEntry {
        item: ItemId(head.sequence),
        sample,
        blake3: head.blake3,
        sha256: head.sha256,
        raw: RawBytes(head.raw_bytes),
        stored: StoredBytes(stored_bytes),
        arrival,
        brings_sample: head.kind.brings_content(),
    })
}
