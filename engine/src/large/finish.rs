//! Compressing a large sample for good: a new file beside the old one, with its own salts.
//!
//! 1. The new file counts only once a rewritten segment names it; until then a start removes it. From then on a start
//!    removes the old one. So the switch is the segment's rename, and a crash on either side of it is whole.
//! 2. What the old file opens to is digested on the way; the copy of a damaged sample is never made.
//! 3. Its bytes are reserved in the quota before they are written, and the old file's come back after the switch.

use super::parts::PartFile;
use super::writer::Discard;
use super::{file_bytes, remove_file_of};
use crate::pack::{BLOCK_BYTES, Digests, Effort};
use crate::quota::Permit;
use crate::sample::Sample;
use crate::segment::Place;
use crate::segment::record::RecordHead;
use crate::shared::{Known, Shared};
use model::{Blake3, SampleId, Sha256};
use sha2::Digest as _;
use std::io;
use std::sync::Arc;

/// How it ended.
pub(crate) enum Turn {
    /// The new file is there and smaller.
    Smaller(Box<Finished>),
    /// Compressing harder gains nothing.
    NoGain,
    /// No room for two files, or no time.
    NotNow,
}

/// A large sample's new file, and the record that named the old one. Dropped before it may be named, the new file goes.
pub(crate) struct Finished {
    old: RecordHead,
    /// The record as it names the new file.
    pub(crate) head: RecordHead,
    discard: Option<Discard>,
}

impl Finished {
    /// From here on the log may name the new file.
    pub(crate) fn named(&mut self) {
        if let Some(discard) = self.discard.take() {
            discard.keep();
        }
    }

    /// The log names the new file now and nothing else does the old one.
    pub(crate) fn switched(self, shared: &Shared) {
        let Self { old, head, .. } = self;
        remove_file_of(shared, &old);
        // Dropped meanwhile: whoever did so may have found either file.
        if shared.dead.lock().samples.contains(&head.sequence) {
            remove_file_of(shared, &head);
        }
    }
}

/// Writes the new file. Blocks.
pub(crate) fn finish(shared: &Arc<Shared>, head: &RecordHead, place: Place) -> io::Result<Turn> {
    match write(shared, head, place) {
        Err(error) if error.kind() == io::ErrorKind::StorageFull => Ok(Turn::NotNow),
        outcome => outcome,
    }
}

fn write(shared: &Arc<Shared>, head: &RecordHead, place: Place) -> io::Result<Turn> {
    // Admitted like an arrival, so that the quota and the disk's reserve hold.
    let Ok(mut permit) = shared.ledger.admit(0, false, "") else { return Ok(Turn::NotNow) };
    let known = Known {
        sample: SampleId(head.sequence),
        sha256: head.sha256,
        raw_bytes: head.raw_bytes,
        stored_bytes: file_bytes(head),
        place,
    };
    let sample = Sample::open(shared, &head.blake3, known).map_err(io::Error::other)?;
    let (Some(sample), Some(id)) = (sample, shared.allot_segment()) else { return Ok(Turn::NotNow) };
    let mut parts = PartFile::create(shared, id)?;
    let mut discard = Discard::new(shared, id);
    if !reserved(&mut permit, parts.written()) {
        return Ok(Turn::NotNow);
    }
    charge(shared, &mut permit, &mut discard, parts.written());
    let (mut blake3, mut sha256) = (blake3::Hasher::new(), sha2::Sha256::new());
    let mut plain = Vec::with_capacity(super::PART_BYTES);
    let mut block = 0;
    while block < sample.blocks() {
        plain.clear();
        let until = (block + (super::PART_BYTES / BLOCK_BYTES) as u64).min(sample.blocks());
        for number in block..until {
            sample.read_block(number, &mut plain).map_err(io::Error::other)?;
        }
        block = until;
        blake3.update(&plain);
        sha256.update(&plain);
        let staged = parts.stage_part(shared, &plain, Effort::Final);
        let bytes = staged.bytes();
        if parts.written() + bytes >= file_bytes(head) {
            return Ok(Turn::NoGain);
        }
        if shared.is_closing() || !reserved(&mut permit, bytes) {
            return Ok(Turn::NotNow);
        }
        parts.make_room(&staged)?;
        parts.write(shared, staged)?;
        charge(shared, &mut permit, &mut discard, bytes);
    }
    let digests = Digests { blake3: Blake3(*blake3.finalize().as_bytes()), sha256: Sha256(sha256.finalize().into()) };
    if digests.blake3 != head.blake3 {
        shared.suspects.add(known.sample);
        return Err(io::Error::other(format!("sample {} does not match its digest", head.blake3)));
    }
    let staged = parts.stage_closing(&digests, head.raw_bytes);
    let bytes = staged.bytes();
    if parts.written() + bytes >= file_bytes(head) {
        return Ok(Turn::NoGain);
    }
    if !reserved(&mut permit, bytes) {
        return Ok(Turn::NotNow);
    }
    parts.make_room(&staged)?;
    let closing_at = parts.write(shared, staged)?;
    charge(shared, &mut permit, &mut discard, bytes);
    parts.finish(shared)?;
    let salt = RecordHead::linked(u64::from(id.0), closing_at);
    let named = RecordHead { effort: Effort::Final, salt, ..*head };
    Ok(Turn::Smaller(Box::new(Finished { old: *head, head: named, discard: Some(discard) })))
}

fn reserved(permit: &mut Permit, bytes: u64) -> bool {
    permit.grow(bytes).is_ok()
}

fn charge(shared: &Shared, permit: &mut Permit, discard: &mut Discard, bytes: u64) {
    shared.ledger.charge(bytes);
    permit.shrink(bytes);
    discard.charged(bytes);
}
