//! `verify` and `rebuild`: work on a data directory that no server has open.

use super::Failure;
use super::Shell;
use std::path::PathBuf;

/// Flags of both.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder of the quarantine
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
}

/// Reads every stored byte.
///
/// # Errors
/// Damage was found, or the directory cannot be opened.
pub fn verify(_shell: &Shell, _args: &Args) -> Result<(), Failure> {
    Err(Failure::No("the engine is not here yet".to_owned()))
}

/// Makes the catalogue anew.
///
/// # Errors
/// The directory cannot be opened.
pub fn rebuild(_shell: &Shell, _args: &Args) -> Result<(), Failure> {
    Err(Failure::No("the engine is not here yet".to_owned()))
}
