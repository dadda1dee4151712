//! `scan`: files against definitions, offline, answered as the field's scanner answers.
//!
//! ```text
//! --defs  -> Detector         cli/definitions   files read, compiled, complaints said
//! PATH... -> files            paths    in the order of names, links not followed
//! file    -> Verdict          files    opened in the cage, some at once
//! Verdict -> `PATH: NAME FOUND`        in the order of the files
//! ```

mod files;
mod paths;

use super::definitions::{compile_files, read};
use super::screen::{Tone, escaped, path_text};
use super::{Failure, Shell};
pub use files::{Answer, Work};
use scanner::definitions::Strictness;
use scanner::scan::Extent;
use serde_json::json;
use std::path::PathBuf;

/// Flags of `scan`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit codes: 0 nothing found, 1 something found, 2 a file or the definitions could not be read")]
pub struct Args {
    /// A file of definitions (.ndb, .ldb, .hsb, .cvd, ...) or a folder of them
    #[arg(long, value_name = "DIR|FILE")]
    pub defs: PathBuf,
    /// Only say what was found
    #[arg(long, short)]
    pub infected: bool,
    /// Name everything found in a file, not only the first
    #[arg(long, short = 'z')]
    pub allmatch: bool,
    /// Also files in folders in folders
    #[arg(long, short)]
    pub recursive: bool,
    /// Refuse definitions of which any line cannot be used
    #[arg(long)]
    pub strict: bool,
    /// What to scan
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
}

/// Scans files.
///
/// # Errors
/// Something was found, a file could not be read, or the definitions cannot be used.
pub fn run(shell: &Shell, args: &Args) -> Result<(), Failure> {
    let strictness = if args.strict { Strictness::Strict } else { Strictness::Lenient };
    let detector = compile_files(shell, &args.defs, &read(&args.defs)?, strictness)?.detector;
    let extent = if args.allmatch { Extent::Whole } else { Extent::FirstFinding };
    let work = Work::new(detector, extent)?;
    let (mut found, mut failed) = (false, false);
    work.run(&args.paths, args.recursive, &mut |answer| {
        match &answer {
            Answer::Skipped { path, why } => {
                failed = true;
                shell.screen.say(Tone::Warn, &format!("{}: {}", path_text(path), escaped(why)));
            }
            Answer::Passed { path, why } => {
                shell.screen.say(Tone::Faint, &format!("{}: {}", path_text(path), escaped(why)));
            }
            Answer::Scanned { path, names, remarks } => {
                found |= !names.is_empty();
                for remark in remarks {
                    shell.screen.say(Tone::Faint, &format!("{}: {}", path_text(path), escaped(remark)));
                }
                if args.infected && names.is_empty() {
                    return Ok(());
                }
                if shell.screen.json {
                    return shell.screen.value(&json!({
                        "path": path.to_string_lossy(), "found": names, "remarks": remarks,
                    }));
                }
                if names.is_empty() {
                    return shell.screen.line(&format!("{}: {}", path_text(path), Tone::Good.paint("OK")));
                }
                for name in names {
                    let line = format!("{}: {} {}", path_text(path), escaped(name), Tone::Bad.paint("FOUND"));
                    shell.screen.line(&line)?;
                }
            }
        }
        Ok(())
    })?;
    match (failed, found) {
        (true, _) => Err(Failure::Usage("not every file could be scanned; each is named above".to_owned())),
        (false, true) => Err(Failure::Shown),
        (false, false) => Ok(()),
    }
}
