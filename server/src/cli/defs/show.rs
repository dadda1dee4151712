//! `defs list`, `show` and `diff`.

use crate::cli::screen::{Column, Table, Tone, escaped};
use crate::cli::{Failure, Shell};
use crate::config::amount::{counted, grouped, short_bytes};
use serde_json::Value;

/// Names and lines shown; the rest is counted.
const SHOWN_MAX: usize = 20;

/// Lists the sets, newest first.
///
/// # Errors
/// The server does not answer or refuses.
pub fn list(shell: &Shell) -> Result<(), Failure> {
    let client = shell.client()?;
    let told = crate::cli::wait(async { client.get("/v1/definitions", &[]).await })?;
    if shell.screen.json {
        return shell.screen.value(&told);
    }
    if let Some(why) = told.get("why").and_then(Value::as_str) {
        shell.screen.say(Tone::Bad, &format!("no definitions are in use: {}", escaped(why)));
    }
    let active = told.get("active").and_then(Value::as_u64);
    let mut table = Table::new(vec![
        Column::number("sequence"),
        Column::fixed(""),
        Column::fixed("kind"),
        Column::fixed("made"),
        Column::number("files"),
        Column::number("package"),
        Column::flexible("comment"),
    ]);
    for set in told.get("definitions").and_then(Value::as_array).into_iter().flatten() {
        let text = |name: &str| set.get(name).and_then(Value::as_str).map(escaped).unwrap_or_default();
        let sequence = set.get("sequence").and_then(Value::as_u64);
        let (mark, tone) = if sequence == active { ("in use", Tone::Good) } else { ("", Tone::Plain) };
        let (comment, comment_tone) = match set.get("error").and_then(Value::as_str) {
            Some(error) => (escaped(error), Tone::Bad),
            None => (text("comment"), Tone::Faint),
        };
        let files = set.get("files").and_then(Value::as_array).map_or(0, Vec::len);
        table.row([
            (sequence.unwrap_or(0).to_string(), Tone::Strong),
            (mark.to_owned(), tone),
            (kind(set).to_owned(), Tone::Plain),
            (text("created_at"), Tone::Plain),
            (files.to_string(), Tone::Plain),
            (short_bytes(set.get("package_bytes").and_then(Value::as_u64).unwrap_or(0)), Tone::Plain),
            (comment, comment_tone),
        ]);
    }
    shell.screen.table(&table)
}

fn kind(set: &Value) -> &'static str {
    match set.get("certified").and_then(Value::as_bool) {
        Some(true) => "certified",
        Some(false) => "non-certified",
        None => "",
    }
}

/// Shows one set.
///
/// # Errors
/// There is no such set, or the server does not answer or refuses.
pub fn show(shell: &Shell, sequence: u64) -> Result<(), Failure> {
    let client = shell.client()?;
    let set = crate::cli::wait(async { client.get(&format!("/v1/definitions/{sequence}"), &[]).await })?;
    if shell.screen.json {
        return shell.screen.value(&set);
    }
    let text = |name: &str| set.get(name).and_then(Value::as_str).map(escaped).unwrap_or_default();
    let number = |name: &str| set.get(name).and_then(Value::as_u64);
    let mut rows = vec![
        ("sequence", sequence.to_string()),
        ("kind", kind(&set).to_owned()),
        ("made", text("created_at")),
        ("comment", text("comment")),
        ("signed by", text("signed_by")),
    ];
    if let Some(signatures) = number("signatures") {
        let memory = number("memory_bytes").map(short_bytes).unwrap_or_default();
        rows.push(("in use", format!("{}, {memory} of memory", counted(signatures, "signature"))));
        let swept = number("swept").unwrap_or(0);
        if swept > 0 {
            rows.push((
                "swept",
                format!("{} without a literal: each costs a pass over every file", counted(swept, "pattern")),
            ));
        }
    }
    for (name, value) in rows.iter().filter(|(_, value)| !value.is_empty()) {
        shell.screen.line(&format!("{name:<11}{value}"))?;
    }
    for file in set.get("files").and_then(Value::as_array).into_iter().flatten() {
        let name = file.get("name").and_then(Value::as_str).map(escaped).unwrap_or_default();
        let bytes = file.get("bytes").and_then(Value::as_u64).unwrap_or(0);
        shell.screen.line(&format!("{:<11}{name}, {}", "file", short_bytes(bytes)))?;
    }
    let complaints = set.get("complaints").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    for complaint in complaints.iter().take(SHOWN_MAX) {
        shell.screen.say(Tone::Warn, &escaped(complaint.as_str().unwrap_or_default()));
    }
    more(shell, number("complaint_count").unwrap_or(0), complaints.len().min(SHOWN_MAX), "line");
    Ok(())
}

/// Shows what two sets differ in.
///
/// # Errors
/// One of the sets is not there, or the server does not answer or refuses.
pub fn diff(shell: &Shell, sequence: u64, other: u64) -> Result<(), Failure> {
    let client = shell.client()?;
    let told = crate::cli::wait(async { client.get(&format!("/v1/definitions/{sequence}/diff/{other}"), &[]).await })?;
    if shell.screen.json {
        return shell.screen.value(&told);
    }
    let number = |name: &str| told.get(name).and_then(Value::as_u64).unwrap_or(0);
    shell.screen.line(&format!(
        "{sequence} to {other}: {} added, {} changed, {} removed; allowances: {} added, {} removed",
        grouped(number("added_count")),
        grouped(number("changed_count")),
        grouped(number("removed_count")),
        grouped(number("allowances_added")),
        grouped(number("allowances_removed")),
    ))?;
    for (name, count, sign, tone) in [
        ("added", "added_count", '+', Tone::Good),
        ("changed", "changed_count", '~', Tone::Warn),
        ("removed", "removed_count", '-', Tone::Bad),
    ] {
        let names = told.get(name).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        for signature in names {
            shell.screen.line(&tone.paint(&format!("{sign} {}", escaped(signature.as_str().unwrap_or_default()))))?;
        }
        more(shell, number(count), names.len(), name);
    }
    Ok(())
}

fn more(shell: &Shell, count: u64, shown: usize, what: &str) {
    let left = count.saturating_sub(shown as u64);
    if left > 0 {
        shell.screen.say(Tone::Faint, &format!("and {} more ({what})", grouped(left)));
    }
}
