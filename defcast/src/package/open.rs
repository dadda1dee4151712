//! Opens a package that a stranger may have made.

use super::build::digest;
use super::manifest::Manifest;
use super::{
    BadName, HEAD_BYTES, Limits, MAGIC, PREFIX, SIGNATURE_BYTES, SIGNATURES_MAX, VERSION, WINDOW_LOG_MAX, check_name,
};
use crate::keys::{KeyId, TrustedKeys};
use model::Blake3;
use std::io::Read as _;
use thiserror::Error;

/// A verified package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// What it says of itself.
    pub manifest: Manifest,
    /// The key that vouches for it.
    pub signed_by: KeyId,
    /// Its files, by name.
    pub files: Vec<(String, Vec<u8>)>,
}

/// Why a package is refused.
#[derive(Debug, Error)]
pub enum PackageError {
    /// It is something else.
    #[error("this is no package of definitions: `lazaret defs build` makes one")]
    Magic,
    /// It is of a later layout.
    #[error("the package has layout {0}, and this version reads layout {VERSION}: update this server")]
    Version(u16),
    /// It ends too early.
    #[error("the package is cut off: {found} bytes where at least {needed} belong; transfer it again")]
    Short {
        /// Bytes that belong there.
        needed: u64,
        /// Bytes that are there.
        found: u64,
    },
    /// Something follows its end.
    #[error("{0} bytes follow the end of the package")]
    Trailing(u64),
    /// It is larger than allowed.
    #[error("{what} of the package {verb} {found}, more than the {limit} allowed", verb = if *what == "files" { "are" } else { "is" })]
    TooLarge {
        /// What is.
        what: &'static str,
        /// How large.
        found: u64,
        /// The limit.
        limit: u64,
    },
    /// It has no signature, or too many.
    #[error("the package has {0} signatures, and 1 to {SIGNATURES_MAX} are expected")]
    Signatures(u16),
    /// Nobody who is trusted signed it.
    #[error("the package is signed by {}, and no such key is trusted here: put its public key among the trusted ones if it is yours", names(.0))]
    Unknown(Vec<KeyId>),
    /// A trusted key's signature does not hold.
    #[error("the signature of key {0} does not hold: the package was changed after it was signed")]
    Forged(KeyId),
    /// Signed, and yet wrong: whoever signed it made a mistake.
    #[error("the manifest cannot be read: {0}")]
    Manifest(serde_json::Error),
    /// A number of 0.
    #[error("the package has no number")]
    NoNumber,
    /// A file's name.
    #[error(transparent)]
    Name(#[from] BadName),
    /// Files out of order, or two of one name.
    #[error("the files of the package are not in the order of their names, each once")]
    Order,
    /// Sizes that contradict each other.
    #[error("the sizes in the manifest contradict each other: {files} bytes of files and {plain} of content")]
    Sizes {
        /// Sum over the files.
        files: u64,
        /// What the content is said to have.
        plain: u64,
    },
    /// The content is not what was signed.
    #[error("{what} has another digest than the manifest says: {found} instead of {expected}; transfer it again")]
    Digest {
        /// The content, or a file.
        what: String,
        /// As signed.
        expected: Blake3,
        /// As found.
        found: Blake3,
    },
    /// The content does not decompress to what was signed.
    #[error("the content does not decompress to the {expected} bytes that the manifest says: {why}")]
    Content {
        /// Bytes that belong there.
        expected: u64,
        /// What happened.
        why: String,
    },
}

fn names(keys: &[KeyId]) -> String {
    keys.iter().map(KeyId::to_string).collect::<Vec<_>>().join(", ")
}

impl Package {
    /// Opens and verifies a package wholly.
    ///
    /// # Errors
    /// See [`PackageError`].
    pub fn open(bytes: &[u8], trusted: &TrustedKeys, limits: Limits) -> Result<Self, PackageError> {
        let (manifest, signed_by, content) = Self::vouched(bytes, trusted, limits)?;
        let found = digest(content);
        if found != manifest.content.blake3 {
            let expected = manifest.content.blake3;
            return Err(PackageError::Digest { what: "the content".to_owned(), expected, found });
        }
        let plain = decompress(content, manifest.content.plain_bytes)?;
        let mut files = Vec::with_capacity(manifest.files.len());
        let mut rest = plain.as_slice();
        for entry in &manifest.files {
            // The sizes add up to what was decompressed.
            let (file, after) = rest.split_at(entry.bytes as usize);
            rest = after;
            let found = digest(file);
            if found != entry.blake3 {
                return Err(PackageError::Digest { what: entry.name.clone(), expected: entry.blake3, found });
            }
            files.push((entry.name.clone(), file.to_vec()));
        }
        Ok(Self { manifest, signed_by, files })
    }

    /// The manifest of a package, vouched for; the content is looked at only for its length.
    ///
    /// # Errors
    /// See [`PackageError`].
    pub fn manifest_of(bytes: &[u8], trusted: &TrustedKeys, limits: Limits) -> Result<(Manifest, KeyId), PackageError> {
        Self::vouched(bytes, trusted, limits).map(|(manifest, key, _)| (manifest, key))
    }

