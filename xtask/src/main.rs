//! The project's chores, started as `cargo xtask`.
//!
//! Reading order: [`test`] is the one test command and shows the order of its steps, [`packages`]
//! installs what it needs, [`step`] runs one program and leaves none behind, [`tally`] counts what
//! the programs report, [`campaign`] holds the long runs, [`perf`] the measurements, [`counts`] the gate on
//! instructions.
#![allow(clippy::print_stdout, reason = "a chore talks to the person who started it")]

mod campaign;
mod counts;
mod packages;
mod perf;
mod step;
mod tally;
mod test;

use clap::{Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The project's chores")]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Format, lints and every test; the last line says how many passed.
    Test,
    /// Count the instructions of the hot path and hold them against perf/counts.json.
    Counts {
        /// Make the counts the baseline of this compiler, these dependencies and this machine.
        #[arg(long)]
        record: bool,
    },
    /// A long run that CI has no time for.
    Campaign {
        #[command(subcommand)]
        campaign: campaign::Campaign,
    },
    /// Measure, and write a record under perf/records.
    Perf {
        /// What to measure.
        #[arg(value_enum)]
        what: perf::What,
        /// Passed on to the measuring program, after `--`.
        #[arg(last = true)]
        rest: Vec<String>,
    },
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().chore {
        Chore::Test => test::run(),
        Chore::Counts { record } => {
            let purpose = if record { counts::Purpose::Record } else { counts::Purpose::Compare };
            counts::run(&step::Warden::new(), purpose)
        }
        Chore::Campaign { campaign } => campaign::run(&campaign),
        Chore::Perf { what, rest } => perf::run(what, &rest),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            println!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The root of the work tree.
fn root() -> PathBuf {
    let mut root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    root.pop();
    root
}
