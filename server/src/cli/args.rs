//! The grammar of the command line. A flag stands beside the command that it belongs to; what
//! every command understands stands here.

use super::{alerts, centre, clients, config, context, defs, demo, items, offline, put, retest, scan, serve, settings};
use clap::{Parser, Subcommand};
use std::path::PathBuf;

/// What a person typed.
#[derive(Debug, Parser)]
#[command(
    name = "lazaret",
    version,
    about = "The central quarantine of a large estate of computers",
    long_about = "The central quarantine of a large estate of computers: every suspect file that a client could \
                  not clean is forwarded here, stored safely, listed and answered for.",
    after_help = "Examples:\n  \
                  lazaret demo                            see everything work, on this machine, in a minute\n  \
                  lazaret serve                           start a quarantine in ./lazaret-data\n  \
                  lazaret put --recursive suspects/       forward files\n  \
                  lazaret items list --status Held        see what waits\n\n\
                  Exit codes: 0 yes, 1 the answer is no, 2 usage or configuration, 3 unreachable, 4 not allowed, \
                  5 full or conflict",
    max_term_width = 100,
    arg_required_else_help = true,
    propagate_version = true
)]
pub struct Cli {
    /// What every command understands.
    #[command(flatten)]
    pub common: Common,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What every command understands.
#[derive(Debug, Clone, clap::Args)]
pub struct Common {
    /// The server [default: the context in use, else http://127.0.0.1:8740]
    #[arg(long, global = true, value_name = "URL", env = "LAZARET_SERVER", help_heading = "Common options")]
    pub server: Option<String>,
    /// The token to show there
    #[arg(
        long,
        global = true,
        value_name = "T",
        env = "LAZARET_TOKEN",
        hide_env_values = true,
        help_heading = "Common options"
    )]
    pub token: Option<String>,
    /// PEM file of authorities to trust beside the system's
    #[arg(long, global = true, value_name = "FILE", env = "LAZARET_CA", help_heading = "Common options")]
    pub ca: Option<PathBuf>,
    /// JSON on stdout: one object, or one a line for lists
    #[arg(long, global = true, help_heading = "Common options")]
    pub json: bool,
    /// Answer yes to every question
    #[arg(long, short, global = true, help_heading = "Common options")]
    pub yes: bool,
    /// Say what would be done and do nothing
    #[arg(long, global = true, help_heading = "Common options")]
    pub dry_run: bool,
    /// No colour (NO_COLOR does the same)
    #[arg(long, global = true, help_heading = "Common options")]
    pub no_color: bool,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start a quarantine
    Serve(serve::Args),
    /// See the quarantine work in front of your eyes, on loopback, in under a minute
    Demo(demo::Args),
    /// Forward files
    Put(put::Args),
    /// List, show, restore and delete what is in quarantine
    #[command(subcommand)]
    Items(items::Command),
    /// How full the quarantine is
    Quota,
    /// How the server is
    Status,
    /// Read and change settings of a running server
    #[command(subcommand)]
    Settings(settings::Command),
    /// Who forwards, and what is known of them
    #[command(subcommand)]
    Clients(clients::Command),
    /// Which events are told, to whom and how
    #[command(subcommand)]
    Alerts(alerts::Command),
    /// Run an analysis centre: take samples from quarantines, answer with definitions
    Centre(centre::Args),
    /// The Quarantine Log: who did what, and what went wrong
    Log(super::log::Args),
    /// Make, install and compare sets of definitions
    #[command(subcommand)]
    Defs(defs::Command),
    /// Test stored samples again
    #[command(subcommand)]
    Retest(retest::Command),
    /// Scan files with definitions, offline, as clamscan does
    Scan(scan::Args),
    /// Check every stored byte, offline
    Verify(offline::Args),
    /// Make the catalogue anew from the segments, offline
    Rebuild(offline::Args),
    /// Check and show the configuration
    #[command(subcommand)]
    Config(config::Command),
    /// Servers by name
    #[command(subcommand)]
    Context(context::Command),
    /// Make a token and add its hash to a file of tokens
    Token(super::token::Args),
    /// Write the manual, a page for each command
    Man(super::man::Args),
    /// What is needed every day, on one screen
    Cheat,
    /// Completions for a shell, to be sourced there
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(line.split(' '))
    }

    #[test]
    fn the_command_line_contradicts_itself_nowhere() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_of_the_interface_is_understood() {
        for line in [
            "lazaret serve --data d --config f --listen 127.0.0.1:0 --intake-listen 127.0.0.1:0 --defcast-listen [::1]:0",
            "lazaret demo --data d --keep",
            "lazaret put --client c --reason r --recursive a b",
            "lazaret put -",
            "lazaret items list --status Held --status Error --client c --digest ab --signature s --since 2026-01-01 --until 2026-01-02 --limit 5 --cursor x",
            "lazaret items show 1",
            "lazaret items count --status Held",
            "lazaret items restore 1 --to p",
            "lazaret items delete 1 2 --yes",
            "lazaret items delete --client c",
            "lazaret items submit 1 2 --whole",
            "lazaret items submit --status Held --strip",
            "lazaret items deliver 1",
            "lazaret items restart --client c",
            "lazaret items applied 1",
            "lazaret items query 1",
            "lazaret items priority 1 --submission 3 --delivery 1",
            "lazaret clients list",
            "lazaret clients show c",
            "lazaret clients set c --managed auto --sequence 4",
            "lazaret alerts list",
            "lazaret alerts enable 1 quota_low",
            "lazaret alerts disable all",
            "lazaret alerts route 10 --methods email,console --recipients a@b.example",
            "lazaret alerts test 10",
            "lazaret centre --data d --listen 127.0.0.1:0",
            "lazaret centre waiting --data d",
            "lazaret centre answer --data d 0000000000000000000000000000000000000000000000000000000000000000 clean --why w",
            "lazaret quota --json",
            "lazaret verify --data d --json",
            "lazaret rebuild --data d",
            "lazaret scan --defs d --infected --allmatch a b",
            "lazaret defs keygen --out f",
            "lazaret defs build d --sequence 3 --certified --key f --out g",
            "lazaret defs install f",
            "lazaret defs list",
            "lazaret defs show 3",
            "lazaret defs diff 3 4",
            "lazaret defs test f --goodware d",
            "lazaret defs rollback 3 --key f",
            "lazaret retest start --full",
            "lazaret retest status",
            "lazaret retest pause",
            "lazaret retest resume",
            "lazaret status --server http://h:1 --token t",
            "lazaret settings get general.max_bytes",
            "lazaret settings set general.max_bytes 4GiB",
            "lazaret log --follow",
            "lazaret config check f",
            "lazaret config show --non-default --origin",
            "lazaret context add n http://h:1",
            "lazaret context list",
            "lazaret context use n",
            "lazaret context remove n",
            "lazaret completions bash",
            "lazaret man d",
            "lazaret cheat",
        ] {
            parse(line).unwrap_or_else(|error| panic!("{line}: {error}"));
        }
    }

    #[test]
    fn a_disk_that_forgets_is_offered_in_no_help() {
        assert!(parse("lazaret serve --no-op-disk-for-measurement").is_ok());
        let help = Cli::command().find_subcommand_mut("serve").map(|serve| serve.render_long_help().to_string());
        assert!(help.is_some_and(|help| help.contains("--data") && !help.contains("no-op")));
    }

    #[test]
    fn calls_that_make_no_sense_are_refused() {
        for line in [
            "lazaret",
            "lazaret put",
            "lazaret items restore 1",
            "lazaret items show one",
            "lazaret items delete",
            "lazaret items delete 1 --client c",
            "lazaret items submit",
            "lazaret items submit 1 --strip --whole",
            "lazaret items priority 1",
            "lazaret clients set c",
            "lazaret alerts route 1",
            "lazaret centre",
            "lazaret verify",
            "lazaret scan a",
            "lazaret defs build d --sequence 0 --key f --out g",
            "lazaret defs rollback 3",
            "lazaret scan --defs d",
            "lazaret quota extra",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
