//! `defs install`: a package comes into use.

use super::remote;
use crate::cli::screen::{Tone, path_text};
use crate::cli::{Failure, Shell};
use crate::config::amount::counted;
use serde_json::Value;
use std::path::Path;

/// Installs a package.
///
/// # Errors
/// The file cannot be read, or the server does not answer or refuses.
pub fn run(shell: &Shell, file: &Path) -> Result<(), Failure> {
    let bytes = remote::read(file)?;
    if shell.common.dry_run {
        shell.screen.say(Tone::Faint, &format!("would install {}", path_text(file)));
        return Ok(());
    }
    let client = shell.client()?;
    let told = crate::cli::wait(async { remote::post(&client, bytes).await })?;
    installed(shell, &told)
}

/// Says what is in use now.
pub fn installed(shell: &Shell, told: &Value) -> Result<(), Failure> {
    if shell.screen.json {
        return shell.screen.value(told);
    }
    let number = |name: &str| told.get(name).and_then(Value::as_u64);
    let complaints = number("complaints").unwrap_or(0);
    let more =
        if complaints > 0 { format!(", {} that give nothing", counted(complaints, "line")) } else { String::new() };
    shell.screen.line(&format!(
        "definitions {} are in use: {}{more}",
        number("sequence").unwrap_or(0),
        counted(number("signatures").unwrap_or(0), "signature"),
    ))?;
    if let Some(before) = number("before") {
        shell.screen.say(
            Tone::Faint,
            &format!("before: {before}; `lazaret retest status` shows how stored samples are tested again"),
        );
    }
    Ok(())
}
