//! `defs rollback`: the files of an earlier set under a new, higher number. Numbers only rise: whoever has the bad set
//! takes the good one as newer.

use super::{install, remote};
use crate::cli::screen::Tone;
use crate::cli::{Failure, Shell};
use crate::daemon::clock;
use defcast::keys::SigningKey;
use defcast::package::{Draft, build};
use serde_json::Value;
use std::path::Path;

/// Installs an earlier set again.
///
/// # Errors
/// The key cannot be used, or the server does not answer, has no such set, or refuses.
pub fn run(shell: &Shell, sequence: u64, key: &Path) -> Result<(), Failure> {
    let key = SigningKey::read(key).map_err(|error| Failure::Usage(error.to_string()))?;
    let client = shell.client()?;
    let (old, bytes, newest) = crate::cli::wait(async {
        let old = client.get(&format!("/v1/definitions/{sequence}"), &[]).await?;
        let bytes = remote::fetch(&client, sequence).await?;
        let list = client.get("/v1/definitions", &[]).await?;
        Ok((old, bytes, list.pointer("/definitions/0/sequence").and_then(Value::as_u64).unwrap_or(0)))
    })?;
    if newest == sequence {
        return Err(Failure::No(format!("definitions {sequence} are the newest: there is nothing to go back from")));
    }
    let package = remote::open(&bytes, &old)?;
    let draft = Draft {
        sequence: newest + 1,
        certified: package.manifest.certified,
        created_at: clock::now().to_string(),
        comment: format!("again definitions {sequence}"),
        files: package.files,
    };
    if shell.common.dry_run {
        let text = format!("would install the files of definitions {sequence} as {}", draft.sequence);
        shell.screen.say(Tone::Faint, &text);
        return Ok(());
    }
    let bytes = build(&draft, &key).map_err(|error| Failure::No(error.to_string()))?;
    let told = crate::cli::wait(async { remote::post(&client, bytes).await })?;
    install::installed(shell, &told)
}
