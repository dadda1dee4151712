//! Streaming a large sample in.

use super::{PART_BYTES, closing_bytes, part_id};
use crate::disk::AlignedBuf;
use crate::engine::Engine;
use crate::error::SubmitError;
use crate::lane::growing::Growing;
use crate::lane::{Coming, Content, Done, LargeContent, Work};
use crate::pack::{Digests, Effort, Identity, Salt, pack};
use crate::pool::Buffer;
use crate::quota::{FullReason, Permit, Refusal};
use crate::segment::batch::{BATCH_OVERHEAD_BYTES, BatchBuilder};
use crate::segment::header::SegmentKind;
use crate::segment::record::{HEAD_BYTES, RecordHead, RecordKind};
use crate::segment::{SegmentId, large_path, segments_dir};
use crate::shared::Shared;
use model::{Arrival, Blake3, Sha256};
use sha2::Digest as _;
use std::io;
use std::sync::Arc;
use std::time::Instant;

/// Disk space asked for at once.
const ALLOCATE_BYTES: u64 = 8 << 20;

/// Takes the bytes of one large sample. All calls block. Dropping it gives the sample up and removes what was written.
pub struct LargeWriter {
    engine: Engine,
    file: SegmentId,
    growing: Growing,
    discard: Option<Discard>,
    permit: Option<Permit>,
    arrival: Option<Arrival>,
    part: Buffer,
    offsets: Vec<u64>,
    blake3: blake3::Hasher,
    sha256: sha2::Sha256,
    raw_bytes: u64,
    buffer: AlignedBuf,
    submitted: Instant,
}

/// Unlinks the file and gives its charge back, unless it is told to keep it.
pub(crate) struct Discard {
    shared: Arc<Shared>,
    file: SegmentId,
    charged: u64,
    kept: bool,
}

impl Discard {
    /// The log names the file now.
    pub(crate) fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for Discard {
    fn drop(&mut self) {
        if self.kept {
            return;
        }
        let path = large_path(&self.shared.data, self.file);
        match self.shared.disk.unlink(&path) {
            Ok(()) => self.shared.ledger.release(self.charged),
            Err(error) => {
                tracing::warn!(%error, path = %path.display(), "a given-up large sample stays until the next start")
            }
        }
    }
}

impl LargeWriter {
    pub(crate) fn begin(engine: &Engine, permit: Permit, arrival: Arrival) -> Result<Self, SubmitError> {
        let shared = engine.shared();
        if let Some(reason) = shared.failure() {
            return Err(SubmitError::Stopped(reason));
        }
        let file =
            shared.allot_segment().ok_or_else(|| SubmitError::Stopped("all segment numbers are used".to_owned()))?;
        let path = large_path(&shared.data, file);
        let growing = Growing::create(shared, &path, file, SegmentKind::Large)
            .map_err(|error| full_or_stopped(shared, &error))?;
        let discard = Discard { shared: Arc::clone(shared), file, charged: growing.written(), kept: false };
        shared.ledger.charge(growing.written());
        Ok(Self {
            engine: engine.clone(),
            file,
            growing,
            discard: Some(discard),
            permit: Some(permit),
            arrival: Some(arrival),
            part: shared.pool.take(PART_BYTES),
            offsets: Vec::new(),
            blake3: blake3::Hasher::new(),
            sha256: sha2::Sha256::new(),
            raw_bytes: 0,
            buffer: AlignedBuf::default(),
            submitted: Instant::now(),
        })
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    /// Larger than a sample may be, the store full, or the write failed. The writer is then of no further use.
    pub fn write(&mut self, mut bytes: &[u8]) -> Result<(), SubmitError> {
        let limit = self.permit.as_ref().map_or(0, Permit::limit);
        let total = self.raw_bytes + bytes.len() as u64;
        if total > limit {
            return Err(SubmitError::Refused(Refusal::TooLarge { bytes: total, limit }));
        }
        self.raw_bytes = total;
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(PART_BYTES - self.part.len()));
            self.part.extend_from_slice(now);
            bytes = later;
            if self.part.len() == PART_BYTES {
                self.write_part()?;
            }
        }
        Ok(())
    }

    /// Ends the sample; `done` is called when it is durable and listed in the log, or has failed.
    pub fn finish(mut self, expected: Option<Blake3>, done: Done) {
        match self.close(expected) {
            Ok(digests) => self.hand_over(digests, done),
            Err(error) => {
                drop(self);
                done(Err(error));
            }
        }
    }

    fn close(&mut self, expected: Option<Blake3>) -> Result<Digests, SubmitError> {
        if !self.part.is_empty() || self.offsets.is_empty() {
            self.write_part()?;
        }
        let digests = Digests {
            blake3: Blake3(*self.blake3.finalize().as_bytes()),
            sha256: Sha256(std::mem::take(&mut self.sha256).finalize().into()),
        };
        if let Some(expected) = expected.filter(|expected| *expected != digests.blake3) {
            return Err(SubmitError::DigestMismatch { expected, actual: digests.blake3 });
        }
        Ok(digests)
    }

    fn hand_over(mut self, digests: Digests, done: Done) {
        let shared = Arc::clone(self.engine.shared());
        // Content that is here already needs no second file.
        if let Ok(Some(known)) = self.engine.find_and_pin(&digests.blake3) {
            self.discard = None;
            self.send(digests, Content::Here { known, body: None }, done);
            return;
        }
        let closed = self.write_closing(&digests).and_then(|closing_at| {
            self.growing.finish().map_err(|error| full_or_stopped(&shared, &error))?;
            // The name must be durable before the log speaks of it.
            shared.disk.sync_dir(&segments_dir(&shared.data)).map_err(|error| full_or_stopped(&shared, &error))?;
            Ok(closing_at)
        });
        match closed {
            Ok(closing_at) => {
                let content = LargeContent {
                    file: self.file,
                    closing_at,
                    stored_bytes: self.growing.written(),
                    effort: Effort::Usual,
                    discard: self.discard.take(),
                };
                self.send(digests, Content::Large(content), done);
            }
            Err(error) => {
                drop(self);
                done(Err(error));
            }
        }
    }

