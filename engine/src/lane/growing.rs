//! A segment file while it grows: header first, batches after it, the footer at the end.

use crate::disk::{AlignedBuf, LaneFile, PAGE_BYTES};
use crate::segment::footer::Footer;
use crate::segment::header::{SegmentHeader, SegmentKind};
use crate::segment::scan::SegmentChain;
use crate::segment::{SegmentId, segments_dir};
use crate::shared::{Shared, now_ms};
use std::io;
use std::path::Path;

/// A segment file that is being written, by the lane or by a rewrite.
pub(crate) struct Growing {
    pub(crate) header: SegmentHeader,
    file: Box<dyn LaneFile>,
    written: u64,
    allocated: u64,
    batches: u32,
    chain: SegmentChain,
}

impl Growing {
    /// Makes the file with its header and the name of it durable.
    pub(crate) fn create(shared: &Shared, path: &Path, id: SegmentId, kind: SegmentKind) -> io::Result<Self> {
        let header = SegmentHeader { store: shared.store, segment: id, kind, created_at_ms: now_ms() };
        let mut file = shared.disk.create_lane(path)?;
        let made = file
            .allocate(0, PAGE_BYTES as u64)
            .and_then(|()| file.write_durable(0, header.page()).1)
            .and_then(|()| shared.disk.sync_dir(&segments_dir(&shared.data)));
        if let Err(error) = made {
            // A file without a valid header is skipped by recovery; removing it is only tidy.
            let _ = shared.disk.unlink(path);
            return Err(error);
        }
        let start = PAGE_BYTES as u64;
        let chain = SegmentChain::new(&header);
        Ok(Self { header, file, written: start, allocated: start, batches: 0, chain })
    }

    /// Takes a recovered file over, to seal it.
    pub(crate) fn recovered(header: SegmentHeader, file: Box<dyn LaneFile>, written: u64, chain: SegmentChain) -> Self {
        Self { header, file, written, allocated: written, batches: 0, chain }
    }

    pub(crate) fn written(&self) -> u64 {
        self.written
    }

    pub(crate) fn batches(&self) -> u32 {
        self.batches
    }

    /// Asks for the disk space that `bytes` more need. Failing is harmless.
    pub(crate) fn make_room(&mut self, bytes: u64, step: u64) -> io::Result<()> {
        if self.written + bytes <= self.allocated {
            return Ok(());
        }
        let from = self.allocated;
        let to = (self.written + bytes).max(from + step);
        match self.file.allocate(from, to - from) {
            Ok(()) => self.allocated = to,
            // Perhaps there is room for just this.
            Err(_) if to > self.written + bytes => {
                self.file.allocate(from, self.written + bytes - from)?;
                self.allocated = self.written + bytes;
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Writes a closed batch. On failure the segment is dead.
    pub(crate) fn append(&mut self, batch: AlignedBuf, chain: u32) -> (AlignedBuf, io::Result<()>) {
        let bytes = batch.len() as u64;
        let (batch, outcome) = self.file.write_durable(self.written, batch);
        if outcome.is_ok() {
            self.written += bytes;
            self.batches += 1;
            self.chain.add(chain);
        }
        (batch, outcome)
    }

    /// Writes zeroes ahead.
    pub(super) fn prepare(&mut self, from: u64, bytes: u64) -> io::Result<()> {
        self.file.prepare(from, bytes)?;
        self.allocated = self.allocated.max(from + bytes);
        Ok(())
    }

    /// Cuts the file to what was written, without a footer: a large sample's file has none.
    pub(crate) fn finish(&mut self) -> io::Result<()> {
        self.file.finish(self.written)
    }

    /// Writes the footer and cuts the file to its length.
    pub(crate) fn seal(&mut self, mut footer: Footer) -> io::Result<Footer> {
        footer.segment = self.header.segment;
        footer.batches_end = self.written;
        footer.chain = self.chain.digest();
        let pages = footer.encode();
        let bytes = pages.len() as u64;
        self.make_room(bytes, 0)?;
        self.file.write_durable(self.written, pages).1?;
        self.file.finish(self.written + bytes)?;
        Ok(footer)
    }
}
