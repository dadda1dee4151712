//! A stored sample, open for reading.

use crate::error::{Damage, ReadError};
use crate::large::{LargeFile, PART_BYTES};
use crate::pack::{BLOCK_BYTES, BlockLen, Identity, Opener, StoreKey, block_count, open_block};
use crate::segment::reader::{RecordView, Segment};
use crate::shared::{Known, Shared};
use crate::suspects::Suspects;
use model::{Blake3, SampleId, Sha256};
use std::sync::Arc;

/// The most plain bytes that one [`Sample::read`] returns: callers loop, and memory stays bounded.
pub const READ_BYTES_MAX: usize = 4 << 20;

enum Source {
    Record { segment: Arc<Segment>, sealed: Box<SealedBlocks> },
    Large(Arc<LargeFile>),
}

/// A sample. It stays readable while this exists, even when it is dropped from the store meanwhile.
pub struct Sample {
    blake3: Blake3,
    known: Known,
    key: StoreKey,
    suspects: Arc<Suspects>,
    source: Source,
}

/// The sealed blocks of one record.
struct SealedBlocks {
    view: RecordView,
    identity: Identity,
    blocks: Vec<BlockLen>,
}

impl SealedBlocks {
    fn new(segment: &Segment, view: RecordView, identity: Identity) -> Result<Self, ReadError> {
        let blocks = view.table().map_err(|failure| damaged(segment, &view, &failure.to_string()))?;
        Ok(Self { view, identity, blocks })
    }

    fn open(&self, segment: &Segment, key: &StoreKey, number: u32, out: &mut Vec<u8>) -> Result<(), ReadError> {
        let before = self.blocks.iter().take(number as usize).map(|block| block.stored_bytes() as u64).sum::<u64>();
        let Some(block) = self.blocks.get(number as usize) else {
            return Err(damaged(segment, &self.view, &format!("block {number} is missing")));
        };
        let mut sealed = vec![0; block.stored_bytes()];
        segment.read(self.view.offset + self.view.head.payload_at() as u64 + before, &mut sealed)?;
        let opener = Opener::new(key, &self.view.head.salt, self.identity, self.blocks.len() as u32);
        open_block(&opener, number, *block, &sealed, out)
            .map_err(|failure| damaged(segment, &self.view, &format!("block {number}: {failure}")))
    }
}

fn damaged(segment: &Segment, view: &RecordView, what: &str) -> ReadError {
    let range = view.offset..view.offset + view.head.record_bytes() as u64;
    ReadError::Damaged(Damage::at(segment.id, range, what).of_sample(view.head.blake3, view.head.sequence))
}

impl Sample {
    /// `None` when the segment was replaced meanwhile. What is found damaged here or by reading makes it a suspect.
    pub(crate) fn open(shared: &Shared, digest: &Blake3, known: Known) -> Result<Option<Self>, ReadError> {
        let Some(segment) = shared.table.segment(known.place.segment) else { return Ok(None) };
        let source = Self::source(shared, digest, known, segment);
        let source = match source {
            // The finish pass has given the sample another file, and the record another place.
            Err(ReadError::Io { .. }) if shared.table.segment(known.place.segment).is_none() => return Ok(None),
            source => source.map_err(|error| noted(&shared.suspects, digest, &known, error))?,
        };
        Ok(Some(Self {
            blake3: *digest,
            known,
            key: shared.key.clone(),
            suspects: Arc::clone(&shared.suspects),
            source,
        }))
    }

    fn source(shared: &Shared, digest: &Blake3, known: Known, segment: Arc<Segment>) -> Result<Source, ReadError> {
        let view = segment.record(known.place.offset)?;
        match crate::large::named_file(&view.head) {
            Some((id, closing_at)) => Ok(Source::Large(large_file(shared, id, closing_at)?)),
            None => {
                let identity = Identity { id: digest.0, raw_bytes: view.head.raw_bytes };
                let sealed = Box::new(SealedBlocks::new(&segment, view, identity)?);
                Ok(Source::Record { segment, sealed })
            }
        }
    }

