//! Definitions in a folder or a file of this computer, compiled; what gives nothing is said.

use super::screen::{Tone, escaped, path_text};
use super::{Failure, Shell};
use crate::config::amount::counted;
use crate::scanning::{Detector, YaraRules, is_yara};
use scanner::definitions::{Options, Source, Strictness, load};
use scanner::ruleset::{Limits, Ruleset};
use std::path::{Path, PathBuf};

/// Complaints shown one by one; the rest is counted.
const COMPLAINTS_SHOWN: usize = 10;

/// Compiled definitions.
pub struct Compiled {
    /// What finds.
    pub detector: Detector,
    /// Lines that give nothing.
    pub complaints: u64,
}

/// Compiles files; `from` is where they come from, for messages.
///
/// # Errors
/// There is nothing in them, they are too large, or strict and not wholly usable.
pub fn compile_files(
    shell: &Shell,
    from: &Path,
    files: &[(String, Vec<u8>)],
    strictness: Strictness,
) -> Result<Compiled, Failure> {
    let (yara, files): (Vec<_>, Vec<_>) =
        files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).partition(|(name, _)| is_yara(name));
    let sources: Vec<Source<'_>> = files.iter().map(|(name, bytes)| Source { name, bytes }).collect();
    let definitions = load(&sources, Options { strictness, ..Options::default() })
        .map_err(|error| Failure::Usage(format!("{}: {}", path_text(from), escaped(&error.to_string()))))?;
    let mut complaints: Vec<String> = definitions.complaints().map(|(_, text)| text).collect();
    let mut beyond = definitions.rejected_beyond;
    let ruleset = Ruleset::compile(definitions, Limits::default())
        .map_err(|error| Failure::Usage(format!("{}: {error}", path_text(from))))?;
    complaints.extend(ruleset.unusable().iter().map(|unusable| format!("{}: {}", unusable.name, unusable.why)));
    let yara = match yara.is_empty() {
        true => None,
        false => Some(yara_rules(&yara, ruleset.len())?),
    };
    if let Some(report) = yara.as_ref().map(YaraRules::report) {
        complaints.extend(report.complaints.iter().map(ToString::to_string));
        beyond += report.complaints_beyond;
    }
    let detector = Detector { ruleset, yara };
    if strictness == Strictness::Strict && !complaints.is_empty() {
        return Err(Failure::Usage(escaped(&complaints.join("\n"))));
    }
    if detector.is_empty() {
        let why = complaints.first().map(|first| format!("\n{}", escaped(first))).unwrap_or_default();
        return Err(Failure::Usage(format!("{}: no definitions in it{why}", path_text(from))));
    }
    let more = (complaints.len().saturating_sub(COMPLAINTS_SHOWN)) as u64 + beyond;
    for complaint in complaints.iter().take(COMPLAINTS_SHOWN) {
        shell.screen.say(Tone::Warn, &escaped(complaint));
    }
    if more > 0 {
        shell.screen.say(Tone::Warn, &format!("and {} more", counted(more, "line")));
    }
    Ok(Compiled { detector, complaints: complaints.len() as u64 + beyond })
}

fn yara_rules(files: &[(&str, &[u8])], first: usize) -> Result<YaraRules, Failure> {
    let program = std::env::current_exe().map_err(|error| Failure::No(format!("cannot find this program: {error}")))?;
    YaraRules::start(&program, files, first).map_err(|error| Failure::Usage(escaped(&error.to_string())))
}

/// Names and contents: of the one file, or of every file in a folder, by name.
///
/// # Errors
/// One of them cannot be read.
pub fn read(defs: &Path) -> Result<Vec<(String, Vec<u8>)>, Failure> {
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
