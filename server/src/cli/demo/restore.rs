//! Samples come back as they went in.

use super::corpus;
use super::stage::Stage;
use crate::cli::Failure;
use crate::config::amount::{grouped, short_bytes};
use std::os::unix::fs::PermissionsExt;
use std::time::Instant;

/// Every how many-th item is read back and compared.
const EVERY: usize = 7;

/// The step.
///
/// # Errors
/// A check does not hold.
pub fn run(stage: &mut Stage) -> Result<(), Failure> {
    let eicar = corpus::digest(&corpus::eicar());
    let found = stage.truth.items.iter().find(|(_, digest)| **digest == eicar);
    let (item, digest) =
        found.map(|(item, digest)| (*item, *digest)).ok_or_else(|| Failure::No("no EICAR item".to_owned()))?;
    let to = stage.scratch.join("restored");
    let path = to.to_string_lossy().into_owned();
    let id = item.to_string();
    stage.narrator.command(&format!("lazaret items restore {id} --to {path}"))?;
    let restored = stage.run(&["items", "restore", &id, "--to", &path])?;
    let content = std::fs::read(&to).unwrap_or_default();
    let mode = std::fs::metadata(&to).map_or(0, |metadata| metadata.permissions().mode() & 0o777);
    let same = restored.status.success() && content == corpus::eicar() && corpus::digest(&content) == digest;
    stage
        .narrator
        .check(same && mode == 0o600, &format!("the EICAR file is back, byte for byte, with mode {mode:04o}"))?;
    let again = stage.run(&["items", "restore", &id, "--to", &path])?.status.code();
    stage.narrator.check(again == Some(5), "restoring over it is refused without --yes (exit 5)")?;
    let client = stage.client()?;
    let started = Instant::now();
    let (mut items, mut bytes, mut wrong) = (0_u64, 0_u64, 0_u64);
    for (item, digest) in stage.truth.items.iter().step_by(EVERY) {
        let read = stage.wait(async {
            let mut response = client.open(&format!("/v1/items/{item}/sample")).await?;
            let mut hasher = blake3::Hasher::new();
            let mut count = 0_u64;
            while let Ok(Some(chunk)) = response.chunk().await {
                hasher.update(&chunk);
                count += chunk.len() as u64;
            }
            Ok::<_, Failure>((hasher.finalize(), count))
        })?;
        items += 1;
        bytes += read.1;
        wrong += u64::from(read.0.as_bytes() != &digest.0);
    }
    let rate = bytes as f64 / started.elapsed().as_secs_f64();
    stage.narrator.check(
        wrong == 0 && items > 0,
        &format!(
            "{} more items read back ({}, {}/s): {wrong} differ",
            grouped(items),
            short_bytes(bytes),
            short_bytes(rate as u64)
        ),
    )
}
