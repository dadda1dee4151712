//! Servers by name, so that one command line serves many quarantines: a file of the person's own, mode 0600
//! because it may hold tokens, replaced as a whole so that a crash leaves the old one or the new one.

use super::screen::{Column, Table, Tone, escaped};
use super::{Failure, Shell, client::Client};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Commands on contexts.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Add a server, or change it; the token of --token and the authorities of --ca go with it
    Add {
        /// How you call it
        name: String,
        /// Its address, such as https://quarantine.example:8740
        url: String,
    },
    /// List the servers; * marks the one in use
    List,
    /// Use this server from now on
    Use {
        /// Its name
        name: String,
    },
    /// Forget this server
    Remove {
        /// Its name
        name: String,
    },
}

/// A server and who we are there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Context {
    /// Its address.
    pub server: String,
    /// The token to show.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// PEM file of authorities to trust.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Contexts {
    #[serde(skip_serializing_if = "Option::is_none")]
    selected: Option<String>,
    #[serde(default)]
    context: BTreeMap<String, Context>,
}

/// The context in use, if any.
///
/// # Errors
/// The file cannot be read or is not ours.
pub fn selected() -> Result<Option<Context>, Failure> {
    let Some(path) = file() else { return Ok(None) };
    let contexts = read(&path)?;
    let Some(name) = contexts.selected else { return Ok(None) };
    contexts.context.get(&name).cloned().map(Some).ok_or_else(|| {
        Failure::Usage(format!(
            "the context '{}' in use is not in {}: choose another with `lazaret context use`",
            escaped(&name),
            path.display()
        ))
    })
}

/// Runs a command.
///
/// # Errors
/// The file cannot be read or written, an unknown name, an address that is none.
pub fn run(shell: &Shell, command: &Command) -> Result<(), Failure> {
    let path = file()
        .ok_or_else(|| Failure::Usage("there is no place for contexts: set XDG_CONFIG_HOME or HOME".to_owned()))?;
    let mut contexts = read(&path)?;
    match command {
        Command::Add { name, url } => {
            let context =
                Context { server: url.clone(), token: shell.common.token.clone(), ca: shell.common.ca.clone() };
            // Refuses an address that could never be called.
            Client::new(url, None, context.ca.as_deref())?;
            contexts.context.insert(name.clone(), context);
            contexts.selected.get_or_insert_with(|| name.clone());
        }
        Command::List => return list(shell, &contexts),
        Command::Use { name } => {
            known(&contexts, name)?;
            contexts.selected = Some(name.clone());
        }
        Command::Remove { name } => {
            known(&contexts, name)?;
            contexts.context.remove(name);
            contexts.selected = contexts.selected.filter(|selected| selected != name);
        }
    }
    if shell.common.dry_run {
        shell.screen.say(Tone::Faint, "nothing was changed");
        return Ok(());
    }
    write(&path, &contexts)?;
    let in_use = contexts.selected.as_deref().map_or("none".to_owned(), escaped);
    shell.screen.say(Tone::Faint, &format!("context in use: {in_use}"));
    Ok(())
}

fn list(shell: &Shell, contexts: &Contexts) -> Result<(), Failure> {
    let mut table =
        Table::new(vec![Column::fixed(""), Column::fixed("name"), Column::flexible("server"), Column::fixed("token")]);
    for (name, context) in &contexts.context {
        let here = contexts.selected.as_ref() == Some(name);
        if shell.screen.json {
            shell.screen.value(&serde_json::json!({
                "name": name, "server": context.server, "token": context.token.is_some(), "in_use": here,
            }))?;
        }
        table.row([
            (if here { "*" } else { "" }.to_owned(), Tone::Good),
            (escaped(name), Tone::Strong),
            (escaped(&context.server), Tone::Plain),
            (if context.token.is_some() { "yes" } else { "no" }.to_owned(), Tone::Faint),
        ]);
    }
    if shell.screen.json { Ok(()) } else { shell.screen.table(&table) }
}

fn known(contexts: &Contexts, name: &str) -> Result<(), Failure> {
    if contexts.context.contains_key(name) {
        return Ok(());
    }
    let near = contexts.context.keys().min_by_key(|known| strsim::damerau_levenshtein(name, known));
    let advice =
        near.map_or("`lazaret context add` adds one".to_owned(), |near| format!("did you mean '{}'?", escaped(near)));
    Err(Failure::No(format!("there is no context '{}', {advice}", escaped(name))))
}

fn file() -> Option<PathBuf> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    // XDG base directories: a relative path is to be ignored.
    let dir = absolute("XDG_CONFIG_HOME").or_else(|| absolute("HOME").map(|home| home.join(".config")))?;
    Some(dir.join("lazaret").join("contexts.toml"))
}

fn read(path: &Path) -> Result<Contexts, Failure> {
    match std::fs::read_to_string(path) {
        Ok(text) => toml::from_str(&text)
            .map_err(|error| Failure::Usage(format!("{} cannot be used: {}", path.display(), error.message()))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Contexts::default()),
        Err(error) => Err(Failure::Usage(format!("cannot read the contexts in {}: {error}", path.display()))),
    }
}

fn write(path: &Path, contexts: &Contexts) -> Result<(), Failure> {
    let failed =
        |error: std::io::Error| Failure::No(format!("cannot write the contexts to {}: {error}", path.display()));
    let dir = path.parent().unwrap_or(Path::new("."));
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(failed)?;
    let text = toml::to_string(contexts).map_err(|error| failed(std::io::Error::other(error)))?;
    let fresh = dir.join(format!(".contexts.{}", std::process::id()));
    let mut out = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh).map_err(failed)?;
    let written =
        out.write_all(text.as_bytes()).and_then(|()| out.sync_all()).and_then(|()| std::fs::rename(&fresh, path));
    written.map_err(|error| {
        // What is half written is of no use to anyone.
        let _ = std::fs::remove_file(&fresh);
        failed(error)
    })
}
