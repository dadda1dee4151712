//! The facts of some samples as one byte string, read where it lies.
//!
//! ```text
//! 0    8   magic "LZSHELF\0"                         numbers are little-endian
//! 8    2   version, 1
//! 10   6   zero
//! 16   4   samples
//! 20   4   files
//! 24   4   sections
//! 28   4   zero
//! 32   8   plain bytes of all buffers
//! 40   8   bytes of the gram index
//! 48   4   crc32c of the tables
//! 52   8   zero
//! 60   4   crc32c of the head, with these four bytes as zero
//! 64       samples:  8 bytes of id and 32 of BLAKE3 each, ascending by id
//!          files:    4 bytes of the sample's place, then length (8), MD5 (16), SHA-1 (20), SHA-256 (32)
//!          sections: the same
//!          zeroes up to a multiple of 64
//!          the gram index (`docs/grams.md`); a block's reference is the sample's place in the upper half, and in the lower
//!          the block's number in the sample, or with the top bit set any other buffer of it
//! ```

use super::digests::{FACT_BYTES, FileFact};
use super::facts::Facts;
use crate::grams::{GramsError, Policy, Rule, SegmentGrams, SegmentGramsBuilder};
use thiserror::Error;

const MAGIC: &[u8; 8] = b"LZSHELF\0";
const VERSION: u16 = 1;
const HEAD_BYTES: usize = 64;
const SAMPLE_BYTES: usize = 40;
const ROW_BYTES: usize = 4 + FACT_BYTES;
const ALIGN_BYTES: usize = 64;

/// Bytes that are no shelf, or a damaged one: its samples count as not shelved.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ShelfError {
    /// Cut short, or something follows.
    #[error("a shelf of {expected} bytes has {found}")]
    Length {
        /// As its head says.
        expected: u64,
        /// As it is.
        found: u64,
    },
    /// Another kind of file.
    #[error("no shelf: it starts with {0:02x?}")]
    Magic([u8; 8]),
    /// A later layout.
    #[error("a shelf of version {0}, this program reads version {VERSION}")]
    Version(u16),
    /// Damaged.
    #[error("a shelf with a damaged {0}")]
    Checksum(&'static str),
    /// Its gram index.
    #[error(transparent)]
    Grams(#[from] GramsError),
}

/// Collects samples for a shelf. Holds about half of their plain bytes in memory.
#[derive(Debug)]
pub struct ShelfBuilder {
    samples: Vec<(u64, [u8; 32])>,
    files: Vec<(u32, FileFact)>,
    sections: Vec<(u32, FileFact)>,
    grams: SegmentGramsBuilder,
    plain_bytes: u64,
}

impl ShelfBuilder {
    /// An empty one.
    #[must_use]
    pub fn new(rule: &Rule, policy: Policy) -> Self {
        Self {
            samples: Vec::new(),
            files: Vec::new(),
            sections: Vec::new(),
            grams: SegmentGramsBuilder::new(rule, policy),
            plain_bytes: 0,
        }
    }

    /// Adds a sample under its number, which must be above those before it.
    ///
    /// # Errors
    /// Its facts were taken by another rule.
    ///
    /// # Panics
    /// The number is not above the last.
    pub fn add(&mut self, sample: u64, blake3: [u8; 32], facts: Facts) -> Result<(), GramsError> {
        assert!(self.samples.last().is_none_or(|(last, _)| *last < sample), "samples come in their order");
        let place = self.samples.len() as u32;
        for (block, grams) in facts.blocks {
            self.grams.add(u64::from(place) << 32 | u64::from(block), grams)?;
        }
        self.samples.push((sample, blake3));
        self.files.extend(facts.files.into_iter().map(|fact| (place, fact)));
        self.sections.extend(facts.sections.into_iter().map(|fact| (place, fact)));
        self.plain_bytes += facts.plain_bytes;
        Ok(())
    }

    /// Samples so far.
    #[must_use]
    pub fn samples(&self) -> usize {
        self.samples.len()
    }

    /// Plain bytes of all buffers so far.
    #[must_use]
    pub fn plain_bytes(&self) -> u64 {
        self.plain_bytes
    }

    /// Bytes held in memory.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        self.grams.memory_bytes() + (self.files.len() + self.sections.len()) * ROW_BYTES
    }

    /// The shelf.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        let mut tables = Vec::with_capacity(self.samples.len() * SAMPLE_BYTES + self.files.len() * ROW_BYTES);
        for (id, blake3) in &self.samples {
            tables.extend_from_slice(&id.to_le_bytes());
            tables.extend_from_slice(blake3);
        }
        for (place, fact) in self.files.iter().chain(&self.sections) {
            tables.extend_from_slice(&place.to_le_bytes());
            fact.write(&mut tables);
        }
        tables.resize(tables.len().next_multiple_of(ALIGN_BYTES), 0);
        let (samples, files, sections) = (self.samples.len(), self.files.len(), self.sections.len());
        let grams = self.grams.finish();
        let mut out = Vec::with_capacity(HEAD_BYTES + tables.len() + grams.len());
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&VERSION.to_le_bytes());
        out.extend_from_slice(&[0; 6]);
        for count in [samples, files, sections, 0] {
            out.extend_from_slice(&(count as u32).to_le_bytes());
        }
        out.extend_from_slice(&self.plain_bytes.to_le_bytes());
        out.extend_from_slice(&(grams.len() as u64).to_le_bytes());
        out.extend_from_slice(&crc32c::crc32c(&tables).to_le_bytes());
        out.extend_from_slice(&[0; 12]);
        let checksum = crc32c::crc32c(&out);
        out[HEAD_BYTES - 4..].copy_from_slice(&checksum.to_le_bytes());
        out.extend_from_slice(&tables);
        out.extend_from_slice(&grams);
        out
    }
}

