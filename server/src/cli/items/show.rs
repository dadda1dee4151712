//! `items show`: the item's tabs (General, Actions, Sample Attributes, Errors) on one screen.

use super::text;
use crate::cli::screen::{Tone, escaped};
use crate::cli::{Failure, Shell, wait};
use crate::config::amount::{grouped, short_bytes};
use serde_json::Value;

/// Shows an item.
///
/// # Errors
/// The server does not answer or refuses, or has no such item.
pub fn run(shell: &Shell, id: u64) -> Result<(), Failure> {
    let client = shell.client()?;
    let item = wait(async { client.get(&format!("/v1/items/{id}"), &[]).await })?;
    if shell.screen.json {
        return shell.screen.value(&item);
    }
    for line in lines(&item) {
        shell.screen.line(&line)?;
    }
    Ok(())
}

fn lines(item: &Value) -> Vec<String> {
    let status = text(item, "/status");
    let mut lines = vec![format!(
        "{}  {}",
        Tone::Strong.paint(&format!("item {}", item.get("id").and_then(Value::as_u64).unwrap_or(0))),
        Tone::of_status(status).paint(&escaped(status))
    )];
    let mut fact = |name: &str, value: String| {
        if !value.is_empty() {
            lines.push(format!("  {} {value}", Tone::Faint.paint(&format!("{name:<14}"))));
        }
    };
    let number = |pointer: &str| item.pointer(pointer).and_then(Value::as_u64).unwrap_or(0);
    fact("name", escaped(text(item, "/name")));
    fact("kind", escaped(&text(item, "/kind").replace('_', " ")));
    fact("content", escaped(text(item, "/content")));
    fact("client", client(item));
    fact("platform", escaped(text(item, "/platform")));
    fact("reason", escaped(text(item, "/reason")));
    fact("received", escaped(text(item, "/received_at")));
    fact("blake3", escaped(text(item, "/sample/blake3")));
    fact("sha256", escaped(text(item, "/sample/sha256")));
    let (bytes, stored) = (number("/sample/bytes"), number("/sample/stored_bytes"));
    fact("size", format!("{} bytes ({}), {} on disk", grouped(bytes), short_bytes(bytes), short_bytes(stored)));
    let signatures = item.pointer("/verdict/signatures").and_then(Value::as_array);
    let signatures: Vec<String> = signatures.into_iter().flatten().filter_map(Value::as_str).map(escaped).collect();
    fact("signatures", signatures.join(", "));
    if item.get("submission").is_some() {
        let stripped = match escaped(text(item, "/submission/stripped")) {
            whole if whole.is_empty() => "whole".to_owned(),
            kept => kept,
        };
        let (stage, said) = (escaped(text(item, "/submission/stage")), escaped(text(item, "/submission/said")));
        let said = if said.is_empty() { said } else { format!(", \u{201c}{said}\u{201d}") };
        fact(
            "submission",
            format!("{stage}, {} sent, {stripped}{said}", short_bytes(number("/submission/sent_bytes"))),
        );
    }
    if let Some(attributes) = item.get("attributes").and_then(Value::as_object) {
        lines.push(Tone::Strong.paint("attributes"));
        for (name, value) in attributes {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            lines.push(format!("  {} {}", Tone::Faint.paint(&format!("{:<26}", escaped(name))), escaped(&value)));
        }
    }
    history(item, "actions", Tone::Plain, &mut lines);
    history(item, "errors", Tone::Bad, &mut lines);
    lines
}

fn client(item: &Value) -> String {
    let managed = item.get("managed").and_then(Value::as_bool).unwrap_or(false);
    let parent = text(item, "/parent_server");
    let parent = if parent.is_empty() { String::new() } else { format!(", parent server {}", escaped(parent)) };
    format!("{} ({}managed{parent})", escaped(text(item, "/client")), if managed { "" } else { "non" })
}

fn history(item: &Value, name: &str, tone: Tone, lines: &mut Vec<String>) {
    let entries = item.get(name).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if entries.is_empty() {
        return;
    }
    lines.push(Tone::Strong.paint(name));
    for entry in entries {
        let who = text(entry, "/who");
        let who = if who.is_empty() { String::new() } else { format!("{}  ", escaped(who)) };
        let at = Tone::Faint.paint(&escaped(text(entry, "/at")));
        lines.push(format!("  {at}  {who}{}", tone.paint(&escaped(text(entry, "/what")))));
    }
}
