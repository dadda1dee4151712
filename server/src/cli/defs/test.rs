//! `defs test`: what a package would detect among what is stored, and whether it finds anything where nothing must be.

use super::remote;
use crate::cli::definitions::compile_files;
use crate::cli::scan::{Answer, Work};
use crate::cli::screen::{Tone, escaped, path_text, steps};
use crate::cli::{Failure, Shell};
use crate::config::amount::{counted, grouped};
use scanner::definitions::Strictness;
use scanner::scan::Extent;
use serde_json::{Value, json};
use std::path::Path;

/// Samples and files named; the rest is counted.
const NAMED_MAX: usize = 20;

/// Tests a package.
///
/// # Errors
/// The package cannot be used, the server does not answer or refuses; or a good file is found to be bad.
pub fn run(shell: &Shell, file: &Path, goodware: Option<&Path>) -> Result<(), Failure> {
    let bytes = remote::read(file)?;
    let client = shell.client()?;
    let sent = bytes.clone();
    let mut told = crate::cli::wait(async {
        let bar = steps("test");
        let answer = client
            .follow("/v1/definitions/test", sent, &mut |line| {
                if let Some(samples) = line.get("samples").and_then(Value::as_u64) {
                    bar.set_length(samples);
                    bar.set_position(line.get("answered").and_then(Value::as_u64).unwrap_or(0));
                }
            })
            .await;
        bar.finish_and_clear();
        answer
    })?;
    let good = goodware.map(|dir| hits(shell, &bytes, &told, dir)).transpose()?;
    if let (Some(good), Value::Object(members)) = (&good, &mut told) {
        members.insert("goodware".to_owned(), json!({"files": good.files, "hits": good.hits}));
    }
    if shell.screen.json {
        shell.screen.value(&told)?;
    } else {
        show(shell, &told, good.as_ref())?;
    }
    match good {
        Some(good) if !good.hits.is_empty() => {
            Err(Failure::No(format!("{} of the good files are found to be bad", grouped(good.hits.len() as u64))))
        }
        Some(_) | None => Ok(()),
    }
}

fn show(shell: &Shell, told: &Value, good: Option<&Goodware>) -> Result<(), Failure> {
    let number = |name: &str| told.get(name).and_then(Value::as_u64).unwrap_or(0);
    shell.screen.line(&format!("{:<20}{}", "samples tested", grouped(number("samples"))))?;
    for (name, label, tone) in [
        ("detected", "detected", Tone::Plain),
        ("newly_detected", "newly detected", Tone::Good),
        ("no_longer_detected", "no longer detected", Tone::Warn),
        ("faults", "not tested", Tone::Bad),
    ] {
        let count = number(name);
        let tone = if count > 0 { tone } else { Tone::Faint };
        shell.screen.line(&format!("{label:<20}{}", tone.paint(&grouped(count))))?;
    }
    for (list, sign) in [("newly", '+'), ("no_longer", '-')] {
        for sample in told.get(list).and_then(Value::as_array).into_iter().flatten().take(NAMED_MAX) {
            let names: Vec<String> = sample
                .get("signatures")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .map(|name| escaped(name.as_str().unwrap_or_default()))
                .collect();
            let blake3 = sample.get("blake3").and_then(Value::as_str).map(escaped).unwrap_or_default();
            shell.screen.line(&format!("{sign} {blake3}  {}", names.join(", ")))?;
        }
    }
    if let Some(good) = good {
        let tone = if good.hits.is_empty() { Tone::Good } else { Tone::Bad };
        let hits = tone.paint(&counted(good.hits.len() as u64, "hit"));
        shell.screen.line(&format!("{:<20}{}, {hits}", "good files", grouped(good.files)))?;
        for (path, name) in good.hits.iter().take(NAMED_MAX) {
            shell.screen.line(&format!("! {}: {}", escaped(path), escaped(name)))?;
        }
    }
    Ok(())
}

/// What was found where nothing must be.
struct Goodware {
    files: u64,
    hits: Vec<(String, String)>,
}

fn hits(shell: &Shell, bytes: &[u8], told: &Value, dir: &Path) -> Result<Goodware, Failure> {
    let package = remote::open(bytes, told)?;
    let detector = compile_files(shell, dir, &package.files, Strictness::Lenient)?.detector;
    let mut good = Goodware { files: 0, hits: Vec::new() };
    Work::new(detector, Extent::FirstFinding)?.run(&[dir.to_owned()], true, &mut |answer| {
        match answer {
            Answer::Scanned { path, names, .. } => {
                good.files += 1;
                good.hits.extend(names.into_iter().map(|name| (path.to_string_lossy().into_owned(), name)));
            }
            Answer::Passed { .. } => {}
            Answer::Skipped { path, why } => {
                shell.screen.say(Tone::Warn, &format!("{}: {}", path_text(&path), escaped(&why)));
            }
        }
        Ok(())
    })?;
    Ok(good)
}
