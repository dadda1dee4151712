//! `lazaret defs`: sets of definitions, made offline and brought to a server.
//!
//! ```text
//! keygen, build          offline     a key, and a signed package of a folder
//! install, rollback      server      a set comes into use, always under a higher number
//! list, show, diff       server      what is there
//! test                   server      what a set would find, before it is used
//! ```

mod build;
mod install;
mod keygen;
mod remote;
mod rollback;
mod show;
mod test;

use super::{Failure, Shell};
use std::path::PathBuf;

/// Commands on definitions.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Make a key that signs definitions
    Keygen {
        /// The secret key; its public half gets .pub behind the name
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// Whose it is, for people
        #[arg(long, value_name = "TEXT", default_value = "")]
        comment: String,
    },
    /// Make a signed package of a folder of definitions
    Build(build::Args),
    /// Bring a package to the server and use it
    Install {
        /// A package that `defs build` made
        file: PathBuf,
    },
    /// List the sets on the server
    List,
    /// Show one set
    Show {
        /// Its number
        sequence: u64,
    },
    /// Show what one set has more, less and other than another
    Diff {
        /// The older set
        sequence: u64,
        /// The newer set
        other: u64,
    },
    /// Say what a package would detect among what is stored, without using it
    Test {
        /// A package that `defs build` made
        file: PathBuf,
        /// A folder of files in which nothing must be found
        #[arg(long, value_name = "DIR")]
        goodware: Option<PathBuf>,
    },
    /// Use an earlier set again, as a new one with a higher number
    Rollback {
        /// The earlier set
        sequence: u64,
        /// The secret key that signs the new one
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
    },
}

/// Runs a command.
///
/// # Errors
/// A file or key that cannot be used, or the server does not answer or refuses.
pub fn run(shell: &Shell, command: &Command) -> Result<(), Failure> {
    match command {
        Command::Keygen { out, comment } => keygen::run(shell, out, comment),
        Command::Build(args) => build::run(shell, args),
        Command::Install { file } => install::run(shell, file),
        Command::List => show::list(shell),
        Command::Show { sequence } => show::show(shell, *sequence),
        Command::Diff { sequence, other } => show::diff(shell, *sequence, *other),
        Command::Test { file, goodware } => test::run(shell, file, goodware.as_deref()),
        Command::Rollback { sequence, key } => rollback::run(shell, *sequence, key),
    }
}
