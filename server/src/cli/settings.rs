//! `lazaret settings`: what a running server has stored, and changing it. A stored setting wins over the file.

use super::screen::{Column, Table, Tone, escaped};
use super::{Failure, Shell};
use crate::config::keys::{self, Effect};
use reqwest::Method;
use serde_json::{Map, Value, json};

/// Commands on settings.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Show one setting, or all
    Get {
        /// Its name, such as general.max_bytes
        key: Option<String>,
    },
    /// Change a setting of the running server, for good
    Set {
        /// Its name, such as general.max_bytes
        key: String,
        /// The value, as in lazaret.toml: "4 GiB", 12, true
        value: String,
    },
}

/// Runs a command.
///
/// # Errors
/// An unknown setting, one that only the file can change, a value that does not fit, or the server refuses.
pub fn run(shell: &Shell, command: &Command) -> Result<(), Failure> {
    match command {
        Command::Get { key } => get(shell, key.as_deref()),
        Command::Set { key, value } => set(shell, key, value),
    }
}

fn get(shell: &Shell, wanted: Option<&str>) -> Result<(), Failure> {
    let client = shell.client()?;
    let answer = super::wait(async { client.get("/v1/settings", &[]).await })?;
    let values = values(&answer);
    if let Some(name) = wanted {
        let (_, value, origin) = values.into_iter().find(|(known, _, _)| known == name).ok_or_else(|| unknown(name))?;
        if shell.screen.json {
            return shell.screen.value(&json!({"key": name, "value": value, "origin": origin}));
        }
        return shell.screen.line(&shown(name, &value));
    }
    if shell.screen.json {
        return shell.screen.value(&answer);
    }
    let mut table = Table::new(vec![Column::fixed("key"), Column::flexible("value"), Column::fixed("origin")]);
    for (name, value, origin) in values {
        table.row([
            (escaped(&name), Tone::Plain),
            (shown(&name, &value), Tone::Strong),
            (escaped(&origin), Tone::Faint),
        ]);
    }
    shell.screen.table(&table)
}

fn set(shell: &Shell, name: &str, text: &str) -> Result<(), Failure> {
    let key = keys::find(name).ok_or_else(|| unknown(name))?;
    match key.effect {
        Effect::Stored => {}
        Effect::Now => {
            return Err(Failure::Usage(format!("{name} is read when the server starts: change it in lazaret.toml")));
        }
        Effect::Later(what) => {
            return Err(Failure::Usage(format!("{name} has no effect in this version, it waits for {what}")));
        }
    }
    let value = key.shape.parse(text).map_err(|error| Failure::Usage(format!("{name} {error}")))?;
    if shell.common.dry_run {
        shell.screen.say(Tone::Faint, &format!("would set {name} = {value}"));
        return Ok(());
    }
    let client = shell.client()?;
    let answer = super::wait(async {
        client.send(Method::PUT, "/v1/settings", &json!({ name: key.shape.json(&value) })).await
    })?;
    if shell.screen.json {
        return shell.screen.value(&answer);
    }
    shell.screen.line(&format!("{name} = {value}"))
}

/// Settings that the server says are stored, by name.
#[must_use]
pub fn stored_values(answer: &Value) -> Vec<(String, Value)> {
    values(answer)
        .into_iter()
        .filter(|(_, _, origin)| origin.starts_with("stored"))
        .map(|(name, value, _)| (name, value))
        .collect()
}

/// Name, value and origin of each setting in the server's answer.
fn values(answer: &Value) -> Vec<(String, Value, String)> {
    let empty = Map::new();
    let members = answer.get("settings").unwrap_or(answer).as_object().unwrap_or(&empty);
    members
        .iter()
        .map(|(name, entry)| match (entry.get("value"), entry.get("origin").and_then(Value::as_str)) {
            (Some(value), origin) => (name.clone(), value.clone(), origin.unwrap_or_default().to_owned()),
            (None, _) => (name.clone(), entry.clone(), String::new()),
        })
        .collect()
}

/// A value as it would stand in the file, where we know the key.
fn shown(name: &str, value: &Value) -> String {
    let read = keys::find(name).and_then(|key| key.shape.read(&toml::Value::try_from(value).ok()?).ok());
    escaped(&read.map_or_else(|| value.to_string(), |value| value.to_string()))
}

fn unknown(name: &str) -> Failure {
    let advice = keys::nearest(name)
        .map_or("`lazaret settings get` lists them".to_owned(), |near| format!("did you mean {near}?"));
    Failure::Usage(format!("there is no setting {}, {advice}", escaped(name)))
}
