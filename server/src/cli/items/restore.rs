//! `items restore`: a sample back on this computer, as it came in (first seed, "Restoring files": no repair is
//! attempted, and the copy goes to the console's computer).
//! 1. Nothing appears under the wanted name before every byte is there and has the item's digest.
//! 2. The file is never executable and readable by nobody else.
//! 3. What was there before is replaced only when the person said so.

use super::text;
use crate::cli::screen::{Tone, path_text, progress};
use crate::cli::{Failure, Shell, wait};
use crate::config::amount::short_bytes;
use model::Blake3;
use serde_json::json;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Restores an item's sample.
///
/// # Errors
/// The server does not answer or refuses, the name is taken, the bytes do not have the digest.
pub fn run(shell: &Shell, id: u64, to: &Path) -> Result<(), Failure> {
    let shown = path_text(to);
    if to.as_os_str() == "-" {
        let why = "a sample is not written to stdout: name a file, and ./- when it is to be called so";
        return Err(Failure::Usage(why.to_owned()));
    }
    if to.is_dir() {
        return Err(Failure::Usage(format!("{shown} is a directory: name the file to write")));
    }
    let taken = std::fs::symlink_metadata(to).is_ok();
    let client = shell.client()?;
    let item = wait(async { client.get(&format!("/v1/items/{id}"), &[]).await })?;
    let digest: Blake3 = text(&item, "/sample/blake3")
        .parse()
        .map_err(|error| Failure::No(format!("the server's answer names no digest: {error}")))?;
    let bytes = item.pointer("/sample/bytes").and_then(serde_json::Value::as_u64).unwrap_or(0);
    if shell.common.dry_run {
        shell.screen.say(Tone::Faint, &format!("would write {} to {shown}", short_bytes(bytes)));
        return Ok(());
    }
    if taken && !shell.common.yes {
        return Err(Failure::Full(format!("{shown} is there already: say --yes to replace it")));
    }
    shell.screen.say(Tone::Warn, "warning: this may be live malware; it is restored as it came in, without repair");
    let (fresh, out) = fresh_file(to)?;
    let bar = progress(bytes, "restore");
    let restored = wait(async { copy(&client, id, out, &bar).await }).and_then(|(found, count)| {
        if found != digest || count != bytes {
            return Err(Failure::No(format!(
                "what the server sent is not the sample: {count} bytes with digest {found}, expected {bytes} with \
                 {digest}; nothing was written to {shown}"
            )));
        }
        place(&fresh, to, taken).map_err(|error| Failure::No(format!("cannot write {shown}: {error}")))
    });
    bar.finish_and_clear();
    if let Err(failure) = restored {
        // A part of a sample is of no use to anyone.
        let _ = std::fs::remove_file(&fresh);
        return Err(failure);
    }
    if shell.screen.json {
        return shell
            .screen
            .value(&json!({"item": id, "blake3": digest, "bytes": bytes, "path": to.to_string_lossy()}));
    }
    shell.screen.line(&format!("item {id}: {} written to {shown}, digest verified", short_bytes(bytes)))
}

/// A new file beside the wanted one, so that renaming it there is one step.
fn fresh_file(to: &Path) -> Result<(PathBuf, File), Failure> {
    let dir = to.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let fresh = dir.join(format!(".lazaret-restore-{}", std::process::id()));
    let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh);
    opened
        .map(|file| (fresh, file))
        .map_err(|error| Failure::No(format!("cannot write in {}: {error}", path_text(dir))))
}

/// Gives the finished file its name. A name that was free is taken without replacing what came meanwhile.
fn place(fresh: &Path, to: &Path, replace: bool) -> std::io::Result<()> {
    if replace {
        return std::fs::rename(fresh, to);
    }
    std::fs::hard_link(fresh, to)?;
    std::fs::remove_file(fresh)
}

async fn copy(
    client: &crate::cli::client::Client,
    id: u64,
    mut out: File,
    bar: &indicatif::ProgressBar,
) -> Result<(Blake3, u64), Failure> {
    let mut response = client.open(&format!("/v1/items/{id}/sample")).await?;
    let (mut hasher, mut count) = (blake3::Hasher::new(), 0);
    let broken = |error: &dyn std::error::Error| Failure::Unreachable(format!("the sample broke off: {error}"));
    while let Some(chunk) = response.chunk().await.map_err(|error| broken(&error))? {
        hasher.update(&chunk);
        count += chunk.len() as u64;
        out.write_all(&chunk).map_err(|error| Failure::No(format!("cannot write the sample: {error}")))?;
        bar.inc(chunk.len() as u64);
    }
    out.sync_all().map_err(|error| Failure::No(format!("cannot write the sample: {error}")))?;
    Ok((Blake3(*hasher.finalize().as_bytes()), count))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_restored_file_is_never_executable_and_replaces_nothing_unasked() {
        let dir = tempfile::tempdir().expect("a folder");
        let to = dir.path().join("sample");
        let (fresh, _) = fresh_file(&to).expect("a writable folder");
        assert_eq!(std::fs::metadata(&fresh).expect("there").permissions().mode() & 0o777, 0o600);
        std::fs::write(&to, "mine").expect("writable");
        assert!(place(&fresh, &to, false).is_err());
        assert_eq!(std::fs::read(&to).expect("still there"), b"mine");
        place(&fresh, &to, true).expect("replaced when asked");
        assert_eq!(std::fs::read(&to).expect("there"), b"");
    }
}
