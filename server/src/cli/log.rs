//! `lazaret log`: the Quarantine Log, newest last; `--follow` goes on as it grows.

use super::screen::{Tone, escaped};
use super::{Failure, Shell};
use serde_json::Value;
use std::time::Duration;

/// Entries of a page.
const PAGE: u64 = 200;
/// How often a followed log is asked for more: a person does not notice, a server neither.
const FOLLOW_INTERVAL: Duration = Duration::from_secs(1);

/// Flags of `log`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Go on showing what is added, until interrupted
    #[arg(long, short)]
    follow: bool,
    /// Entries to show at most
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    limit: u64,
}

/// Shows the log.
///
/// # Errors
/// The server does not answer or refuses.
pub fn run(shell: &Shell, args: &Args) -> Result<(), Failure> {
    let client = shell.client()?;
    super::wait(async {
        let mut cursor: Option<String> = None;
        let mut left = args.limit;
        loop {
            let mut query = vec![("limit", PAGE.min(left.max(1)).to_string())];
            query.extend(cursor.iter().map(|cursor| ("cursor", cursor.clone())));
            let page = client.get("/v1/log", &query).await?;
            let entries = entries(&page);
            for entry in &entries {
                show(shell, entry)?;
            }
            left = left.saturating_sub(entries.len() as u64);
            let next = super::items::next_cursor(&page);
            let more = next.is_some() && next != cursor && !entries.is_empty();
            cursor = next.or(cursor);
            if !args.follow && (left == 0 || !more) {
                return Ok(());
            }
            if args.follow && !more {
                tokio::time::sleep(FOLLOW_INTERVAL).await;
            }
        }
    })
}

fn entries(page: &Value) -> Vec<Value> {
    let list = page.get("entries").or_else(|| page.get("log")).unwrap_or(page);
    list.as_array().cloned().unwrap_or_default()
}

fn show(shell: &Shell, entry: &Value) -> Result<(), Failure> {
    if shell.screen.json {
        return shell.screen.value(entry);
    }
    let text = |name: &str| entry.get(name).and_then(Value::as_str).map(escaped).unwrap_or_default();
    let item = entry.get("item").and_then(Value::as_u64).map(|item| format!(" item {item}")).unwrap_or_default();
    let at = Tone::Faint.paint(&text("at"));
    shell.screen.line(&format!("{at}  {}  {}{item}", Tone::Strong.paint(&text("who")), text("what")))
}
