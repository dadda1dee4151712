//! The active segment: a lane file that grows by batches and is sealed when it is full.

use super::growing::Growing;
use crate::disk::{PAGE_BYTES, ReadMode};
use crate::quota::SEGMENT_SLACK_BYTES;
use crate::segment::footer::{ENTRY_BYTES, Footer};
use crate::segment::header::SegmentKind;
use crate::segment::reader::{Sealed, Segment};
use crate::segment::{SegmentId, segment_path};
use crate::shared::Shared;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// Disk space asked for at once, so that a full disk is met before a write and not in it.
const ALLOCATE_BYTES: u64 = 16 << 20;
/// Zeroes written in one idle moment: a millisecond, for an arrival may come in the middle of it.
const PREPARE_STEP_BYTES: u64 = 512 << 10;

/// The lane's segment.
pub(crate) struct Active {
    pub(crate) growing: Growing,
    pub(crate) segment: Arc<Segment>,
    path: PathBuf,
    entries: usize,
    prepared: u64,
}

impl Active {
    pub(crate) fn create(shared: &Shared, id: SegmentId) -> io::Result<Self> {
        let path = segment_path(&shared.data, id);
        let growing = Growing::create(shared, &path, id, SegmentKind::Lane)?;
        let segment = Arc::new(Segment::active(id, shared.disk.open(&path, ReadMode::Pread)?));
        shared.ledger.charge(SEGMENT_SLACK_BYTES);
        shared.table.put(Arc::clone(&segment));
        Ok(Self { prepared: growing.written(), growing, segment, path, entries: 0 })
    }

    /// Whether a batch of this size and so many records still belongs here.
    pub(crate) fn has_room(&self, batch_bytes: u64, records: usize, segment_bytes: u64) -> bool {
        let footer = Footer::bytes_for(self.entries + records);
        self.entries == 0 || self.growing.written() + batch_bytes + footer <= segment_bytes
    }

    pub(crate) fn make_room(&mut self, bytes: u64, segment_bytes: u64) -> io::Result<()> {
        self.growing.make_room(bytes, ALLOCATE_BYTES.min(segment_bytes))
    }

    pub(crate) fn count_entries(&mut self, more: usize) {
        self.entries += more;
    }

    /// Writes zeroes ahead, a step at a time. `false` when enough is prepared or the disk does not want to.
    pub(crate) fn prepare(&mut self, shared: &Shared) -> bool {
        let written = self.growing.written();
        let end = (written + shared.settings.prepare_bytes).min(shared.settings.segment_bytes());
        let from = self.prepared.max(written);
        if from >= end {
            return false;
        }
        let step = PREPARE_STEP_BYTES.min(end - from).next_multiple_of(PAGE_BYTES as u64);
        if self.growing.prepare(from, step).is_err() {
            self.prepared = u64::MAX;
            return false;
        }
        self.prepared = from + step;
        shared.counters.zeroed_bytes.add(step);
        shared.ledger.set_prepared(self.prepared - written);
        true
    }

    /// Seals the segment and opens it for reading in its final form.
    pub(crate) fn seal(mut self, shared: &Shared) -> io::Result<()> {
        let entries = self.segment.entries().map_err(io::Error::other)?;
        let footer = Footer {
            segment: self.segment.id,
            batches_end: 0,
            chain: model::Blake3([0; 32]),
            entries,
            replaces: Vec::new(),
            damaged: Vec::new(),
        };
        let footer = self.growing.seal(footer)?;
        // Charged so far: a slack at the start, and an entry with each record.
        let actual = PAGE_BYTES as u64 + Footer::bytes_for(footer.entries.len());
        let charged = SEGMENT_SLACK_BYTES + (footer.entries.len() * ENTRY_BYTES) as u64;
        shared.ledger.release(charged.saturating_sub(actual));
        shared.ledger.set_prepared(0);
        match shared.disk.open(&self.path, shared.settings.read) {
            Ok(file) => {
                let sealed = Segment::sealed(self.segment.id, file, Sealed::from(&footer));
                shared.table.put(Arc::new(sealed));
                Ok(())
            }
            // It stays readable through the descriptor that served it so far.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }
}