    fn vouched<'b>(
        bytes: &'b [u8],
        trusted: &TrustedKeys,
        limits: Limits,
    ) -> Result<(Manifest, KeyId, &'b [u8]), PackageError> {
        within("size", bytes.len() as u64, limits.package_bytes_max)?;
        if !bytes.starts_with(&MAGIC[..bytes.len().min(MAGIC.len())]) || bytes.is_empty() {
            return Err(PackageError::Magic);
        }
        let head: &[u8; HEAD_BYTES] = bytes.first_chunk().ok_or_else(|| short(HEAD_BYTES, bytes.len()))?;
        let number = |at: usize| u16::from_le_bytes([head[at], head[at + 1]]);
        if number(8) != VERSION {
            return Err(PackageError::Version(number(8)));
        }
        let signatures = number(10);
        if !(1..=SIGNATURES_MAX).contains(&usize::from(signatures)) {
            return Err(PackageError::Signatures(signatures));
        }
        let manifest_bytes = u32::from_le_bytes([head[12], head[13], head[14], head[15]]) as usize;
        within("manifest", manifest_bytes as u64, limits.manifest_bytes_max as u64)?;
        let manifest_at = HEAD_BYTES + usize::from(signatures) * SIGNATURE_BYTES;
        let content_at = manifest_at + manifest_bytes;
        if bytes.len() < content_at {
            return Err(short(content_at, bytes.len()));
        }
        let (manifest, content) = (&bytes[manifest_at..content_at], &bytes[content_at..]);
        let signed_by = signer(&bytes[HEAD_BYTES..manifest_at], manifest, trusted)?;
        let manifest: Manifest = serde_json::from_slice(manifest).map_err(PackageError::Manifest)?;
        check(&manifest, limits)?;
        let (found, needed) = (content.len() as u64, manifest.content.stored_bytes);
        if found < needed {
            let before = content_at as u64;
            return Err(PackageError::Short { needed: before.saturating_add(needed), found: before + found });
        }
        if found > needed {
            return Err(PackageError::Trailing(found - needed));
        }
        Ok((manifest, signed_by, content))
    }
}

/// The first trusted key whose signature holds. A trusted key whose signature does not hold refuses the package even
/// beside one that does: somebody has changed something.
fn signer(signatures: &[u8], manifest: &[u8], trusted: &TrustedKeys) -> Result<KeyId, PackageError> {
    let message = [PREFIX, manifest].concat();
    let (mut holds, mut unknown) = (None, Vec::new());
    for signature in signatures.chunks_exact(SIGNATURE_BYTES) {
        let (id, signature) = signature.split_at(8);
        let (Some(id), Some(signature)) = (id.first_chunk().copied().map(KeyId), signature.first_chunk()) else {
            continue;
        };
        let mut known = trusted.iter().filter(|key| key.id() == id).peekable();
        if known.peek().is_none() {
            unknown.push(id);
        } else if known.any(|key| key.vouches(&message, signature)) {
            holds.get_or_insert(id);
        } else {
            return Err(PackageError::Forged(id));
        }
    }
    holds.ok_or(PackageError::Unknown(unknown))
}

fn check(manifest: &Manifest, limits: Limits) -> Result<(), PackageError> {
    if manifest.sequence == 0 {
        return Err(PackageError::NoNumber);
    }
    within("files", manifest.files.len() as u64, limits.files_max as u64)?;
    within("content", manifest.content.plain_bytes, limits.plain_bytes_max)?;
    for entry in &manifest.files {
        check_name(&entry.name)?;
    }
    if manifest.files.windows(2).any(|pair| pair[0].name >= pair[1].name) {
        return Err(PackageError::Order);
    }
    let files = manifest.files.iter().map(|entry| entry.bytes).fold(0_u64, u64::saturating_add);
    let plain = manifest.content.plain_bytes;
    if files == plain { Ok(()) } else { Err(PackageError::Sizes { files, plain }) }
}

fn decompress(content: &[u8], expected: u64) -> Result<Vec<u8>, PackageError> {
    let failed = |why: String| PackageError::Content { expected, why };
    let mut decoder = zstd::stream::Decoder::with_buffer(content).map_err(|error| failed(error.to_string()))?;
    decoder.window_log_max(WINDOW_LOG_MAX).map_err(|error| failed(error.to_string()))?;
    // Grown as it comes: what the manifest says is not yet true.
    let mut plain = Vec::new();
    decoder
        .by_ref()
        .take(expected.saturating_add(1))
        .read_to_end(&mut plain)
        .map_err(|error| failed(error.to_string()))?;
    if plain.len() as u64 == expected {
        return Ok(plain);
    }
    Err(failed(format!(
        "there are {} {}",
        if plain.len() as u64 > expected { "more than" } else { "only" },
        expected.min(plain.len() as u64)
    )))
}

fn within(what: &'static str, found: u64, limit: u64) -> Result<(), PackageError> {
    if found <= limit { Ok(()) } else { Err(PackageError::TooLarge { what, found, limit }) }
}

fn short(needed: usize, found: usize) -> PackageError {
    PackageError::Short { needed: needed as u64, found: found as u64 }
}