/// A shelf, read where it lies.
#[derive(Debug)]
pub struct Shelf<'a> {
    samples: &'a [[u8; SAMPLE_BYTES]],
    files: &'a [[u8; ROW_BYTES]],
    sections: &'a [[u8; ROW_BYTES]],
    plain_bytes: u64,
    tables: &'a [u8],
    tables_checksum: u32,
    grams: SegmentGrams<'a>,
}

impl<'a> Shelf<'a> {
    /// Opens a shelf. The head is checked, the tables and the index are not: [`Shelf::verify`] does that.
    ///
    /// # Errors
    /// See [`ShelfError`].
    pub fn open(bytes: &'a [u8], rule: &Rule) -> Result<Self, ShelfError> {
        let found = bytes.len() as u64;
        let head: &[u8; HEAD_BYTES] =
            bytes.first_chunk().ok_or(ShelfError::Length { expected: HEAD_BYTES as u64, found })?;
        let magic = *head.first_chunk().unwrap_or(&[0; 8]);
        if magic != *MAGIC {
            return Err(ShelfError::Magic(magic));
        }
        match u16::from_le_bytes([head[8], head[9]]) {
            VERSION => {}
            later => return Err(ShelfError::Version(later)),
        }
        let mut blank = *head;
        blank[HEAD_BYTES - 4..].fill(0);
        let number = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let long = |at: usize| u64::from(number(at)) | u64::from(number(at + 4)) << 32;
        if crc32c::crc32c(&blank) != number(HEAD_BYTES - 4) {
            return Err(ShelfError::Checksum("head"));
        }
        let [samples, files, sections] = [16, 20, 24].map(|at| number(at) as u64);
        let tables_bytes = samples * SAMPLE_BYTES as u64 + (files + sections) * ROW_BYTES as u64;
        let tables_bytes = tables_bytes.next_multiple_of(ALIGN_BYTES as u64);
        let expected = (HEAD_BYTES as u64 + tables_bytes).saturating_add(long(40));
        if expected != found {
            return Err(ShelfError::Length { expected, found });
        }
        // The whole length is that of bytes in memory, so every part of it is too.
        let (tables, grams) = bytes[HEAD_BYTES..].split_at(tables_bytes as usize);
        let (sample_rows, rest) = tables.split_at(samples as usize * SAMPLE_BYTES);
        let (file_rows, rest) = rest.split_at(files as usize * ROW_BYTES);
        let (section_rows, _) = rest.split_at(sections as usize * ROW_BYTES);
        Ok(Self {
            samples: sample_rows.as_chunks().0,
            files: file_rows.as_chunks().0,
            sections: section_rows.as_chunks().0,
            plain_bytes: long(32),
            tables,
            tables_checksum: number(48),
            grams: SegmentGrams::open(grams, rule)?,
        })
    }

    /// Reads every byte and compares checksums: a flipped bit can hide a sample, so this belongs before the first
    /// question.
    ///
    /// # Errors
    /// Something is damaged.
    pub fn verify(&self) -> Result<(), ShelfError> {
        if crc32c::crc32c(self.tables) != self.tables_checksum {
            return Err(ShelfError::Checksum("table"));
        }
        Ok(self.grams.verify()?)
    }

    /// Number and address of each sample, ascending.
    pub fn samples(&self) -> impl ExactSizeIterator<Item = (u64, [u8; 32])> + '_ {
        self.samples.iter().map(|row| {
            let (mut id, mut blake3) = ([0; 8], [0; 32]);
            id.copy_from_slice(&row[..8]);
            blake3.copy_from_slice(&row[8..]);
            (u64::from_le_bytes(id), blake3)
        })
    }

    /// The sample at a place in [`Shelf::samples`].
    #[must_use]
    pub fn sample(&self, place: u32) -> Option<(u64, [u8; 32])> {
        self.samples().nth(place as usize)
    }

    /// Plain bytes of all buffers.
    #[must_use]
    pub fn plain_bytes(&self) -> u64 {
        self.plain_bytes
    }

    /// Blocks of all buffers.
    #[must_use]
    pub fn blocks(&self) -> usize {
        self.grams.blocks().len()
    }

    pub(super) fn grams(&self) -> &SegmentGrams<'a> {
        &self.grams
    }

    pub(super) fn files(&self) -> impl Iterator<Item = (u32, FileFact)> + '_ {
        self.files.iter().map(row)
    }

    pub(super) fn sections(&self) -> impl Iterator<Item = (u32, FileFact)> + '_ {
        self.sections.iter().map(row)
    }
}

fn row(row: &[u8; ROW_BYTES]) -> (u32, FileFact) {
    let (mut place, mut fact) = ([0; 4], [0; FACT_BYTES]);
    place.copy_from_slice(&row[..4]);
    fact.copy_from_slice(&row[4..]);
    (u32::from_le_bytes(place), FileFact::read(&fact))
}
