//! `lazaret alerts`: which of the 23 events are told, to whom, how; and whether that works.

use super::screen::{Column, Table, Tone, escaped};
use super::{Failure, Shell};
use crate::config::amount::grouped;
use reqwest::Method;
use serde_json::{Map, Value, json};

/// Commands on alerts.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Every event with its route, and what was told since the start
    List,
    /// Tell these events again
    Enable {
        /// Events by id or number, or all
        #[arg(required = true)]
        events: Vec<String>,
    },
    /// Tell these events no more, the log included
    Disable {
        /// Events by id or number, or all
        #[arg(required = true)]
        events: Vec<String>,
    },
    /// Choose who is told of events, and how
    Route(Route),
    /// Tell an event once, to everybody on its route, and say what came of it
    Test {
        /// The event, by id or number
        event: String,
    },
}

/// Flags of `alerts route`.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("what").multiple(true).required(true))]
pub struct Route {
    /// Events by id or number, or all
    #[arg(required = true)]
    events: Vec<String>,
    /// How, beside the log: console, email, webhook, broadcast, eventlog; empty for none
    #[arg(long, group = "what", value_name = "LIST")]
    methods: Option<String>,
    /// Mail addresses and webhook URLs, separated by commas; empty for none
    #[arg(long, group = "what", value_name = "LIST")]
    recipients: Option<String>,
}

/// Runs a command.
///
/// # Errors
/// The server does not answer or refuses, or a test was not delivered.
pub fn run(shell: &Shell, command: &Command) -> Result<(), Failure> {
    match command {
        Command::List => list(shell),
        Command::Enable { events } => change(shell, events, &json!({"enabled": true})),
        Command::Disable { events } => change(shell, events, &json!({"enabled": false})),
        Command::Route(route) => {
            let mut body = Map::new();
            for (name, text) in [("methods", &route.methods), ("recipients", &route.recipients)] {
                if let Some(text) = text {
                    let list = text.split(',').map(str::trim).filter(|one| !one.is_empty());
                    body.insert(name.to_owned(), list.collect::<Vec<_>>().into());
                }
            }
            change(shell, &route.events, &body.into())
        }
        Command::Test { event } => test(shell, event),
    }
}

fn list(shell: &Shell) -> Result<(), Failure> {
    let client = shell.client()?;
    let answer = super::wait(async { client.get("/v1/alerts", &[]).await })?;
    print(shell, &answer)
}

fn print(shell: &Shell, answer: &Value) -> Result<(), Failure> {
    let rows = answer.get("alerts").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if shell.screen.json {
        return rows.iter().try_for_each(|row| shell.screen.value(row));
    }
    let mut table = Table::new(vec![
        Column::number("no"),
        Column::fixed("event"),
        Column::fixed("told"),
        Column::flexible("by"),
        Column::number("times"),
        Column::flexible("last"),
    ]);
    for row in rows {
        let text = |name: &str| escaped(row.get(name).and_then(Value::as_str).unwrap_or_default());
        let number = |name: &str| row.get(name).and_then(Value::as_u64).unwrap_or(0);
        let list = |name: &str| {
            let values = row.get(name).and_then(Value::as_array).into_iter().flatten();
            values.filter_map(Value::as_str).map(escaped).collect::<Vec<_>>().join(", ")
        };
        let (told, tone) = match row.get("enabled").and_then(Value::as_bool) {
            Some(true) => ("yes", Tone::Good),
            Some(false) | None => ("no", Tone::Faint),
        };
        let mut by = list("methods");
        if !by.is_empty() && !list("recipients").is_empty() {
            by = format!("{by}: {}", list("recipients"));
        }
        let (last, last_tone) = match text("failure") {
            failure if failure.is_empty() => (text("text"), Tone::Faint),
            failure => (format!("not delivered: {failure}"), Tone::Bad),
        };
        table.row([
            (number("number").to_string(), Tone::Faint),
            (text("event"), Tone::Plain),
            (told.to_owned(), tone),
            (if by.is_empty() { "log".to_owned() } else { format!("log, {by}") }, Tone::Plain),
            (grouped(number("count")), Tone::Plain),
            (last, last_tone),
        ]);
    }
    shell.screen.table(&table)
}

fn change(shell: &Shell, events: &[String], route: &Value) -> Result<(), Failure> {
    let mut body = Map::new();
    for event in events {
        if event == "all" {
            body.extend(model::Event::ALL.into_iter().map(|event| (event.id().to_owned(), route.clone())));
        } else {
            body.insert(event.clone(), route.clone());
        }
    }
    if shell.common.dry_run {
        shell.screen.say(Tone::Faint, &format!("would set {}", Value::Object(body)));
        return Ok(());
    }
    let client = shell.client()?;
    let answer = super::wait(async { client.send(Method::PUT, "/v1/alerts", &Value::Object(body)).await })?;
    if shell.screen.json {
        return print(shell, &answer);
    }
    shell.screen.line(&format!("{} changed", if events.len() == 1 { "1 route" } else { "routes" }))
}

fn test(shell: &Shell, event: &str) -> Result<(), Failure> {
    let client = shell.client()?;
    let answer = super::wait(async { client.send(Method::POST, "/v1/alerts/test", &json!({"event": event})).await })?;
    let deliveries = answer.get("deliveries").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if shell.screen.json {
        shell.screen.value(&answer)?;
    } else {
        for one in deliveries {
            let text = |name: &str| escaped(one.get(name).and_then(Value::as_str).unwrap_or_default());
            let to = if text("recipient").is_empty() { String::new() } else { format!(" to {}", text("recipient")) };
            match one.get("delivered").and_then(Value::as_bool) {
                Some(true) => {
                    shell.screen.line(&format!("{}{to}: {}", text("method"), Tone::Good.paint("delivered")))?
                }
                Some(false) | None => {
                    let why = Tone::Bad.paint(&format!("not delivered: {}", text("why")));
                    shell.screen.line(&format!("{}{to}: {why}", text("method")))?;
                }
            }
        }
    }
    if deliveries.is_empty() {
        return Err(Failure::No("this event goes to the log only: `lazaret alerts route` chooses methods".to_owned()));
    }
    let all = deliveries.iter().all(|one| one.get("delivered").and_then(Value::as_bool) == Some(true));
    if all { Ok(()) } else { Err(Failure::Shown) }
}