    fn send(&mut self, digests: Digests, content: Content, done: Done) {
        let (Some(permit), Some(arrival)) = (self.permit.take(), self.arrival.take()) else {
            unreachable!("a writer ends once");
        };
        let coming = Coming { digests, raw_bytes: self.raw_bytes, arrival, permit, submitted: self.submitted, done };
        self.engine.send(Work::Arrive(Box::new(coming), content));
    }

    fn write_part(&mut self) -> Result<(), SubmitError> {
        let shared = Arc::clone(self.engine.shared());
        self.blake3.update(&self.part);
        self.sha256.update(self.part.as_slice());
        let identity =
            Identity { id: part_id(self.file, self.offsets.len() as u64), raw_bytes: self.part.len() as u64 };
        let packed = pack(&shared.key, &self.part, &identity, Effort::Usual);
        shared.counters.packed_at(packed.effort);
        let head = RecordHead {
            effort: packed.effort,
            single_raw: packed.blocks.len() == 1 && packed.blocks[0].is_raw(),
            raw_bytes: packed.raw_bytes,
            blocks: packed.blocks.len() as u32,
            payload_bytes: packed.payload.len() as u32,
            payload_crc: packed.payload_crc,
            salt: packed.salt,
            ..blank(RecordKind::Part, self.offsets.len() as u64)
        };
        let table: Vec<u8> = match packed.blocks.as_slice() {
            [_] => Vec::new(),
            blocks => blocks.iter().flat_map(|block| block.0.to_le_bytes()).collect(),
        };
        let at = self.append(&head, &table, &packed.payload)?;
        self.offsets.push(at);
        self.part.clear();
        Ok(())
    }

    /// The record that ends the file: digests, plain bytes, the offsets of the parts.
    fn write_closing(&mut self, digests: &Digests) -> Result<u64, SubmitError> {
        let payload: Vec<u8> = self.offsets.iter().flat_map(|offset| offset.to_le_bytes()).collect();
        let head = RecordHead {
            raw_bytes: self.raw_bytes,
            payload_bytes: payload.len() as u32,
            payload_crc: crc32c::crc32c(&payload),
            blake3: digests.blake3,
            sha256: digests.sha256,
            ..blank(RecordKind::Closing, self.offsets.len() as u64)
        };
        let expected = closing_bytes(self.offsets.len() as u64);
        let before = self.growing.written();
        let at = self.append(&head, &[], &payload)?;
        debug_assert_eq!(self.growing.written() - before, expected, "deleting gives back what this took");
        Ok(at - crate::segment::batch::BATCH_HEAD_BYTES as u64)
    }

    /// Appends one record in a batch of its own; gives its offset.
    fn append(&mut self, head: &RecordHead, table: &[u8], payload: &[u8]) -> Result<u64, SubmitError> {
        let shared = Arc::clone(self.engine.shared());
        let mut builder = BatchBuilder::new(std::mem::take(&mut self.buffer));
        let in_batch = builder.push(head, &[], table, payload);
        let bytes = builder.bytes() as u64;
        self.reserve(bytes)?;
        self.growing.make_room(bytes, ALLOCATE_BYTES).map_err(|error| full_or_stopped(&shared, &error))?;
        let start = self.growing.written();
        let (pages, chain) = builder.close(self.file, shared.store, self.growing.batches(), start);
        let (pages, outcome) = self.growing.append(pages, chain);
        self.buffer = pages;
        // A failed write kills this file only: nothing in it was promised to anyone.
        outcome.map_err(|error| SubmitError::Stopped(format!("writing a large sample failed: {error}")))?;
        shared.ledger.charge(bytes);
        if let (Some(permit), Some(discard)) = (&mut self.permit, &mut self.discard) {
            permit.shrink(bytes);
            discard.charged += bytes;
        }
        Ok(start + in_batch as u64)
    }

    /// Makes sure that the permit covers `bytes` more, and still the record in the log after that.
    fn reserve(&mut self, bytes: u64) -> Result<(), SubmitError> {
        let Some(permit) = &mut self.permit else { return Ok(()) };
        let needed = bytes + crate::quota::known_worst_case() + BATCH_OVERHEAD_BYTES as u64 + HEAD_BYTES as u64;
        let missing = needed.saturating_sub(permit.bytes());
        if missing > 0 {
            permit.grow(missing)?;
        }
        Ok(())
    }
}

fn blank(kind: RecordKind, sequence: u64) -> RecordHead {
    RecordHead {
        kind,
        effort: Effort::Usual,
        content_only: false,
        single_raw: true,
        sequence,
        raw_bytes: 0,
        meta_bytes: 0,
        blocks: 0,
        payload_bytes: 0,
        payload_crc: 0,
        salt: Salt::default(),
        blake3: Blake3([0; 32]),
        sha256: Sha256([0; 32]),
    }
}

fn full_or_stopped(shared: &Shared, error: &io::Error) -> SubmitError {
    if error.kind() == io::ErrorKind::StorageFull {
        return SubmitError::Refused(Refusal::Full { what: FullReason::Disk, quota: shared.ledger.quota() });
    }
    SubmitError::Stopped(format!("storing a large sample failed: {error}"))
}
