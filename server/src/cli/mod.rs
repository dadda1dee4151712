//! The command line: what a person types, and what is shown in answer.
//!
//! Reading order: [`args`] is the grammar, [`failure`] the exit codes, [`screen`] what a person sees,
//! [`client`] the server as a command sees it, [`context`] servers by name; then a module for each command.

pub mod alerts;
pub mod args;
pub mod centre;
pub mod cheat;
pub mod client;
pub mod clients;
pub mod config;
pub mod context;
pub mod definitions;
pub mod defs;
pub mod demo;
pub mod failure;
pub mod items;
pub mod log;
pub mod man;
pub mod offline;
pub mod put;
pub mod quota;
pub mod retest;
pub mod scan;
pub mod screen;
pub mod serve;
pub mod settings;
pub mod status;
pub mod token;
pub mod walk;

pub use failure::Failure;

use args::{Cli, Command, Common};
use clap::{CommandFactory, Parser};
use client::Client;
use screen::{Screen, Tone};
use std::future::Future;
use std::process::ExitCode;

/// Where a newcomer's server listens.
pub const SERVER_DEFAULT: &str = "http://127.0.0.1:8740";

/// The hidden subcommand that makes this binary a worker of the cage.
pub const CAGE_WORKER: &str = "cage-worker";
/// The hidden subcommand that makes this binary a worker of the cage that tries YARA rules.
pub const YARA_WORKER: &str = "yara-worker";

/// What every command is given.
#[derive(Debug, Clone)]
pub struct Shell {
    /// The common flags.
    pub common: Common,
    /// Where to write.
    pub screen: Screen,
}

impl Shell {
    /// A client of the server that the flags, the environment or the context in use name.
    ///
    /// # Errors
    /// None of them names a server that can be called, or the contexts cannot be read.
    pub fn client(&self) -> Result<Client, Failure> {
        let chosen = match &self.common.server {
            Some(server) => context::Context { server: server.clone(), token: None, ca: None },
            None => context::selected()?.unwrap_or_else(|| context::Context {
                server: SERVER_DEFAULT.to_owned(),
                token: None,
                ca: None,
            }),
        };
        let token = self.common.token.clone().or(chosen.token);
        let ca = self.common.ca.clone().or(chosen.ca);
        Client::new(&chosen.server, token, ca.as_deref())
    }

    /// Asks unless `--yes` was given; without a person there, no answer is a refusal that says so.
    ///
    /// # Errors
    /// The answer is no.
    pub fn confirm(&self, question: &str) -> Result<(), Failure> {
        if self.common.yes {
            return Ok(());
        }
        if !screen::person_present() {
            return Err(Failure::Usage(format!("{question}\nnobody is there to answer: say --yes to do it")));
        }
        if screen::confirmed(question) { Ok(()) } else { Err(Failure::No("nothing was done".to_owned())) }
    }
}

/// Runs `future` on a runtime of its own.
///
/// # Errors
/// Those of the future, or no runtime can be made.
pub fn wait<T>(future: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Failure::No(format!("cannot start the runtime: {error}")))?
        .block_on(future)
}

/// Runs the command line of this process.
#[must_use]
pub fn run() -> ExitCode {
    // Before anything else is read or opened: what a worker has not got, hostile bytes cannot use.
    match std::env::args_os().nth(1) {
        Some(argument) if argument == CAGE_WORKER => return scanner::cage::worker_main(),
        Some(argument) if argument == YARA_WORKER => return yara::worker_main(),
        Some(_) | None => {}
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let code = if error.use_stderr() { 2 } else { 0 };
            // A closed stream is nobody's loss.
            let _ = error.print();
            return code.into();
        }
    };
    let screen = Screen::new(cli.common.json, cli.common.no_color);
    let shell = Shell { common: cli.common, screen };
    match command(&shell, cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let text = failure.to_string();
            let mut lines = text.lines();
            if let Some(first) = lines.next() {
                let mark = Tone::Bad.paint_message("error:");
                screen.say(Tone::Plain, &format!("{mark} {first}"));
            }
            for line in lines {
                screen.say(Tone::Faint, &format!("  {line}"));
            }
            failure.into()
        }
    }
}

fn command(shell: &Shell, command: Command) -> Result<(), Failure> {
    match command {
        Command::Serve(args) => serve::run(shell, &args),
        Command::Demo(args) => demo::run(shell, &args),
        Command::Put(args) => put::run(shell, args),
        Command::Items(command) => items::run(shell, command),
        Command::Quota => quota::run(shell),
        Command::Status => status::run(shell),
        Command::Settings(command) => settings::run(shell, &command),
        Command::Clients(command) => clients::run(shell, &command),
        Command::Alerts(command) => alerts::run(shell, &command),
        Command::Centre(args) => centre::run(shell, &args),
        Command::Log(args) => log::run(shell, &args),
        Command::Defs(command) => defs::run(shell, &command),
        Command::Retest(command) => retest::run(shell, &command),
        Command::Scan(args) => scan::run(shell, &args),
        Command::Verify(args) => offline::verify(shell, &args),
        Command::Rebuild(args) => offline::rebuild(shell, &args),
        Command::Config(command) => config::run(shell, &command),
        Command::Context(command) => context::run(shell, &command),
        Command::Token(args) => token::run(shell, &args),
        Command::Man(args) => man::run(shell, &args),
        Command::Cheat => cheat::run(shell),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "lazaret", &mut script);
            Screen { json: false }.line(String::from_utf8_lossy(&script).trim_end())
        }
    }
}
