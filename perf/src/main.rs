//! Starts the product and its peers on the same work, one after another in one run, and compares.
//!
//! Nothing measured is linked here: every cell is a program of its own, started with the same
//! arguments. Reading order: [`plan`] says which cells there are and which bars they are read against,
//! [`run`] interleaves them (A B A B), [`record`] is the file under `perf/records/`, [`table`] what a
//! person reads.
#![allow(clippy::print_stdout, reason = "tables are for the person who started it")]

mod machine;
mod plan;
mod record;
mod run;
mod table;

use anyhow::Result;
use clap::{Parser, ValueEnum};
use std::path::PathBuf;

/// What to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    /// Durable intake: the product, its roof, every peer.
    Intake,
    /// Durable intake: the peers alone.
    Peers,
    /// Sustained catalogue feed, and a filtered page of many items.
    Catalogue,
    /// Start and recovery with many samples.
    Start,
    /// A burst of offers by digest to a running server.
    Offers,
    /// Durable intake over real sockets: ours by both doors, the same without a disk, other servers.
    Network,
    /// Ack latency at 70 % of saturation.
    Latency,
    /// Large sets of literals in real files, text and noise: the product, its roof, other scanners.
    Scan,
}

#[derive(Parser)]
#[command(name = "perf", about = "Compares the product with its peers on the same work")]
struct Arguments {
    /// What to measure.
    #[arg(value_enum)]
    what: What,
    /// Rounds of A B A B; the median of fewer than five is no claim.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Measured seconds of a cell; the row's own when absent.
    #[arg(long)]
    seconds: Option<f64>,
    /// Only rows whose name holds this text.
    #[arg(long)]
    only: Option<String>,
    /// Items or samples, for what is measured on a filled store, or offers of a burst.
    #[arg(long)]
    count: Option<u64>,
    /// Where the stores lie while they are measured, all on the same file system.
    #[arg(long, default_value = "target/perf")]
    dir: PathBuf,
    /// Print the table, write no record.
    #[arg(long)]
    dry: bool,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let rows = plan::rows(arguments.what, &arguments);
    let mut cells = Vec::new();
    for row in &rows {
        cells.push(run::interleaved(row, arguments.rounds, &arguments.dir)?);
    }
    let record = record::Record::new(&rows, cells)?;
    println!("\n{}", table::markdown(&record));
    if !arguments.dry {
        println!("record: {}", record.write(arguments.what)?.display());
    }
    Ok(())
}
