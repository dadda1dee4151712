//! What can go wrong with the catalogue, sorted by what the caller does next.

use model::{ItemId, Status};
use std::path::{Path, PathBuf};

/// Why the catalogue did not answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CatalogueError {
    /// The file is damaged or is no catalogue. Nothing is lost: the segments hold every arrival.
    #[error(
        "the catalogue {} cannot be used: {reason}; stop the server and run `lazaret rebuild` to make a new one from the segments",
        path.display()
    )]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What SQLite found.
        reason: String,
    },
    /// The file was written by a version with another layout.
    #[error(
        "the catalogue {} has layout {found}, this version reads {expected}; run `lazaret rebuild` to make a new one from the segments",
        path.display()
    )]
    Layout {
        /// The file.
        path: PathBuf,
        /// Its layout.
        found: i64,
        /// Ours.
        expected: i64,
    },
    /// The disk, or the bound set on the file, is full.
    #[error("the catalogue {} is full: {reason}", path.display())]
    Full {
        /// The file.
        path: PathBuf,
        /// What SQLite met.
        reason: String,
    },
    /// Reading or writing failed otherwise.
    #[error("the catalogue {} failed: {reason}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What SQLite met.
        reason: String,
    },
    /// The owner thread has stopped.
    #[error("the catalogue takes no changes: {reason}")]
    Stopped {
        /// Why.
        reason: String,
    },
    /// The answer did not come in time; a change may have happened or not.
    #[error("the catalogue did not answer within {waited_ms} ms")]
    Late {
        /// How long the caller waited.
        waited_ms: u64,
    },
    /// All read connections were in use for as long as a caller may wait.
    #[error("all {readers} readers of the catalogue were busy for {waited_ms} ms")]
    Busy {
        /// How many there are.
        readers: usize,
        /// How long the caller waited.
        waited_ms: u64,
    },
    /// A filter asks for too many rows to be counted one by one.
    #[error("counting stopped after {counted} items and {waited_ms} ms; narrow the filter")]
    TooWide {
        /// Items counted so far.
        counted: u64,
        /// How long it took.
        waited_ms: u64,
    },
    /// The samples' digests are not all read yet.
    #[error("{samples} samples were looked at so far, more are left: ask again, the search goes on from there")]
    StillReading {
        /// Samples known so far.
        samples: u64,
    },
    /// A text that is no cursor of ours.
    #[error("'{text}' is not a cursor; take one from the `next` of a page")]
    Cursor {
        /// The text, shortened.
        text: String,
    },
    /// The item does not exist, or not any more.
    #[error("there is no item {0}")]
    UnknownItem(ItemId),
    /// The item has moved on since the caller looked.
    #[error("item {item} is {found}, not {expected} any more")]
    MovedOn {
        /// The item.
        item: ItemId,
        /// The status that the change was meant for.
        expected: Status,
        /// The status it has.
        found: Status,
    },
}

impl CatalogueError {
    /// Sorts an error of SQLite.
    pub(super) fn of(path: &Path, error: &rusqlite::Error) -> Self {
        use rusqlite::ErrorCode;
        let (path, reason) = (path.to_path_buf(), error.to_string());
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Corrupt { path, reason },
            Some(ErrorCode::DiskFull) => Self::Full { path, reason },
            // A column of the wrong type, or a missing table, comes only from a file that we did not write.
            None | Some(ErrorCode::TypeMismatch | ErrorCode::ConstraintViolation) => Self::Corrupt { path, reason },
            Some(ErrorCode::Unknown) => Self::Corrupt { path, reason },
            Some(_) => Self::Io { path, reason },
        }
    }
}