    /// Its address.
    #[must_use]
    pub fn blake3(&self) -> Blake3 {
        self.blake3
    }

    /// The digest the field exchanges.
    #[must_use]
    pub fn sha256(&self) -> Sha256 {
        self.known.sha256
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> SampleId {
        self.known.sample
    }

    /// Plain bytes.
    #[must_use]
    pub fn raw_bytes(&self) -> u64 {
        self.known.raw_bytes
    }

    /// Bytes on disk.
    #[must_use]
    pub fn stored_bytes(&self) -> u64 {
        match &self.source {
            Source::Record { .. } => self.known.stored_bytes,
            Source::Large(file) => file.file_bytes(),
        }
    }

    /// Blocks it is stored in.
    #[must_use]
    pub fn blocks(&self) -> u64 {
        block_count(self.known.raw_bytes)
    }

    /// Appends the plain bytes of one block to `out`. Blocks.
    ///
    /// # Errors
    /// The block is damaged, there is no such block, or the disk said no; `out` is then as it was.
    pub fn read_block(&self, number: u64, out: &mut Vec<u8>) -> Result<(), ReadError> {
        self.open_block(number, out).map_err(|error| noted(&self.suspects, &self.blake3, &self.known, error))
    }

    fn open_block(&self, number: u64, out: &mut Vec<u8>) -> Result<(), ReadError> {
        match &self.source {
            Source::Record { segment, sealed } => {
                sealed.open(segment, &self.key, u32::try_from(number).unwrap_or(u32::MAX), out)
            }
            Source::Large(file) => {
                const BLOCKS_PER_PART: u64 = (PART_BYTES / BLOCK_BYTES) as u64;
                let (view, identity) = file.part(number / BLOCKS_PER_PART)?;
                let sealed = SealedBlocks::new(file.segment(), view, identity)?;
                sealed.open(file.segment(), &self.key, (number % BLOCKS_PER_PART) as u32, out)
            }
        }
    }

    /// Plain bytes from `offset`, at most `len` and at most [`READ_BYTES_MAX`]; fewer only at the end. Blocks.
    ///
    /// # Errors
    /// A block is damaged, or the disk said no.
    pub fn read(&self, offset: u64, len: usize) -> Result<Vec<u8>, ReadError> {
        let left = self.known.raw_bytes.saturating_sub(offset);
        let len = left.min(len.min(READ_BYTES_MAX) as u64) as usize;
        if len == 0 {
            return Ok(Vec::new());
        }
        let block_bytes = BLOCK_BYTES as u64;
        let mut plain = Vec::with_capacity(len + 2 * BLOCK_BYTES);
        for number in offset / block_bytes..=(offset + len as u64 - 1) / block_bytes {
            self.read_block(number, &mut plain)?;
        }
        let skip = (offset % block_bytes) as usize;
        plain.truncate(skip + len);
        plain.drain(..skip);
        Ok(plain)
    }
}

/// Names the sample in a damage, whichever record of it was found damaged, and remembers it.
fn noted(suspects: &Suspects, digest: &Blake3, known: &Known, error: ReadError) -> ReadError {
    match error {
        ReadError::Damaged(damage) => {
            suspects.add(known.sample);
            ReadError::Damaged(damage.of_sample(*digest, known.sample.0))
        }
        io @ ReadError::Io { .. } => io,
    }
}

fn large_file(shared: &Shared, id: crate::segment::SegmentId, closing_at: u64) -> Result<Arc<LargeFile>, ReadError> {
    if let Some(file) = shared.table.large(id) {
        return Ok(file);
    }
    let path = crate::segment::large_path(&shared.data, id);
    let io = |error: std::io::Error| ReadError::Io { segment: id.0, offset: 0, message: error.to_string() };
    let file = shared.disk.open(&path, shared.settings.read).map_err(io)?;
    let file = Arc::new(LargeFile::open(id, file, closing_at)?);
    shared.table.put_large(Arc::clone(&file));
    Ok(file)
}
