//! `lazaret log`: the Quarantine Log, newest last; `--follow` goes on as it grows.

use super::client::Client;
use super::screen::{Tone, escaped};
use super::{Failure, Shell};
use serde_json::Value;
use std::time::Duration;

/// Entries of a page; the server gives 1,000 at most.
const PAGE: u64 = 500;
/// Entries that a followed log catches up with at once; older ones are left to `--limit`.
const FOLLOW_MAX: u64 = 10_000;
/// How often a followed log is asked for more: a person does not notice, a server neither.
const FOLLOW_INTERVAL: Duration = Duration::from_secs(1);

/// Flags of `log`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Go on showing what is added, until interrupted
    #[arg(long, short)]
    follow: bool,
    /// Entries to show at most, the newest
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
        let mut entries = newest(&client, args.limit, 0).await?;
        let mut seen = 0;
        loop {
            for entry in entries.iter().rev() {
                show(shell, entry)?;
                seen = seen.max(number(entry));
            }
            if !args.follow {
                return Ok(());
            }
            tokio::time::sleep(FOLLOW_INTERVAL).await;
            entries = newest(&client, FOLLOW_MAX, seen).await?;
        }
    })
}

/// At most `limit` entries after number `seen`, the newest first, as the server gives them.
async fn newest(client: &Client, limit: u64, seen: u64) -> Result<Vec<Value>, Failure> {
    let mut entries: Vec<Value> = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let left = limit - entries.len() as u64;
        let mut query = vec![("limit", PAGE.min(left).to_string())];
        query.extend(cursor.iter().map(|cursor| ("cursor", cursor.clone())));
        let page = client.get("/v1/log", &query).await?;
        let came = page.get("entries").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let fresh = came.iter().take_while(|entry| number(entry) > seen).count();
        entries.extend_from_slice(&came[..fresh]);
        cursor = super::items::next_cursor(&page);
        if cursor.is_none() || fresh < came.len() || came.is_empty() || entries.len() as u64 >= limit {
            return Ok(entries);
        }
    }
}

/// An entry's number; they rise.
fn number(entry: &Value) -> u64 {
    entry.get("id").and_then(Value::as_u64).unwrap_or(0)
}

fn show(shell: &Shell, entry: &Value) -> Result<(), Failure> {
    if shell.screen.json {
        return shell.screen.value(entry);
    }
    let text = |name: &str| entry.get(name).and_then(Value::as_str).map(escaped).unwrap_or_default();
    let item = entry.get("item").and_then(Value::as_u64).map(|item| format!("item {item}  ")).unwrap_or_default();
    let at = Tone::Faint.paint(&text("at"));
    shell.screen.line(&format!("{at}  {}  {item}{}", Tone::Strong.paint(&text("who")), text("what")))
}
