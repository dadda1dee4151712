//! `items repair`: samples as the definitions in use repair them, on this computer. The server applies the recipe and scans
//! the result; nothing that is still found to be bad is written.

use super::text;
use crate::cli::client::Client;
use crate::cli::screen::{Tone, escaped, path_text};
use crate::cli::{Failure, Shell, wait};
use crate::config::amount::{counted, short_bytes};
use serde_json::json;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// A repaired sample is never larger than the sample, which was scanned.
const BYTES_MAX: u64 = 1 << 30;
/// Characters of the original name in the new one.
const NAME_CHARS_MAX: usize = 120;

/// Repairs items.
///
/// # Errors
/// The server does not answer, the folder cannot be written, or at least one item is not repaired.
pub fn run(shell: &Shell, ids: &[u64], to: &Path) -> Result<(), Failure> {
    if !to.is_dir() {
        return Err(Failure::Usage(format!("{} is no folder: name one to put the repaired files into", path_text(to))));
    }
    let client = shell.client()?;
    let mut not_repaired = 0_u64;
    for id in ids {
        match one(shell, &client, *id, to) {
            Ok(()) => {}
            // About this item alone; the others may do better.
            Err(failure @ (Failure::No(_) | Failure::Full(_))) if ids.len() > 1 => {
                not_repaired += 1;
                shell.screen.say(Tone::Bad, &format!("item {id}: {failure}"));
            }
            Err(failure) => return Err(failure),
        }
    }
    if not_repaired == 0 {
        return Ok(());
    }
    Err(Failure::No(format!("{} not repaired", counted(not_repaired, "item"))))
}

fn one(shell: &Shell, client: &Client, id: u64, to: &Path) -> Result<(), Failure> {
    let item = wait(async { client.get(&format!("/v1/items/{id}"), &[]).await })?;
    let path = to.join(file_name(id, text(&item, "/name")));
    if shell.common.dry_run {
        shell.screen.say(Tone::Faint, &format!("would write {}", path_text(&path)));
        return Ok(());
    }
    let (bytes, names) = wait(async { fetch(client, id).await })?;
    write(&path, &bytes)?;
    if shell.screen.json {
        return shell.screen.value(&json!({
            "item": id, "path": path.to_string_lossy(), "bytes": bytes.len(), "signatures": names,
            "blake3": blake3::hash(&bytes).to_hex().to_string(),
        }));
    }
    let names = escaped(&names.join(", "));
    let written = short_bytes(bytes.len() as u64);
    shell
        .screen
        .line(&format!("item {id}: {names} repaired, {written} written to {}, nothing found in it", path_text(&path)))
}

async fn fetch(client: &Client, id: u64) -> Result<(Vec<u8>, Vec<String>), Failure> {
    let mut response = client.open(&format!("/v1/items/{id}/repaired")).await?;
    let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let (digest, names) = (header("x-blake3").unwrap_or_default(), header("x-repaired").unwrap_or_default());
    let names = percent_encoding::percent_decode_str(&names).decode_utf8_lossy().into_owned();
    let mut bytes = Vec::new();
    let broken = |error: reqwest::Error| Failure::Unreachable(format!("the file broke off: {error}"));
    while let Some(chunk) = response.chunk().await.map_err(broken)? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() as u64 > BYTES_MAX {
            return Err(Failure::No("the server sends more than a repaired sample can have".to_owned()));
        }
    }
    if blake3::hash(&bytes).to_hex().as_str() != digest {
        return Err(Failure::No("what the server sent does not have its digest; nothing was written".to_owned()));
    }
    Ok((bytes, names.split(", ").map(str::to_owned).collect()))
}

/// The item's number and the last part of the original path, of which only what is harmless everywhere is kept.
fn file_name(id: u64, original: &str) -> PathBuf {
    let last = original.rsplit(['/', '\\']).next().unwrap_or_default();
    let plain: String = last
        .chars()
        .map(|letter| if letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_') { letter } else { '_' })
        .take(NAME_CHARS_MAX)
        .collect();
    if plain.is_empty() { PathBuf::from(format!("{id}")) } else { PathBuf::from(format!("{id}-{plain}")) }
}

/// A new file, never executable, never over another.
fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let failed = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => Failure::Full(format!("{} is there already", path_text(path))),
        _ => Failure::No(format!("cannot write {}: {error}", path_text(path))),
    };
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(failed)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(|error| {
        // A part of a file is of no use to anyone.
        let _ = std::fs::remove_file(path);
        failed(error)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_name_stays_in_its_folder() {
        for (name, expected) in [
            ("C:\\Users\\a b.doc", "7-a_b.doc"),
            ("/etc/passwd", "7-passwd"),
            ("..", "7-.."),
            ("", "7"),
            ("a/", "7"),
            ("\u{1b}[2J", "7-__2J"),
        ] {
            assert_eq!(file_name(7, name), Path::new(expected), "{name:?}");
        }
    }
}
