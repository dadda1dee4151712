//! `verify` and `rebuild`: work on a data directory that no server has open. Both take the directory's lock, so
//! they refuse while a server runs.

use super::screen::{Column, Table, Tone, escaped, progress};
use super::{Failure, Shell};
use crate::config::amount::{counted, short_bytes, short_span};
use engine::{Damage, IoMode, OpenError, Progress, TornTail};
use indicatif::ProgressBar;
use serde_json::{Value, json};
use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

/// Damaged places shown to a person; `--json` lists them all.
const DAMAGE_ROWS_MAX: usize = 50;

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
pub fn verify(shell: &Shell, args: &Args) -> Result<(), Failure> {
    let disk = disk(&args.data)?;
    if shell.common.dry_run {
        return would(shell, "read every byte of", &args.data);
    }
    let (started, bar) = (Instant::now(), progress(0, "verify"));
    let report = engine::verify(&args.data, disk, &mut |done| advance(&bar, done));
    bar.finish_and_clear();
    let report = report.map_err(|error| not_opened(&error))?;
    if shell.screen.json {
        shell.screen.value(&json!({
            "ok": report.damage.is_empty(),
            "segments": report.segments,
            "samples": report.samples,
            "items": report.items,
            "bytes": report.bytes,
            "seconds": started.elapsed().as_secs_f64(),
            "damage": report.damage.iter().map(damage_json).collect::<Vec<_>>(),
            "healed": report.healed.iter().map(damage_json).collect::<Vec<_>>(),
            "cut": report.torn.iter().map(cut_json).collect::<Vec<_>>(),
        }))?;
    } else {
        shell.screen.line(&format!(
            "{}, {}, {}: {} read in {}",
            counted(report.segments, "segment"),
            counted(report.samples, "sample"),
            counted(report.items, "item"),
            short_bytes(report.bytes),
            short_span(started.elapsed())
        ))?;
        for tail in &report.torn {
            shell.screen.line(&escaped(&tail.to_string()))?;
        }
        if !report.healed.is_empty() {
            let places = counted(report.healed.len() as u64, "damaged place");
            shell.screen.line(&format!("{places} in samples that came again and are stored anew"))?;
        }
        if report.damage.is_empty() {
            shell.screen.line(&Tone::Good.paint("no damage"))?;
        } else {
            shell.screen.table(&damage_table(&report.damage))?;
        }
    }
    if report.damage.is_empty() {
        return Ok(());
    }
    Err(Failure::No(format!(
        "{}; what is not named is intact, and what is named is stored anew when its client forwards it again",
        counted(report.damage.len() as u64, "damaged place")
    )))
}

/// Makes the catalogue anew.
///
/// # Errors
/// The directory cannot be opened.
pub fn rebuild(shell: &Shell, args: &Args) -> Result<(), Failure> {
    let disk = disk(&args.data)?;
    if shell.common.dry_run {
        return would(shell, "make the catalogue anew in", &args.data);
    }
    let (started, bar) = (Instant::now(), progress(0, "rebuild"));
    let report = engine::rebuild(&args.data, disk, &mut |done| advance(&bar, done));
    bar.finish_and_clear();
    let report = report.map_err(|error| not_opened(&error))?;
    if shell.screen.json {
        return shell.screen.value(&json!({
            "items": report.items,
            "samples": report.samples,
            "records": report.records,
            "seconds": started.elapsed().as_secs_f64(),
        }));
    }
    shell.screen.line(&format!(
        "{} on {} listed again from {} of the log in {}",
        counted(report.items, "item"),
        counted(report.samples, "sample"),
        counted(report.records, "record"),
        short_span(started.elapsed())
    ))
}

/// Opening would make a store where there is none, so a mistyped name is refused first.
fn disk(data: &Path) -> Result<Arc<dyn engine::disk::Disk>, Failure> {
    let none = |why: &str| Failure::Usage(format!("there is no quarantine in {}: {why}", data.display()));
    let mut entries = std::fs::read_dir(data).map_err(|error| none(&error.to_string()))?.peekable();
    if entries.peek().is_none() {
        return Err(none("it is empty"));
    }
    // Either is enough: what is missing then is named by whoever opens the store.
    let ours = |name: std::ffi::OsString| name == "segments" || name == "store.key";
    if !entries.any(|entry| entry.is_ok_and(|entry| ours(entry.file_name()))) {
        return Err(none("it holds neither segments nor a store.key"));
    }
    engine::disk(IoMode::Plain).map_err(|error| Failure::No(format!("cannot use the disk: {error}")))
}

fn would(shell: &Shell, what: &str, data: &Path) -> Result<(), Failure> {
    shell.screen.say(Tone::Faint, &format!("would {what} {}", data.display()));
    Ok(())
}

fn advance(bar: &ProgressBar, done: Progress) {
    bar.set_length(done.total_bytes);
    bar.set_position(done.done_bytes);
}

fn not_opened(error: &OpenError) -> Failure {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text += &format!(": {next}");
        cause = next.source();
    }
    match error {
        OpenError::InUse(_) => Failure::Full(format!("{text}\nstop the server first, or ask it with `lazaret status`")),
        OpenError::Io { .. }
        | OpenError::Key { .. }
        | OpenError::KeyMissing(_)
        | OpenError::Catalogue(_)
        | OpenError::LogBehind { .. }
        | OpenError::SegmentsUsedUp => Failure::No(text),
    }
}

fn cut_json(tail: &TornTail) -> Value {
    json!({
        "segment": tail.segment,
        "offset": tail.offset,
        "bytes": tail.bytes,
        "items": tail.items,
        "kept": tail.kept.as_ref().map(|path| path.to_string_lossy()),
    })
}

fn damage_json(damage: &Damage) -> Value {
    json!({
        "segment": damage.segment,
        "offset": damage.range.start,
        "bytes": damage.range.end - damage.range.start,
        "blake3": damage.digest,
        "item": damage.item,
        "what": damage.what,
    })
}

fn damage_table(damage: &[Damage]) -> Table {
    let mut table = Table::new(vec![
        Column::number("segment"),
        Column::number("offset"),
        Column::number("bytes"),
        Column::number("item"),
        Column::fixed("blake3"),
        Column::flexible("what"),
    ]);
    for damage in damage.iter().take(DAMAGE_ROWS_MAX) {
        table.row([
            (damage.segment.to_string(), Tone::Bad),
            (damage.range.start.to_string(), Tone::Plain),
            ((damage.range.end - damage.range.start).to_string(), Tone::Plain),
            (damage.item.map(|item| item.to_string()).unwrap_or_default(), Tone::Plain),
            (damage.digest.map(|digest| digest.to_string()).unwrap_or_default(), Tone::Faint),
            (escaped(&damage.what), Tone::Plain),
        ]);
    }
    table
}
