//! What a package says of itself, and what its signature is over.

use model::Blake3;
use serde::{Deserialize, Serialize};

/// The manifest: fields in this order, none missing, no others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The set's number, above 0.
    pub sequence: u64,
    /// Tested, or made automatically in answer to a sample.
    pub certified: bool,
    /// When it was made: RFC 3339, UTC; as whoever made it says.
    pub created_at: String,
    /// For people; may be empty.
    pub comment: String,
    /// All files together.
    pub content: Content,
    /// Each file, by name.
    pub files: Vec<FileEntry>,
}

/// The files as one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Content {
    /// Bytes of the compressed frame.
    pub stored_bytes: u64,
    /// Bytes of all files.
    pub plain_bytes: u64,
    /// Digest of the compressed frame.
    pub blake3: Blake3,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileEntry {
    /// Its name; it says which language it is in.
    pub name: String,
    /// Its bytes.
    pub bytes: u64,
    /// Its digest.
    pub blake3: Blake3,
}
