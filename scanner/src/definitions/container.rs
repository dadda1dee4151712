//! Containers: 512 bytes of header, then a tar archive, deflated (`.cvd`, `.cud`) or not (`.cld`).
//!
//! The header's digital signature is read and not verified: it proves who built the container, and what is installed
//! here is proved by the signature of the package it comes in. The MD5 of a `.cvd` is compared: it guards against
//! truncation.

mod header;
mod tar;

pub use header::Header;

use super::ignore::md5;
use super::limits;
use std::io::Read as _;

/// What a container can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Assurance {
    /// `.cvd`: the MD5 of the header is that of the rest.
    Digested,
    /// `.cld`, `.cud`: changed or made locally.
    Local,
}

/// What is wrong with a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum ContainerFault {
    /// Fewer than 512 bytes, or not the fields of a header.
    #[error("the container's header is not well formed")]
    Header,
    /// Truncated or changed.
    #[error("the container's content does not have the MD5 of its header")]
    Digest,
    /// Broken compression.
    #[error("the container cannot be decompressed")]
    Compression,
    /// See `limits`.
    #[error("the container expands beyond its bounds")]
    Expansion,
    /// Broken archive.
    #[error("the container's archive is not well formed")]
    Archive,
    /// See `limits`.
    #[error("the container has too many members")]
    ManyMembers,
}

/// A file within a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    /// Its name, without folders.
    pub name: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// Unpacks a container; `bytes_max` is how much it may still expand to.
pub(crate) fn unpack(
    bytes: &[u8],
    assurance: Assurance,
    bytes_max: u64,
) -> Result<(Header, Vec<Member>), ContainerFault> {
    let (header, content) = Header::read(bytes).ok_or(ContainerFault::Header)?;
    if assurance == Assurance::Digested && header.md5 != Some(md5(content)) {
        return Err(ContainerFault::Digest);
    }
    let bytes_max = bytes_max.min(limits::CONTAINER_BYTES_MAX);
    let members = match content.starts_with(&[0x1f, 0x8b]) {
        true => tar::members(&inflate(content, bytes_max)?)?,
        false if content.len() as u64 > bytes_max => return Err(ContainerFault::Expansion),
        false => tar::members(content)?,
    };
    Ok((header, members))
}

/// Decompresses, stopping at the bound rather than after it.
fn inflate(content: &[u8], bytes_max: u64) -> Result<Vec<u8>, ContainerFault> {
    let by_ratio = (content.len() as u64).saturating_mul(limits::CONTAINER_RATIO_MAX);
    let bytes_max = bytes_max.min(by_ratio.max(limits::CONTAINER_RATIO_FREE_BYTES));
    let mut plain = Vec::new();
    let mut decoder = flate2::read::MultiGzDecoder::new(content).take(bytes_max + 1);
    decoder.read_to_end(&mut plain).map_err(|_| ContainerFault::Compression)?;
    if plain.len() as u64 > bytes_max { Err(ContainerFault::Expansion) } else { Ok(plain) }
}
