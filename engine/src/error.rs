//! What can go wrong, sorted by what the caller does next.

use crate::quota::Refusal;
use crate::segment::SegmentId;
use crate::torn::TornTail;
use model::{Blake3, ItemId};
use std::fmt;
use std::io;
use std::ops::Range;
use std::path::PathBuf;

/// A store did not open. Nothing was changed that a later attempt could not do again.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it.
    #[error("the data directory {} is in use by another process", .0.display())]
    InUse(PathBuf),
    /// The disk said no.
    #[error("cannot {doing} {}", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The key file is not one.
    #[error("the key file {} is damaged: {what}; without it no sample in this store can be read, so restore it from a copy", path.display())]
    Key {
        /// Where it lies.
        path: PathBuf,
        /// What is wrong.
        what: &'static str,
    },
    /// Samples are here but the key is not.
    #[error("the store at {} has segments but no key file; restore store.key from a copy", .0.display())]
    KeyMissing(PathBuf),
    /// The catalogue did not open.
    #[error("the catalogue did not open; 'lazaret rebuild' makes it anew from the segments")]
    Catalogue(#[source] crate::catalogue::CatalogueError),
    /// The catalogue has seen more of the log than there is.
    #[error(
        "the catalogue has seen the log up to {catalogue}, but the segments end at {log}: up to {} items that were acknowledged are not in them{}; bring missing segments back from a copy, or give these items up and make the catalogue anew with 'lazaret rebuild'",
        catalogue - log,
        told(torn)
    )]
    LogBehind {
        /// The catalogue's watermark.
        catalogue: u64,
        /// The last sequence found.
        log: u64,
        /// Tails that this very start cut.
        torn: Vec<TornTail>,
    },
    /// The numbers of segments are used up.
    #[error(
        "this store has used all {} segment numbers; export its samples into a new one",
        crate::segment::SEGMENTS_MAX
    )]
    SegmentsUsedUp,
}

/// Tails in a sentence, behind a comma.
fn told(torn: &[TornTail]) -> String {
    torn.iter().map(|tail| format!(" ({tail})")).collect()
}

/// Makes the I/O variant of [`OpenError`].
pub(crate) fn opening(doing: &'static str, path: &std::path::Path) -> impl FnOnce(io::Error) -> OpenError {
    move |source| OpenError::Io { doing, path: path.to_owned(), source }
}

/// An arrival or deletion that came to nothing. It is not stored; whoever sent it still has it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError {
    /// The bytes are not those that the sender named.
    #[error("the bytes received have BLAKE3 {actual}, the sender announced {expected}")]
    DigestMismatch {
        /// Announced.
        expected: Blake3,
        /// Received.
        actual: Blake3,
    },
    /// The same key for retries came with other content before.
    #[error("this idempotency key was used before for other content, item {0}")]
    KeyReused(ItemId),
    /// There is no room.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The store has stopped writing: reopen and replay.
    #[error("the store has stopped writing: {0}")]
    Stopped(String),
}

/// A sample or record cannot be read.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ReadError {
    /// Bytes are not as they were written.
    #[error("{0}")]
    Damaged(Damage),
    /// The disk said no.
    #[error("cannot read segment {segment} at {offset}: {message}")]
    Io {
        /// Which segment.
        segment: u32,
        /// Where.
        offset: u64,
        /// What the system said.
        message: String,
    },
}

/// A damaged range, named as well as what is left of it allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// Which segment, or large sample's file.
    pub segment: u32,
    /// Which bytes of it.
    pub range: Range<u64>,
    /// The sample, where its record's head still reads.
    pub digest: Option<Blake3>,
    /// The item, likewise.
    pub item: Option<ItemId>,
    /// What is wrong.
    pub what: String,
}

impl Damage {
    pub(crate) fn at(segment: SegmentId, range: Range<u64>, what: impl Into<String>) -> Self {
        Self { segment: segment.0, range, digest: None, item: None, what: what.into() }
    }

    pub(crate) fn of_sample(mut self, digest: Blake3, sequence: u64) -> Self {
        self.digest = Some(digest);
        self.item = Some(ItemId(sequence));
        self
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "segment {} is damaged at {}..{}: {}", self.segment, self.range.start, self.range.end, self.what)?;
        match &self.digest {
            Some(digest) => write!(out, " (sample {digest})"),
            None => Ok(()),
        }
    }
}
