//! `lazaret status`: how the server is, what it holds, in a screenful.

use super::screen::{Column, Table, Tone, escaped};
use super::{Failure, Shell};
use crate::config::amount::{grouped, short_span};
use serde_json::Value;
use std::time::Duration;

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
    shell.screen.line(&format!("{:<10} {}", "server", escaped(client.server())))?;
    let text = |name: &str| status.get(name).and_then(Value::as_str).map(escaped);
    for name in ["version", "data", "http", "intake", "pid", "started_at"] {
        if let Some(text) = text(name) {
            shell.screen.line(&format!("{name:<10} {text}"))?;
        }
    }
    if let Some(health) = text("health").or_else(|| text("state")).or_else(|| text("phase")) {
        let tone = if matches!(health.to_ascii_lowercase().as_str(), "running" | "serving" | "ready" | "ok") {
            Tone::Good
        } else {
            Tone::Bad
        };
        shell.screen.line(&format!("{:<10} {}", "health", tone.paint(&health)))?;
    }
    if let Some(seconds) = status.get("uptime_seconds").or_else(|| status.get("uptime_s")).and_then(Value::as_u64) {
        shell.screen.line(&format!("{:<10} {}", "up", short_span(Duration::from_secs(seconds))))?;
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
