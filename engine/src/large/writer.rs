//! Streaming a large sample in.

use super::PART_BYTES;
use super::parts::{PartFile, Staged};
use crate::engine::Engine;
use crate::error::SubmitError;
use crate::lane::{Coming, Content, Done, LargeContent, Work};
use crate::pack::{Digests, Effort};
use crate::pool::Buffer;
use crate::quota::{FullReason, Permit, Refusal};
use crate::segment::batch::BATCH_OVERHEAD_BYTES;
use crate::segment::record::HEAD_BYTES;
use crate::segment::{SegmentId, large_path};
use crate::shared::Shared;
use model::{Arrival, Blake3, Sha256};
use sha2::Digest as _;
use std::io;
use std::sync::Arc;
use std::time::Instant;

/// Takes the bytes of one large sample. All calls block. Dropping it gives the sample up and removes what was written.
pub struct LargeWriter {
    engine: Engine,
    parts: PartFile,
    discard: Option<Discard>,
    permit: Option<Permit>,
    arrival: Option<Arrival>,
    part: Buffer,
    blake3: blake3::Hasher,
    sha256: sha2::Sha256,
    raw_bytes: u64,
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
    /// For a file that was just made and is not charged yet.
    pub(crate) fn new(shared: &Arc<Shared>, file: SegmentId) -> Self {
        Self { shared: Arc::clone(shared), file, charged: 0, kept: false }
    }

    /// So many bytes of the file are charged now.
    pub(crate) fn charged(&mut self, bytes: u64) {
        self.charged += bytes;
    }

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
        let parts = PartFile::create(shared, file).map_err(|error| full_or_stopped(shared, &error))?;
        let mut discard = Discard::new(shared, file);
        shared.ledger.charge(parts.written());
        discard.charged(parts.written());
        Ok(Self {
            engine: engine.clone(),
            parts,
            discard: Some(discard),
            permit: Some(permit),
            arrival: Some(arrival),
            part: shared.pool.take(PART_BYTES),
            blake3: blake3::Hasher::new(),
            sha256: sha2::Sha256::new(),
            raw_bytes: 0,
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
        if !self.part.is_empty() || !self.parts.has_parts() {
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
        let staged = self.parts.stage_closing(&digests, self.raw_bytes);
        let closed = self.append(staged).and_then(|closing_at| {
            self.parts.finish(&shared).map_err(|error| full_or_stopped(&shared, &error))?;
            Ok(closing_at)
        });
        match closed {
            Ok(closing_at) => {
                let content = LargeContent {
                    file: self.parts.file,
                    closing_at,
                    stored_bytes: self.parts.written(),
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
        self.blake3.update(&self.part);
        self.sha256.update(self.part.as_slice());
        let staged = self.parts.stage_part(self.engine.shared(), &self.part, Effort::Usual);
        self.append(staged)?;
        self.part.clear();
        Ok(())
    }

    /// Appends one record in a batch of its own; gives the batch's offset.
    fn append(&mut self, staged: Staged) -> Result<u64, SubmitError> {
        let shared = Arc::clone(self.engine.shared());
        let bytes = staged.bytes();
        self.reserve(bytes)?;
        self.parts.make_room(&staged).map_err(|error| full_or_stopped(&shared, &error))?;
        // A failed write kills this file only.
        let start = self
            .parts
            .write(&shared, staged)
            .map_err(|error| SubmitError::Stopped(format!("writing a large sample failed: {error}")))?;
        shared.ledger.charge(bytes);
        if let (Some(permit), Some(discard)) = (&mut self.permit, &mut self.discard) {
            permit.shrink(bytes);
            discard.charged(bytes);
        }
        Ok(start)
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

fn full_or_stopped(shared: &Shared, error: &io::Error) -> SubmitError {
    if error.kind() == io::ErrorKind::StorageFull {
        return SubmitError::Refused(Refusal::Full { what: FullReason::Disk, quota: shared.ledger.quota() });
    }
    SubmitError::Stopped(format!("storing a large sample failed: {error}"))
}
