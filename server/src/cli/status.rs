//! `lazaret status`: how the server is, what it holds, in a screenful.

use super::screen::{Column, Table, Tone, escaped};
use super::{Failure, Shell};
use crate::config::amount::grouped;
use serde_json::Value;

/// Shows the server's status.
///
/// # Errors
/// The server does not answer or refuses.
pub fn run(shell: &Shell) -> Result<(), Failure> {
    let client = shell.client()?;
    let status = super::wait(async { client.get("/v1/status", &[]).await })?;
    if shell.screen.json {
        return shell.screen.value(&status);
    }
    shell.screen.line(&format!("{:<12}{}", "server", escaped(client.server())))?;
    let text = |pointer: &str| status.pointer(pointer).and_then(Value::as_str).map(escaped).unwrap_or_default();
    for (name, pointer) in [("version", "/version"), ("data", "/data"), ("started", "/started_at")] {
        shell.screen.line(&format!("{name:<12}{}", text(pointer)))?;
    }
    let phase = text("/phase");
    let store = text("/store/state");
    let tone = if store == "running" { Tone::Good } else { Tone::Bad };
    shell.screen.line(&format!("{:<12}{}", "phase", tone.paint(&phase)))?;
    let reason = text("/store/reason");
    let reason = if reason.is_empty() { reason } else { format!(" {reason}") };
    shell.screen.line(&format!("{:<12}{}{reason}", "store", tone.paint(&store)))?;
    let (definitions, tone) = definitions(&status);
    shell.screen.line(&format!("{:<12}{}", "definitions", tone.paint(&definitions)))?;
    let scanner = text("/scanner/state");
    let tone = match scanner.as_str() {
        "running" => Tone::Good,
        "down" => Tone::Bad,
        _ => Tone::Warn,
    };
    shell.screen.line(&format!("{:<12}{}", "scanner", tone.paint(&scanner)))?;
    let (gateway, tone) = gateway(&status);
    shell.screen.line(&format!("{:<12}{}", "gateway", tone.paint(&gateway)))?;
    if let Some(places @ 1..) = status.get("damaged_places").and_then(Value::as_u64) {
        let found = format!("{} found, `lazaret verify` names what is damaged", grouped(places));
        shell.screen.line(&format!("{:<12}{}", "damage", Tone::Bad.paint(&found)))?;
    }
    if let Some(lag) = status.pointer("/catalogue/lag").and_then(Value::as_u64) {
        shell.screen.line(&format!("{:<12}{} changes behind the log", "catalogue", grouped(lag)))?;
    }
    if let Some(quota) = status.get("quota") {
        for line in super::quota::lines(quota).iter().take(2) {
            shell.screen.line(line)?;
        }
    }
    let Some(items) = status.get("items").and_then(Value::as_object) else { return Ok(()) };
    let mut table = Table::new(vec![Column::fixed("status"), Column::number("items")]);
    for (name, count) in items {
        let Some(count) = count.as_u64().filter(|count| *count > 0) else { continue };
        table.row([(escaped(name), Tone::of_status(name)), (grouped(count), Tone::Plain)]);
    }
    shell.screen.line("")?;
    shell.screen.table(&table)
}

/// Whether the analysis centre answers.
fn gateway(status: &Value) -> (String, Tone) {
    let text = |name: &str| {
        status.pointer(&format!("/gateway/{name}")).and_then(Value::as_str).map(escaped).unwrap_or_default()
    };
    match text("state").as_str() {
        "up" => (format!("up, last answer {}", text("answered_at")), Tone::Good),
        "down" => (format!("down: {}; tried again {}", text("trouble"), text("retry_at")), Tone::Bad),
        "waiting" => ("not asked yet".to_owned(), Tone::Warn),
        _ => ("none: samples stay here (`web_communication.gateway`)".to_owned(), Tone::Faint),
    }
}

/// The set in use, or why there is none.
fn definitions(status: &Value) -> (String, Tone) {
    let number = |pointer: &str| status.pointer(pointer).and_then(Value::as_u64);
    let text = |pointer: &str| status.pointer(pointer).and_then(Value::as_str).map(escaped).unwrap_or_default();
    match (number("/definitions/active"), text("/definitions/state").as_str()) {
        (Some(sequence), _) => {
            let signatures = grouped(number("/definitions/signatures").unwrap_or(0));
            (format!("{sequence} in use, {signatures} signatures"), Tone::Good)
        }
        (None, "failed") => (text("/definitions/why"), Tone::Bad),
        (None, "loading") => ("being compiled: samples wait as Quarantined".to_owned(), Tone::Warn),
        (None, _) => {
            ("none yet, samples wait as Quarantined: `lazaret defs install` brings some".to_owned(), Tone::Warn)
        }
    }
}
