//! `lazaret quota`: how full the quarantine is, as two bars with the watermarks' words.

use super::screen::{Tone, bar, escaped};
use super::{Failure, Shell};
use crate::config::amount::{grouped, short_bytes};
use serde_json::Value;

/// Cells of a bar: wide enough to see a hundredth in eighths of a cell.
const BAR_CELLS: usize = 30;

/// Shows both limits.
///
/// # Errors
/// The server does not answer or refuses.
pub fn run(shell: &Shell) -> Result<(), Failure> {
    let client = shell.client()?;
    let quota = super::wait(async { client.get("/v1/quota", &[]).await })?;
    if shell.screen.json {
        return shell.screen.value(&quota);
    }
    for line in lines(&quota) {
        shell.screen.line(&line)?;
    }
    Ok(())
}

/// The quota for people.
#[must_use]
pub fn lines(quota: &Value) -> Vec<String> {
    let figure = |name: &str| quota.get(name).and_then(Value::as_u64);
    let used = |part: &str, whole: &str| (figure(part).unwrap_or(0), figure(whole).unwrap_or(0));
    let level = quota.get("level").and_then(Value::as_str).unwrap_or("normal");
    let tone = match level.to_ascii_lowercase().as_str() {
        "normal" => Tone::Good,
        "low" => Tone::Warn,
        _ => Tone::Bad,
    };
    let row = |name: &str, (part, whole): (u64, u64), show: fn(u64) -> String| {
        let percent = if whole == 0 { 100.0 } else { part as f64 * 100.0 / whole as f64 };
        let (part_text, whole_text) = (show(part), show(whole));
        format!(
            "{name:<12}\u{2595}{}\u{258f} {percent:>5.1} %  {part_text} of {whole_text}",
            tone.paint(&bar(part, whole, BAR_CELLS))
        )
    };
    let mut lines = vec![
        row("bytes", used("used_bytes", "max_bytes"), short_bytes),
        row("samples", used("used_samples", "max_samples"), grouped),
        format!("{:<12}{}", "level", tone.paint(&escaped(level))),
    ];
    for (name, label) in
        [("reserved_bytes", "reserved"), ("prepared_bytes", "prepared"), ("free_disk_bytes", "free disk")]
    {
        if let Some(bytes) = figure(name) {
            lines.push(Tone::Faint.paint(&format!("{label:<12}{}", short_bytes(bytes))));
        }
    }
    lines
}
