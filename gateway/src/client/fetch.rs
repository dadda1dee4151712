//! Definitions come in: into a file, from where an earlier attempt ended.

use super::{Client, Direction, Trouble, bounded};
use crate::message::names;
use model::Sequence;
use reqwest::{Response, StatusCode};
use std::io::Write as _;
use std::path::Path;

/// Bytes of an error's body that are read and thrown away, so that the connection can be used again.
const REFUSAL_BYTES_MAX: usize = 64 << 10;

/// How far a download has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Bytes that are there.
    pub bytes: u64,
    /// Bytes that came in this attempt.
    pub came: u64,
}

impl Client {
    /// Fetches a set into `file`, going on behind what is in it already. It is whole when this returns; what it is worth,
    /// its own signature says.
    ///
    /// # Errors
    /// See [`Trouble`]; what came stays in the file for the next attempt.
    pub async fn fetch(&self, sequence: Sequence, file: &Path, bytes_max: u64) -> Result<Progress, Trouble> {
        let disk = |error: std::io::Error| Trouble::Disk(error.to_string());
        let mut out = std::fs::OpenOptions::new().create(true).append(true).open(file).map_err(disk)?;
        let mut bytes = out.metadata().map_err(disk)?.len();
        let url = self.url(Direction::In, &format!("definitions/{}", sequence.0));
        let mut request = self.with_customer(self.download.get(url)).header(names::NONCE, super::nonce()?);
        if bytes > 0 {
            request = request.header("range", format!("bytes={bytes}-"));
        }
        let mut response = request.send().await.map_err(|error| Trouble::of(&error))?;
        let status = response.status();
        if status == StatusCode::NOT_FOUND || status == StatusCode::FORBIDDEN {
            bounded(response, REFUSAL_BYTES_MAX).await?;
            return Err(Trouble::NoSet(sequence.0));
        }
        if status == StatusCode::RANGE_NOT_SATISFIABLE {
            // All of it was there, or it is another file by now: the package's own digests tell these apart.
            bounded(response, REFUSAL_BYTES_MAX).await?;
            return Ok(Progress { bytes, came: 0 });
        }
        if status == StatusCode::OK && bytes > 0 {
            // The other side begins anew.
            out.set_len(0).map_err(disk)?;
            bytes = 0;
        }
        response = self.expected(response)?;
        if status == StatusCode::PARTIAL_CONTENT && begins_at(&response) != Some(bytes) {
            out.set_len(0).map_err(disk)?;
            return Err(Trouble::Nonsense(format!(
                "it sent another part of definitions {} than was asked for",
                sequence.0
            )));
        }
        let before = bytes;
        while let Some(chunk) = response.chunk().await.map_err(|error| Trouble::of(&error))? {
            bytes += chunk.len() as u64;
            if bytes > bytes_max {
                out.set_len(0).map_err(disk)?;
                return Err(Trouble::Oversized { bytes_max });
            }
            out.write_all(&chunk).map_err(disk)?;
        }
        Ok(Progress { bytes, came: bytes - before })
    }
}

/// Where a part begins.
fn begins_at(response: &Response) -> Option<u64> {
    let range = response.headers().get("content-range")?.to_str().ok()?;
    range.strip_prefix("bytes ")?.split('-').next()?.parse().ok()
}
