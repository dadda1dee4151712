//! What happened to each file, as it happens, and the sum at the end.

use crate::cli::Failure;
use crate::cli::screen::{Screen, Tone, escaped, path_text, spinner};
use crate::config::amount::{counted, grouped, short_bytes, short_span};
use indicatif::ProgressBar;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// People are shown this many files one by one; beyond it they are counted.
const LINES_MAX: u64 = 20;
/// Skipped and refused files named one by one.
const COMPLAINTS_MAX: u64 = 20;

#[derive(Debug, Default)]
struct Counts {
    stored: u64,
    duplicates: u64,
    bytes: u64,
    left_here: u64,
    complaints: u64,
    would: u64,
}

/// The running account of one `put`.
#[derive(Debug)]
pub struct Report {
    screen: Screen,
    bar: ProgressBar,
    started: Instant,
    counts: Mutex<Counts>,
}

impl Report {
    /// An account of nothing yet.
    #[must_use]
    pub fn new(screen: Screen) -> Self {
        Self { screen, bar: spinner("put"), started: Instant::now(), counts: Mutex::default() }
    }

    /// Bytes of a body leave for the server.
    pub fn leaving(&self, bytes: u64) {
        self.counts().left_here += bytes;
    }

    /// A file is in.
    ///
    /// # Errors
    /// Stdout is closed.
    pub fn stored(&self, path: &Path, bytes: u64, answer: &Value) -> Result<(), Failure> {
        let answer = answer.get("samples").and_then(|list| list.get(0)).unwrap_or(answer);
        let text = |pointer: &str| answer.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let outcome = match (text("/outcome").as_str(), text("/content").as_str()) {
            // A retry whose first answer was lost: told as that answer would have been.
            ("repeated", "claimed") => "duplicate".to_owned(),
            ("repeated", _) => "stored".to_owned(),
            (outcome, _) => outcome.to_owned(),
        };
        let item = answer.get("id").or_else(|| answer.get("item")).and_then(Value::as_u64).unwrap_or(0);
        let digest =
            [text("/sample/blake3"), text("/blake3")].into_iter().find(|text| !text.is_empty()).unwrap_or_default();
        let sha256 =
            [text("/sample/sha256"), text("/sha256")].into_iter().find(|text| !text.is_empty()).unwrap_or_default();
        let shown = {
            let mut counts = self.counts();
            let count = if outcome == "duplicate" { &mut counts.duplicates } else { &mut counts.stored };
            *count += 1;
            counts.bytes += bytes;
            self.bar.set_message(format!(
                "{} files, {}, {} duplicates",
                grouped(counts.stored + counts.duplicates),
                short_bytes(counts.bytes),
                grouped(counts.duplicates)
            ));
            counts.stored + counts.duplicates
        };
        if self.screen.json {
            return self.screen.value(&json!({
                "item": item, "blake3": digest, "sha256": sha256, "bytes": bytes, "outcome": outcome,
                "path": path_text(path),
            }));
        }
        if shown > LINES_MAX {
            return Ok(());
        }
        let tone = if outcome == "duplicate" { Tone::Faint } else { Tone::Good };
        let short: String = digest.chars().take(12).collect();
        let line = format!(
            "{} {:>8}  {:>9}  {}  {}",
            tone.paint(&format!("{:<9}", escaped(&outcome))),
            item,
            short_bytes(bytes),
            Tone::Faint.paint(&escaped(&short)),
            path_text(path)
        );
        self.bar.suspend(|| self.screen.line(&line))?;
        if shown == LINES_MAX {
            self.bar.suspend(|| self.screen.say(Tone::Faint, "further files are counted only; --json lists them all"));
        }
        Ok(())
    }

    /// A file that would be forwarded.
    pub fn would(&self, path: &Path) {
        let would = {
            let mut counts = self.counts();
            counts.would += 1;
            counts.would
        };
        if would <= LINES_MAX {
            self.screen.say(Tone::Faint, &format!("would forward {}", path_text(path)));
        }
    }

    /// Something that is not forwarded.
    pub fn skipped(&self, path: &Path, why: &str) {
        self.complain("skipped", path, why);
    }

    /// A file that the server does not take.
    pub fn refused(&self, path: &Path, why: &str) {
        self.complain("refused", path, why);
    }

    /// The rest is not tried.
    pub fn stopped(&self) {
        self.bar.suspend(|| self.screen.say(Tone::Warn, "stopped: the rest was not tried"));
    }

    /// The sum, and whether every file is in.
    ///
    /// # Errors
    /// [`Failure::Shown`] when a file was skipped or refused.
    pub fn finish(&self) -> Result<(), Failure> {
        self.bar.finish_and_clear();
        let counts = self.counts();
        let files = counts.stored + counts.duplicates;
        if !self.screen.json {
            let elapsed = self.started.elapsed().max(Duration::from_micros(1));
            if counts.would > 0 {
                self.screen.say(Tone::Plain, &format!("{} would be forwarded", counted(counts.would, "file")));
            } else if files > 0 || counts.complaints == 0 {
                let rate = files as f64 / elapsed.as_secs_f64();
                // A few large files take seconds each.
                let digits = usize::from(rate < 9.95);
                self.screen.say(
                    Tone::Strong,
                    &format!(
                        "{}, {}: {} stored, {}; {} sent, {}, {rate:.digits$} files/s",
                        counted(files, "file"),
                        short_bytes(counts.bytes),
                        grouped(counts.stored),
                        counted(counts.duplicates, "duplicate"),
                        short_bytes(counts.left_here),
                        short_span(elapsed)
                    ),
                );
            }
        }
        if counts.complaints == 0 {
            return Ok(());
        }
        self.screen.say(Tone::Bad, &format!("{} skipped or refused", grouped(counts.complaints)));
        Err(Failure::Shown)
    }

    fn complain(&self, what: &str, path: &Path, why: &str) {
        let complaints = {
            let mut counts = self.counts();
            counts.complaints += 1;
            counts.complaints
        };
        if complaints > COMPLAINTS_MAX {
            return;
        }
        let mark = Tone::Warn.paint_message(what);
        self.bar.suspend(|| {
            self.screen.say(Tone::Plain, &format!("{mark} {}: {}", path_text(path), escaped(why)));
            if complaints == COMPLAINTS_MAX {
                self.screen.say(Tone::Faint, "further ones are counted only");
            }
        });
    }

    fn counts(&self) -> std::sync::MutexGuard<'_, Counts> {
        // Counting cannot leave a count half done.
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
