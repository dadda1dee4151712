//! Reading a large sample.

use super::part_id;
use crate::disk::ReadFile;
use crate::error::ReadError;
use crate::pack::Identity;
use crate::segment::SegmentId;
use crate::segment::batch::BATCH_HEAD_BYTES;
use crate::segment::reader::{RecordView, Sealed, Segment};
use crate::segment::record::RecordKind;
use std::sync::Arc;

/// A large sample's file, with what its closing record says.
pub(crate) struct LargeFile {
    segment: Segment,
    offsets: Vec<u64>,
}

impl LargeFile {
    /// Opens a file whose closing record's batch starts at `closing_at`.
    pub(crate) fn open(id: SegmentId, file: Arc<dyn ReadFile>, closing_at: u64) -> Result<Self, ReadError> {
        let sealed = Sealed { batches_end: file.bytes(), entries: 0, sequences: None };
        let segment = Segment::sealed(id, file, sealed);
        let closing = segment.record(closing_at + BATCH_HEAD_BYTES as u64)?;
        let payload = segment.payload(&closing)?;
        let offsets = payload.as_chunks::<8>().0.iter().map(|offset| u64::from_le_bytes(*offset)).collect();
        Ok(Self { segment, offsets })
    }

    pub(crate) fn id(&self) -> SegmentId {
        self.segment.id
    }

    pub(crate) fn segment(&self) -> &Segment {
        &self.segment
    }

    pub(crate) fn file_bytes(&self) -> u64 {
        self.segment.file_bytes()
    }

    /// The record of a part and what it was sealed as.
    pub(crate) fn part(&self, number: u64) -> Result<(RecordView, Identity), ReadError> {
        let out_of_range = || {
            ReadError::Damaged(crate::error::Damage::at(
                self.id(),
                0..self.file_bytes(),
                format!("part {number} is missing"),
            ))
        };
        let offset = *self.offsets.get(usize::try_from(number).unwrap_or(usize::MAX)).ok_or_else(out_of_range)?;
        let view = self.segment.record(offset)?;
        if view.head.kind != RecordKind::Part || view.head.sequence != number {
            return Err(out_of_range());
        }
        let identity = Identity { id: part_id(self.id(), number), raw_bytes: view.head.raw_bytes };
        Ok((view, identity))
    }
}
