//! The file of a large sample while it is written, part by part, by a client's stream or by the finish pass.

use super::{PART_BYTES, closing_bytes, part_id};
use crate::disk::AlignedBuf;
use crate::lane::growing::Growing;
use crate::pack::{Digests, Effort, Identity, Salt, pack};
use crate::segment::batch::{BATCH_HEAD_BYTES, BatchBuilder};
use crate::segment::header::SegmentKind;
use crate::segment::record::{RecordHead, RecordKind};
use crate::segment::{SegmentId, large_path, segments_dir};
use crate::shared::Shared;
use model::{Blake3, Sha256};
use std::io;

/// Disk space asked for at once.
const ALLOCATE_BYTES: u64 = 8 << 20;

/// A file that grows by one record at a time, each in a batch of its own.
pub(crate) struct PartFile {
    pub(crate) file: SegmentId,
    growing: Growing,
    offsets: Vec<u64>,
    buffer: AlignedBuf,
}

/// A record ready to be written, so that its bytes can be reserved first.
pub(crate) struct Staged {
    builder: BatchBuilder,
    in_batch: u64,
    kind: RecordKind,
}

impl Staged {
    /// Bytes that writing it takes.
    pub(crate) fn bytes(&self) -> u64 {
        self.builder.bytes() as u64
    }
}

impl PartFile {
    /// Makes the file, with its header.
    pub(crate) fn create(shared: &Shared, file: SegmentId) -> io::Result<Self> {
        let growing = Growing::create(shared, &large_path(&shared.data, file), file, SegmentKind::Large)?;
        Ok(Self { file, growing, offsets: Vec::new(), buffer: AlignedBuf::default() })
    }

    /// Bytes of the file so far.
    pub(crate) fn written(&self) -> u64 {
        self.growing.written()
    }

    pub(crate) fn has_parts(&self) -> bool {
        !self.offsets.is_empty()
    }

    /// Compresses and seals the next part, at most [`PART_BYTES`] of plain bytes.
    pub(crate) fn stage_part(&mut self, shared: &Shared, plain: &[u8], effort: Effort) -> Staged {
        debug_assert!(plain.len() <= PART_BYTES);
        let number = self.offsets.len() as u64;
        let identity = Identity { id: part_id(self.file, number), raw_bytes: plain.len() as u64 };
        let packed = pack(&shared.key, plain, &identity, effort);
        shared.counters.packed_at(packed.effort);
        let head = RecordHead {
            effort: packed.effort,
            single_raw: packed.blocks.len() == 1 && packed.blocks[0].is_raw(),
            raw_bytes: packed.raw_bytes,
            blocks: packed.blocks.len() as u32,
            payload_bytes: packed.payload.len() as u32,
            payload_crc: packed.payload_crc,
            salt: packed.salt,
            ..blank(RecordKind::Part, number)
        };
        let table: Vec<u8> = match packed.blocks.as_slice() {
            [_] => Vec::new(),
            blocks => blocks.iter().flat_map(|block| block.0.to_le_bytes()).collect(),
        };
        self.stage(&head, &table, &packed.payload)
    }

    /// The record that ends the file: digests, plain bytes, the offsets of the parts.
    pub(crate) fn stage_closing(&mut self, digests: &Digests, raw_bytes: u64) -> Staged {
        let payload: Vec<u8> = self.offsets.iter().flat_map(|offset| offset.to_le_bytes()).collect();
        let head = RecordHead {
            raw_bytes,
            payload_bytes: payload.len() as u32,
            payload_crc: crc32c::crc32c(&payload),
            blake3: digests.blake3,
            sha256: digests.sha256,
            ..blank(RecordKind::Closing, self.offsets.len() as u64)
        };
        let staged = self.stage(&head, &[], &payload);
        debug_assert_eq!(
            staged.bytes(),
            closing_bytes(self.offsets.len() as u64),
            "deleting gives back what this took"
        );
        staged
    }

    fn stage(&mut self, head: &RecordHead, table: &[u8], payload: &[u8]) -> Staged {
        let mut builder = BatchBuilder::new(std::mem::take(&mut self.buffer));
        let in_batch = builder.push(head, &[], table, payload) as u64;
        Staged { builder, in_batch, kind: head.kind }
    }

    /// Asks for the disk space. Failing is harmless.
    pub(crate) fn make_room(&mut self, staged: &Staged) -> io::Result<()> {
        self.growing.make_room(staged.bytes(), ALLOCATE_BYTES)
    }

    /// Writes and syncs; gives the offset of the batch. On failure the file is dead: nothing in it was promised to anyone.
    pub(crate) fn write(&mut self, shared: &Shared, staged: Staged) -> io::Result<u64> {
        let start = self.growing.written();
        let (pages, chain) = staged.builder.close(self.file, shared.store, self.growing.batches(), start);
        let (pages, outcome) = self.growing.append(pages, chain);
        self.buffer = pages;
        outcome?;
        if staged.kind == RecordKind::Part {
            self.offsets.push(start + staged.in_batch);
        }
        debug_assert!(staged.kind == RecordKind::Part || staged.in_batch == BATCH_HEAD_BYTES as u64);
        Ok(start)
    }

    /// Cuts the file to its length and makes its name durable, before the log speaks of it.
    pub(crate) fn finish(&mut self, shared: &Shared) -> io::Result<()> {
        self.growing.finish()?;
        shared.disk.sync_dir(&segments_dir(&shared.data))
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
