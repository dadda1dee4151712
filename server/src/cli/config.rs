//! `lazaret config`: what a file says, whether it can be used, and what holds in the end.

use super::screen::{Tone, escaped};
use super::serve;
use super::{Failure, Shell};
use crate::config::keys::{self, Effect};
use crate::config::{Origin, Settings};
use serde_json::json;
use std::path::PathBuf;

/// Commands on the configuration.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Check a file: every problem with its line, and what has no effect in this version
    Check {
        /// The file (lazaret.toml)
        file: PathBuf,
    },
    /// Every key with its value
    Show(Show),
}

/// Flags of `config show`.
#[derive(Debug, clap::Args)]
pub struct Show {
    /// Only what somebody changed
    #[arg(long)]
    non_default: bool,
    /// Where each value comes from: default, file, command line or stored setting
    #[arg(long)]
    origin: bool,
    /// What each key does and why its default is what it is
    #[arg(long)]
    about: bool,
    /// The flags of `serve` that count here too.
    #[command(flatten)]
    serve: serve::Args,
}

/// Runs a command.
///
/// # Errors
/// The configuration cannot be used.
pub fn run(shell: &Shell, command: &Command) -> Result<(), Failure> {
    match command {
        Command::Check { file } => check(shell, file),
        Command::Show(show) => self::show(shell, show),
    }
}

fn check(shell: &Shell, file: &std::path::Path) -> Result<(), Failure> {
    let args = serve::Args { config: Some(file.to_owned()), ..serve::Args::default() };
    let settings = serve::settings(&args)?;
    crate::config::serve_options(&settings).map_err(|error| Failure::Usage(error.to_string()))?;
    let set = settings.iter().filter(|(_, setting)| setting.origin != Origin::Default).count();
    let waiting = settings.without_effect();
    if shell.screen.json {
        let names: Vec<&String> = waiting.iter().map(|(name, _, _)| name).collect();
        return shell.screen.value(&json!({"ok": true, "keys_set": set, "without_effect": names}));
    }
    shell.screen.line(&format!("{}: {} ({set} keys set)", file.display(), Tone::Good.paint("OK")))?;
    for (name, origin, what) in waiting {
        let mark = Tone::Warn.paint("no effect yet:");
        shell.screen.line(&format!("  {mark} {name} ({origin}) waits for {what}"))?;
    }
    Ok(())
}

fn show(shell: &Shell, show: &Show) -> Result<(), Failure> {
    let mut settings = serve::settings(&show.serve)?;
    stored(shell, &mut settings);
    let mut heading = String::new();
    for (name, setting) in settings.iter() {
        if show.non_default && setting.origin == Origin::Default {
            continue;
        }
        let key = keys::find(&name).expect("settings hold known keys");
        let waits = match key.effect {
            Effect::Now | Effect::Stored => None,
            Effect::Later(what) => Some(what),
        };
        if shell.screen.json {
            let mut line = json!({"key": name, "value": setting.value.json(), "has_effect": waits.is_none()});
            if show.origin {
                line["origin"] = setting.origin.to_string().into();
            }
            if show.about {
                line["about"] = key.about.into();
            }
            shell.screen.value(&line)?;
            continue;
        }
        let (table, last) = name.rsplit_once('.').expect("every key is in a table");
        if heading != table {
            let gap = if heading.is_empty() { "" } else { "\n" };
            shell.screen.line(&format!("{gap}{}", Tone::Strong.paint(&format!("[{table}]"))))?;
            heading = table.to_owned();
        }
        if show.about {
            shell.screen.line(&Tone::Faint.paint(&format!("# {}", key.about)))?;
        }
        let mut notes = Vec::new();
        if show.origin {
            notes.push(setting.origin.to_string());
        }
        if let Some(what) = waits {
            notes.push(format!("no effect yet, waits for {what}"));
        }
        let note =
            if notes.is_empty() { String::new() } else { Tone::Faint.paint(&format!("  # {}", notes.join("; "))) };
        shell.screen.line(&format!("{last} = {}{note}", escaped(&setting.value.to_string())))?;
    }
    if show.non_default && heading.is_empty() && !shell.screen.json {
        shell.screen.say(Tone::Faint, "every key has its default");
    }
    Ok(())
}

/// Lays what a running server has stored over the settings. The file is shown without them, and said so,
/// when no server answers.
fn stored(shell: &Shell, settings: &mut Settings) {
    let answer = shell.client().and_then(|client| super::wait(async move { client.get("/v1/settings", &[]).await }));
    match answer {
        Ok(answer) => {
            for (name, value) in super::settings::stored_values(&answer) {
                let Some(key) = keys::find(&name) else { continue };
                let read = toml::Value::try_from(&value).ok().and_then(|value| key.shape.read(&value).ok());
                if let Some(value) = read {
                    settings.put(&name, value, Origin::Stored);
                }
            }
        }
        Err(_) => shell.screen.say(Tone::Faint, "no server answers, so stored settings are not shown"),
    }
}
