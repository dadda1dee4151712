//! Makes a package.

use super::manifest::{Content, FileEntry, Manifest};
use super::{BadName, HEAD_BYTES, MAGIC, PREFIX, VERSION, check_name};
use crate::keys::SigningKey;
use model::Blake3;
use std::io::Write as _;
use thiserror::Error;

/// Level of compression: definitions are packed once and read by thousands.
const LEVEL: i32 = 12;

/// What goes into a package.
#[derive(Debug, Clone, Default)]
pub struct Draft {
    /// The set's number, above 0.
    pub sequence: u64,
    /// Tested, or made automatically in answer to a sample.
    pub certified: bool,
    /// When it is made: RFC 3339, UTC.
    pub created_at: String,
    /// For people.
    pub comment: String,
    /// Names and contents, in any order.
    pub files: Vec<(String, Vec<u8>)>,
}

/// Why a draft makes no package.
#[derive(Debug, Error)]
pub enum BuildError {
    /// Numbers begin with 1.
    #[error("a set of definitions has a number above 0")]
    NoNumber,
    /// A file's name.
    #[error(transparent)]
    Name(#[from] BadName),
    /// Two files of one name.
    #[error("two files have the name '{0}'")]
    Twice(String),
    /// There is nothing in it.
    #[error("there is no file in it")]
    Empty,
    /// The content cannot be compressed.
    #[error("the files cannot be compressed: {0}")]
    Compress(std::io::Error),
    /// The manifest cannot be written.
    #[error("the manifest cannot be written: {0}")]
    Manifest(serde_json::Error),
}

/// Makes and signs a package. The same draft and key make the same bytes.
///
/// # Errors
/// See [`BuildError`].
pub fn build(draft: &Draft, key: &SigningKey) -> Result<Vec<u8>, BuildError> {
    if draft.sequence == 0 {
        return Err(BuildError::NoNumber);
    }
    let mut files: Vec<&(String, Vec<u8>)> = draft.files.iter().collect();
    files.sort_by(|one, other| one.0.cmp(&other.0));
    if files.is_empty() {
        return Err(BuildError::Empty);
    }
    for (name, _) in &files {
        check_name(name)?;
    }
    if let Some(twice) = files.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        return Err(BuildError::Twice(twice[0].0.clone()));
    }
    let content = compress(&files).map_err(BuildError::Compress)?;
    let manifest = Manifest {
        sequence: draft.sequence,
        certified: draft.certified,
        created_at: draft.created_at.clone(),
        comment: draft.comment.clone(),
        content: Content {
            stored_bytes: content.len() as u64,
            plain_bytes: files.iter().map(|(_, bytes)| bytes.len() as u64).sum(),
            blake3: digest(&content),
        },
        files: files
            .iter()
            .map(|(name, bytes)| FileEntry { name: name.clone(), bytes: bytes.len() as u64, blake3: digest(bytes) })
            .collect(),
    };
    let manifest = serde_json::to_vec(&manifest).map_err(BuildError::Manifest)?;
    let signature = key.sign(&[PREFIX, &manifest].concat());
    let mut package = Vec::with_capacity(HEAD_BYTES + signature.len() + 8 + manifest.len() + content.len());
    package.extend_from_slice(MAGIC);
    package.extend_from_slice(&VERSION.to_le_bytes());
    package.extend_from_slice(&1_u16.to_le_bytes());
    package.extend_from_slice(&(manifest.len() as u32).to_le_bytes());
    package.extend_from_slice(&key.id().0);
    package.extend_from_slice(&signature);
    package.extend_from_slice(&manifest);
    package.extend_from_slice(&content);
    Ok(package)
}

fn compress(files: &[&(String, Vec<u8>)]) -> std::io::Result<Vec<u8>> {
    let mut encoder = zstd::stream::Encoder::new(Vec::new(), LEVEL)?;
    for (_, bytes) in files {
        encoder.write_all(bytes)?;
    }
    encoder.finish()
}

pub(super) fn digest(bytes: &[u8]) -> Blake3 {
    Blake3(*blake3::hash(bytes).as_bytes())
}
