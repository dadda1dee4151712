//! `lazaret token`: makes a token, shows it once, and keeps only its hash.

use super::screen::Tone;
use super::{Failure, Shell};
use crate::config::tokens::{self, ROLES};
use serde_json::json;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

/// Random bytes of a token: more than anyone can guess, 43 letters to carry.
const TOKEN_BYTES: usize = 32;

/// Flags of `token`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What its bearer may do
    #[arg(long, value_parser = ["target", "forwarder", "viewer", "operator", "administrator"])]
    role: String,
    /// Who carries it, as the audit log will show
    #[arg(long)]
    name: String,
    /// File of hashes to add it to (security.tokens_file)
    #[arg(long, value_name = "FILE")]
    file: PathBuf,
}

/// Makes a token and appends its hash.
///
/// # Errors
/// The file holds something else, or cannot be written.
pub fn run(shell: &Shell, args: &Args) -> Result<(), Failure> {
    debug_assert!(ROLES.iter().any(|(name, _)| *name == args.role), "the parser knows the roles");
    if args.file.exists() {
        let known = tokens::read_file(&args.file).map_err(|error| Failure::Usage(error.to_string()))?;
        if known.iter().any(|token| token.name == args.name) {
            return Err(Failure::Full(format!("a token named '{}' is in {} already", args.name, args.file.display())));
        }
    }
    let mut bytes = [0; TOKEN_BYTES];
    getrandom::fill(&mut bytes).map_err(|error| Failure::No(format!("no randomness: {error}")))?;
    let token: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let hash = blake3::hash(token.as_bytes());
    let name = toml::Value::String(args.name.clone());
    let entry = format!("[[token]]\nname = {name}\nrole = \"{}\"\nblake3 = \"{}\"\n", args.role, hash.to_hex());
    if shell.common.dry_run {
        shell.screen.say(Tone::Faint, &format!("would add to {}:\n{entry}", args.file.display()));
        return Ok(());
    }
    std::fs::OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(&args.file)
        .and_then(|mut file| file.write_all(entry.as_bytes()).and_then(|()| file.sync_all()))
        .map_err(|error| Failure::No(format!("cannot write to {}: {error}", args.file.display())))?;
    if shell.screen.json {
        return shell.screen.value(&json!({"name": args.name, "role": args.role, "token": token}));
    }
    shell.screen.line(&token)?;
    shell.screen.say(Tone::Faint, "shown this once, and kept nowhere; restart the server to let it in");
    Ok(())
}
