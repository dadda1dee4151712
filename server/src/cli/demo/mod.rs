//! `lazaret demo`.

use super::{Failure, Shell};
use std::path::PathBuf;

/// Flags of `demo`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder to work in [default: a fresh one under the system's folder for temporary files]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Leave the data behind
    #[arg(long)]
    keep: bool,
}

/// Runs every step.
///
/// # Errors
/// A step's check does not hold.
pub fn run(_shell: &Shell, args: &Args) -> Result<(), Failure> {
    Err(Failure::No(format!("nothing to show yet in {:?} {}", args.data, args.keep)))
}
