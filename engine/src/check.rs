//! Checking one record, for the scrub and for `verify`.

use crate::error::{Damage, ReadError};
use crate::pack::BLOCK_BYTES;
use crate::sample::Sample;
use crate::segment::Place;
use crate::segment::footer::Entry;
use crate::segment::reader::Segment;
use crate::segment::record::RecordKind;
use crate::shared::{Known, Shared};
use model::{Arrival, SampleId};
use std::sync::Arc;

/// How far a check goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Depth {
    /// The stored bytes match their checksums.
    Stored,
    /// And they open to the bytes that the digest names.
    Plain,
}

/// Checks a record of a segment.
pub(crate) fn check_record(shared: &Shared, segment: &Arc<Segment>, entry: &Entry, depth: Depth) -> Result<(), Damage> {
    let range = entry.offset..entry.offset + entry.record_bytes;
    let named = |error: ReadError| match error {
        ReadError::Damaged(damage) => damage,
        ReadError::Io { message, .. } => Damage::at(segment.id, range.clone(), message),
    };
    let suspect = |error: &ReadError| {
        if entry.kind.brings_content() && matches!(error, ReadError::Damaged(_)) {
            shared.suspects.add(SampleId(entry.sequence));
        }
    };
    let view = segment.record(entry.offset).inspect_err(suspect).map_err(named)?;
    let damage =
        |what: String| Damage::at(segment.id, range.clone(), what).of_sample(view.head.blake3, view.head.sequence);
    if view.head.sequence != entry.sequence || view.head.kind != entry.kind {
        return Err(damage("the record is not the one that the footer names".to_owned()));
    }
    segment.payload(&view).inspect_err(suspect).map_err(named)?;
    if depth == Depth::Stored {
        return Ok(());
    }
    if view.head.kind.is_arrival() && !view.head.content_only {
        Arrival::decode(view.meta()).map_err(|error| damage(format!("the arrival does not read: {error}")))?;
    }
    match view.head.kind {
        RecordKind::Sample | RecordKind::Large => {
            let known = Known {
                sample: SampleId(entry.sequence),
                sha256: view.head.sha256,
                raw_bytes: view.head.raw_bytes,
                stored_bytes: entry.record_bytes,
                place: Place { segment: segment.id, offset: entry.offset },
            };
            let sample = Sample::open(shared, &view.head.blake3, known).map_err(named)?;
            match sample {
                Some(sample) => check_content(&sample).map_err(|error| match error {
                    ContentFailure::Read(error) => named(error),
                    ContentFailure::Digest => {
                        shared.suspects.add(SampleId(entry.sequence));
                        damage("the content does not match its digests".to_owned())
                    }
                }),
                None => Err(damage("the segment went away while it was checked".to_owned())),
            }
        }
        RecordKind::Known | RecordKind::Deletion | RecordKind::Tombstone | RecordKind::Part | RecordKind::Closing => {
            Ok(())
        }
    }
}

enum ContentFailure {
    Read(ReadError),
    Digest,
}

fn check_content(sample: &Sample) -> Result<(), ContentFailure> {
    use sha2::Digest as _;
    let mut blake3 = blake3::Hasher::new();
    let mut sha256 = sha2::Sha256::new();
    let mut block = Vec::with_capacity(BLOCK_BYTES);
    for number in 0..sample.blocks() {
        block.clear();
        sample.read_block(number, &mut block).map_err(ContentFailure::Read)?;
        blake3.update(&block);
        sha256.update(&block);
    }
    let same = blake3.finalize().as_bytes() == &sample.blake3().0 && sha256.finalize().as_slice() == sample.sha256().0;
    if same { Ok(()) } else { Err(ContentFailure::Digest) }
}
