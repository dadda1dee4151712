//! `items list` and `items count`.

use super::{FilterArgs, items_of, next_cursor, text};
use crate::cli::screen::{Column, Table, Tone, escaped};
use crate::cli::{Failure, Shell, wait};
use crate::config::amount::{grouped, short_bytes};
use serde_json::{Value, json};

/// Items of a page.
const PAGE: u64 = 500;

/// Items shown unless more are asked for: a screenful.
const LIMIT: u64 = 50;

/// Flags of `items list`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Which items.
    #[command(flatten)]
    filter: FilterArgs,
    /// Items at most
    #[arg(long, value_name = "N", default_value_t = LIMIT, value_parser = clap::value_parser!(u64).range(1..))]
    limit: u64,
    /// Go on where a list ended
    #[arg(long, value_name = "C")]
    cursor: Option<String>,
}

/// Lists items.
///
/// # Errors
/// The server does not answer or refuses.
pub fn run(shell: &Shell, args: &Args) -> Result<(), Failure> {
    let client = shell.client()?;
    let filter = args.filter.query()?;
    wait(async {
        let mut cursor = args.cursor.clone();
        let mut left = args.limit;
        let mut table = table();
        loop {
            let mut query = filter.clone();
            query.push(("limit", PAGE.min(left).to_string()));
            query.extend(cursor.iter().map(|cursor| ("cursor", cursor.clone())));
            let page = client.get("/v1/items", &query).await?;
            let items = items_of(&page);
            for item in items {
                if shell.screen.json {
                    shell.screen.value(item)?;
                } else {
                    row(&mut table, item);
                }
            }
            left = left.saturating_sub(items.len() as u64);
            let next = next_cursor(&page).filter(|_| !items.is_empty());
            if left > 0 && next.is_some() {
                cursor = next;
                continue;
            }
            if !shell.screen.json {
                shell.screen.table(&table)?;
            }
            if let Some(next) = next {
                shell.screen.say(Tone::Faint, &format!("more follow: --cursor {}", escaped(&next)));
            }
            return Ok(());
        }
    })
}

/// Items as a table.
#[must_use]
pub fn as_table(items: &[Value]) -> Table {
    let mut table = table();
    items.iter().for_each(|item| row(&mut table, item));
    table
}

/// Counts items.
///
/// # Errors
/// The server does not answer or refuses.
pub fn count(shell: &Shell, filter: &FilterArgs) -> Result<(), Failure> {
    let client = shell.client()?;
    let query = filter.query()?;
    let answer = wait(async { client.get("/v1/items/count", &query).await })?;
    let count = answer.get("count").and_then(Value::as_u64);
    let count = count.ok_or_else(|| Failure::No("the server's answer holds no count".to_owned()))?;
    if shell.screen.json { shell.screen.value(&json!({ "count": count })) } else { shell.screen.line(&grouped(count)) }
}

fn table() -> Table {
    Table::new(vec![
        Column::number("item"),
        Column::fixed("received"),
        Column::fixed("status"),
        Column::number("size"),
        Column::flexible("client"),
        Column::fixed("blake3"),
        Column::path("name"),
    ])
}

fn row(table: &mut Table, item: &Value) {
    let status = text(item, "/status");
    let id = item.get("id").and_then(Value::as_u64).unwrap_or(0).to_string();
    let bytes = item.pointer("/sample/bytes").and_then(Value::as_u64).map(short_bytes).unwrap_or_default();
    let digest: String = text(item, "/sample/blake3").chars().take(12).collect();
    table.row([
        (id, Tone::Strong),
        (received(text(item, "/received_at")), Tone::Faint),
        (escaped(status), Tone::of_status(status)),
        (bytes, Tone::Plain),
        (escaped(text(item, "/client")), Tone::Plain),
        (escaped(&digest), Tone::Faint),
        (escaped(text(item, "/name")), Tone::Plain),
    ]);
}

/// Seconds are enough for a list: `2026-01-02 03:04:05`.
fn received(at: &str) -> String {
    escaped(&at.chars().take(19).map(|c| if c == 'T' { ' ' } else { c }).collect::<String>())
}
