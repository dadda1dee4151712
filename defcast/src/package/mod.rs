//! One numbered set of definitions in one file, signed.
//!
//! ```text
//! 0    8   magic "LZDEFS\r\n"; the line end shows a transfer that changes text
//! 8    2   version, 1                                 numbers are little-endian
//! 10   2   signatures that follow, 1 to 8
//! 12   4   bytes of the manifest
//! 16       signatures: 8 bytes of key id and 64 of Ed25519 each, over PREFIX and the manifest
//!          the manifest: JSON
//!          the content: one zstd frame of all files, one behind the other in the manifest's order
//! ```
//!
//! 1. Nothing is parsed or decompressed before a trusted signature has vouched for the manifest.
//! 2. The content is read only as far as the manifest says it goes, and is what the manifest's digests say it is.
//! 3. The same draft and key make the same bytes.

mod build;
mod manifest;
mod open;

pub use build::{BuildError, Draft, build};
pub use manifest::{Content, FileEntry, Manifest};
pub use open::{Package, PackageError};

use thiserror::Error;

/// The first bytes.
pub(crate) const MAGIC: &[u8; 8] = b"LZDEFS\r\n";
/// The layout.
pub(crate) const VERSION: u16 = 1;
/// Bytes before the signatures.
pub(crate) const HEAD_BYTES: usize = 16;
/// Bytes of one signature with its key's id.
pub(crate) const SIGNATURE_BYTES: usize = 72;
/// Signatures of one package.
pub(crate) const SIGNATURES_MAX: usize = 8;
/// Signed before the manifest, so that no signature made for anything else is one of a package.
pub(crate) const PREFIX: &[u8] = b"lazaret definitions package 1\0";
/// Memory that the content's frame may ask for, as a power of two: 128 MiB, more than any level of ours does.
pub(crate) const WINDOW_LOG_MAX: u32 = 27;

/// What a package may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the package.
    pub package_bytes_max: u64,
    /// Bytes of all files together.
    pub plain_bytes_max: u64,
    /// Files.
    pub files_max: usize,
    /// Bytes of the manifest.
    pub manifest_bytes_max: usize,
}

impl Default for Limits {
    /// Ten times the field's largest public set.
    fn default() -> Self {
        Self { package_bytes_max: 1 << 30, plain_bytes_max: 4 << 30, files_max: 1024, manifest_bytes_max: 1 << 20 }
    }
}

/// Why a name is none for a file in a package.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("'{}' is no name for a file of definitions: letters, digits, '.', '-' and '_' are, at most 128, not beginning with '.'", .0.escape_debug())]
pub struct BadName(pub String);

/// Whether a file can have this name: one plain component on every system.
pub(crate) fn check_name(name: &str) -> Result<(), BadName> {
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'));
    if plain && (1..=128).contains(&name.len()) && !name.starts_with('.') {
        Ok(())
    } else {
        Err(BadName(name.chars().take(128).collect()))
    }
}
