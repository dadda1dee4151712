//! `lazaret clients`: who forwards, whether definitions can be given to them, what they have.

use super::screen::{Column, Table, Tone, escaped};
use super::{Failure, Shell};
use crate::config::amount::grouped;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Method;
use serde_json::{Map, Value};

/// Commands on clients.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// List clients, by name
    List,
    /// Everything known of one client
    Show {
        /// Its name
        name: String,
    },
    /// Change what is known of a client; one that never forwarded anything is made
    Set(Set),
}

/// Flags of `clients set`.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("what").multiple(true).required(true))]
pub struct Set {
    /// Its name
    name: String,
    /// Whether definitions can be installed on it: true, false, or auto for what its arrivals say
    #[arg(long, group = "what", value_name = "YES", value_parser = ["true", "false", "auto"])]
    managed: Option<String>,
    /// Its parent server; empty for what its arrivals say
    #[arg(long, group = "what", value_name = "NAME")]
    parent_server: Option<String>,
    /// Its operating system and processor
    #[arg(long, group = "what", value_name = "TEXT")]
    platform: Option<String>,
    /// The definitions that it has
    #[arg(long, group = "what", value_name = "N")]
    sequence: Option<u64>,
}

/// Runs a command.
///
/// # Errors
/// The server does not answer or refuses, or there is no such client.
pub fn run(shell: &Shell, command: &Command) -> Result<(), Failure> {
    match command {
        Command::List => list(shell),
        Command::Show { name } => show(shell, name),
        Command::Set(set) => change(shell, set),
    }
}

fn list(shell: &Shell) -> Result<(), Failure> {
    let client = shell.client()?;
    let mut table = Table::new(vec![
        Column::flexible("client"),
        Column::fixed("managed"),
        Column::fixed("parent server"),
        Column::fixed("platform"),
        Column::number("definitions"),
        Column::number("items"),
    ]);
    let mut cursor: Option<String> = None;
    loop {
        let mut query = vec![("limit", "1000".to_owned())];
        query.extend(cursor.take().map(|cursor| ("cursor", cursor)));
        let page = super::wait(async { client.get("/v1/clients", &query).await })?;
        for row in page.get("clients").and_then(Value::as_array).into_iter().flatten() {
            if shell.screen.json {
                shell.screen.value(row)?;
                continue;
            }
            let text = |name: &str| escaped(row.get(name).and_then(Value::as_str).unwrap_or_default());
            let number = |name: &str| row.get(name).and_then(Value::as_u64).unwrap_or(0);
            table.row([
                (text("name"), Tone::Plain),
                managed(row),
                (text("parent_server"), Tone::Plain),
                (text("platform"), Tone::Plain),
                (number("definitions_sequence").to_string(), Tone::Plain),
                (grouped(number("items")), Tone::Plain),
            ]);
        }
        cursor = page.get("next").and_then(Value::as_str).map(str::to_owned);
        if cursor.is_none() {
            break;
        }
    }
    if shell.screen.json { Ok(()) } else { shell.screen.table(&table) }
}

fn managed(row: &Value) -> (String, Tone) {
    let set = if row.get("managed_set").is_some_and(Value::is_boolean) { " (set)" } else { "" };
    match row.get("managed").and_then(Value::as_bool) {
        Some(true) => (format!("yes{set}"), Tone::Good),
        Some(false) | None => (format!("no{set}"), Tone::Faint),
    }
}

fn show(shell: &Shell, name: &str) -> Result<(), Failure> {
    let client = shell.client()?;
    let row = super::wait(async { client.get(&path(name), &[]).await })?;
    print(shell, &row)
}

fn change(shell: &Shell, set: &Set) -> Result<(), Failure> {
    let mut body = Map::new();
    if let Some(managed) = &set.managed {
        body.insert("managed".to_owned(), managed.parse::<bool>().map_or(Value::Null, Value::from));
    }
    for (name, text) in [("parent_server", &set.parent_server), ("platform", &set.platform)] {
        if let Some(text) = text {
            body.insert(name.to_owned(), text.as_str().into());
        }
    }
    if let Some(sequence) = set.sequence {
        body.insert("definitions_sequence".to_owned(), sequence.into());
    }
    if shell.common.dry_run {
        shell.screen.say(Tone::Faint, &format!("would set {}", Value::Object(body)));
        return Ok(());
    }
    let client = shell.client()?;
    let row = super::wait(async { client.send(Method::PUT, &path(&set.name), &Value::Object(body)).await })?;
    print(shell, &row)
}

fn print(shell: &Shell, row: &Value) -> Result<(), Failure> {
    if shell.screen.json {
        return shell.screen.value(row);
    }
    let text = |name: &str| escaped(row.get(name).and_then(Value::as_str).unwrap_or("-"));
    let number = |name: &str| row.get(name).and_then(Value::as_u64).unwrap_or(0);
    let (yes, tone) = managed(row);
    for (label, value) in [
        ("client", text("name")),
        ("managed", tone.paint(&yes)),
        ("parent server", text("parent_server")),
        ("platform", text("platform")),
        ("definitions", number("definitions_sequence").to_string()),
        ("items", grouped(number("items"))),
        ("seen", text("seen_at")),
    ] {
        shell.screen.line(&format!("{label:<15}{value}"))?;
    }
    Ok(())
}

fn path(name: &str) -> String {
    format!("/v1/clients/{}", utf8_percent_encode(name, NON_ALPHANUMERIC))
}
