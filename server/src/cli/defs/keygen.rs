//! `defs keygen`: a key that signs definitions.

use crate::cli::screen::{Tone, path_text};
use crate::cli::{Failure, Shell};
use defcast::keys::SigningKey;
use serde_json::json;
use std::path::Path;

/// Makes a key.
///
/// # Errors
/// A file is there already or cannot be written, or the system has no randomness.
pub fn run(shell: &Shell, out: &Path, comment: &str) -> Result<(), Failure> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|error| Failure::No(format!("the system gives no randomness: {error}")))?;
    let key = SigningKey::from_seed(seed, comment);
    let public = key.write(out).map_err(|error| Failure::Usage(error.to_string()))?;
    if shell.screen.json {
        return shell.screen.value(&json!({
            "key": out.to_string_lossy(), "public": public.to_string_lossy(), "id": key.id().to_string(),
        }));
    }
    shell.screen.line(&format!("key {}: {} signs, {} verifies", key.id(), path_text(out), path_text(&public)))?;
    let advice =
        "keep the first where definitions are made; put the second into keys/ in the folder of each quarantine";
    shell.screen.say(Tone::Faint, advice);
    Ok(())
}
