//! Packages between this computer and a server.

use crate::cli::screen::path_text;
use crate::cli::{Failure, client::Client};
use defcast::keys::{PublicKey, TrustedKeys};
use defcast::package::{Limits, Package};
use serde_json::Value;
use std::path::Path;

/// A package file as it is; whether it is one is for the server to say.
pub fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(|error| Failure::Usage(format!("{}: {error}", path_text(path))))
}

/// A package opened with the key that a server vouched for by answering for this package.
pub fn open(bytes: &[u8], answer: &Value) -> Result<Package, Failure> {
    let line = answer.get("key").and_then(Value::as_str).unwrap_or_default();
    let key =
        PublicKey::parse(line).ok_or_else(|| Failure::No("the server names no key for the package".to_owned()))?;
    Package::open(bytes, &TrustedKeys::new(vec![key]), Limits::default())
        .map_err(|error| Failure::No(format!("the package cannot be opened: {error}")))
}

/// The package of a set on the server.
pub async fn fetch(client: &Client, sequence: u64) -> Result<Vec<u8>, Failure> {
    let mut response = client.open(&format!("/v1/definitions/{sequence}/package")).await?;
    let mut bytes = Vec::new();
    let broken = |error: reqwest::Error| Failure::Unreachable(format!("the package broke off: {error}"));
    while let Some(chunk) = response.chunk().await.map_err(broken)? {
        if bytes.len() as u64 + chunk.len() as u64 > Limits::default().package_bytes_max {
            return Err(Failure::No("the package is larger than any may be".to_owned()));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// Brings a package to the server.
pub async fn post(client: &Client, bytes: Vec<u8>) -> Result<Value, Failure> {
    client.send_bytes("/v1/definitions", bytes).await
}
