//! `defs build`: a folder of definitions becomes a signed package. What no server could use is refused here.

use crate::cli::definitions::{Compiled, compile_files, read};
use crate::cli::screen::path_text;
use crate::cli::{Failure, Shell};
use crate::config::amount::{counted, short_bytes};
use crate::daemon::clock;
use defcast::keys::SigningKey;
use defcast::package::{Draft, build};
use scanner::definitions::Strictness;
use serde_json::json;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// Flags of `defs build`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A folder of definitions (.ndb, .ldb, .hsb, .cvd, ...), or one file
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
    /// The set's number, higher than any before
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub sequence: u64,
    /// Mark it as tested
    #[arg(long)]
    pub certified: bool,
    /// For people who look at it later
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub comment: String,
    /// Refuse definitions of which any line cannot be used
    #[arg(long)]
    pub strict: bool,
    /// The secret key that signs it
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
    /// The package
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

/// Makes a package.
///
/// # Errors
/// The definitions or the key cannot be used, or the package is there already or cannot be written.
pub fn run(shell: &Shell, args: &Args) -> Result<(), Failure> {
    let key = SigningKey::read(&args.key).map_err(|error| Failure::Usage(error.to_string()))?;
    let files = read(&args.dir)?;
    let strictness = if args.strict { Strictness::Strict } else { Strictness::Lenient };
    let Compiled { detector, complaints } = compile_files(shell, &args.dir, &files, strictness)?;
    let draft = Draft {
        sequence: args.sequence,
        certified: args.certified,
        created_at: clock::now().to_string(),
        comment: args.comment.clone(),
        files,
    };
    let package = build(&draft, &key).map_err(|error| Failure::Usage(format!("{}: {error}", path_text(&args.dir))))?;
    if !shell.common.dry_run {
        write(&args.out, &package)?;
    }
    if shell.screen.json {
        return shell.screen.value(&json!({
            "path": args.out.to_string_lossy(), "sequence": args.sequence, "certified": args.certified,
            "signatures": detector.len(), "complaints": complaints, "bytes": package.len(), "key": key.id().to_string(),
        }));
    }
    shell.screen.line(&format!(
        "{}: definitions {}, {}, {}, signed by {}",
        path_text(&args.out),
        args.sequence,
        counted(detector.len() as u64, "signature"),
        short_bytes(package.len() as u64),
        key.id()
    ))
}

/// Under its name all or nothing, and never over another.
fn write(path: &Path, package: &[u8]) -> Result<(), Failure> {
    let failed = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            Failure::Usage(format!("{} is there already: a package is never overwritten", path_text(path)))
        }
        _ => Failure::Usage(format!("cannot write {}: {error}", path_text(path))),
    };
    let mut coming = path.as_os_str().to_owned();
    coming.push(".coming");
    let coming = PathBuf::from(coming);
    let written =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o644).open(&coming).and_then(|mut file| {
            file.write_all(package)?;
            file.sync_all()?;
            // Fails where the name is taken, as a rename would not.
            std::fs::hard_link(&coming, path)
        });
    let removed = std::fs::remove_file(&coming);
    written.and(removed).map_err(failed)
}
