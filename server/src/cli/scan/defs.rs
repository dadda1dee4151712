//! The definitions that `--defs` names, compiled.

use super::Args;
use crate::cli::screen::{Tone, escaped, path_text};
use crate::cli::{Failure, Shell};
use crate::config::amount::counted;
use scanner::definitions::{Options, Source, Strictness, load};
use scanner::ruleset::{Limits, Ruleset};
use std::path::{Path, PathBuf};

/// Complaints shown one by one; the rest is counted.
const COMPLAINTS_SHOWN: usize = 10;

/// Reads and compiles.
///
/// # Errors
/// Nothing can be read, the definitions are too large, or strict and not wholly usable.
pub(super) fn compile(shell: &Shell, args: &Args) -> Result<Ruleset, Failure> {
    let files = read(&args.defs)?;
    let sources: Vec<Source<'_>> = files.iter().map(|(name, bytes)| Source { name, bytes }).collect();
    let strictness = if args.strict { Strictness::Strict } else { Strictness::Lenient };
    let definitions = load(&sources, Options { strictness, ..Options::default() })
        .map_err(|error| Failure::Usage(format!("{}: {}", path_text(&args.defs), escaped(&error.to_string()))))?;
    let mut complaints: Vec<String> = definitions.complaints().map(|(_, text)| text).collect();
    let beyond = definitions.rejected_beyond;
    let ruleset = Ruleset::compile(definitions, Limits::default())
        .map_err(|error| Failure::Usage(format!("{}: {error}", path_text(&args.defs))))?;
    complaints.extend(ruleset.unusable().iter().map(|unusable| format!("{}: {}", unusable.name, unusable.why)));
    if args.strict && !complaints.is_empty() {
        return Err(Failure::Usage(escaped(&complaints.join("\n"))));
    }
    if ruleset.is_empty() {
        let why = complaints.first().map(|first| format!("\n{}", escaped(first))).unwrap_or_default();
        return Err(Failure::Usage(format!("{}: no definitions in it{why}", path_text(&args.defs))));
    }
    let more = (complaints.len().saturating_sub(COMPLAINTS_SHOWN)) as u64 + beyond;
    for complaint in complaints.iter().take(COMPLAINTS_SHOWN) {
        shell.screen.say(Tone::Warn, &escaped(complaint));
    }
    if more > 0 {
        shell.screen.say(Tone::Warn, &format!("and {} more", counted(more, "line")));
    }
    Ok(ruleset)
}

/// Names and contents: of the one file, or of every file in a folder, by name.
fn read(defs: &Path) -> Result<Vec<(String, Vec<u8>)>, Failure> {
    let fault = |path: &Path, error: &std::io::Error| Failure::Usage(format!("{}: {error}", path_text(path)));
    let metadata = std::fs::metadata(defs).map_err(|error| fault(defs, &error))?;
    let mut paths: Vec<PathBuf> = vec![defs.to_owned()];
    if metadata.is_dir() {
        let entries = std::fs::read_dir(defs).and_then(|entries| entries.collect::<Result<Vec<_>, _>>());
        let entries = entries.map_err(|error| fault(defs, &error))?;
        paths = entries.into_iter().map(|entry| entry.path()).filter(|path| path.is_file()).collect();
        paths.sort_unstable();
    }
    paths
        .into_iter()
        .map(|path| {
            let bytes = std::fs::read(&path).map_err(|error| fault(&path, &error))?;
            Ok((path.file_name().unwrap_or_default().to_string_lossy().into_owned(), bytes))
        })
        .collect()
}
