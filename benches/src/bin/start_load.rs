//! How long a store of many samples takes to open: after an orderly end, and after a sudden one under
//! load. One line of JSON. Files are in the page cache, as they are when a service is restarted.
#![allow(clippy::print_stdout, reason = "the line is the result")]

use anyhow::{Context, Result, ensure};
use benches::product::{Codec, Door, Putter, Under, settings};
use clap::Parser;
use engine::Engine;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use workload::{Corpus, Load, disk};

/// Small, so that a million of them fill the index and not the disk.
const SAMPLE_BYTES: usize = 512;
const WRITERS: usize = 64;
/// Put by the process that ends suddenly.
const SUDDEN_SAMPLES: u64 = 50_000;

#[derive(Parser)]
struct Arguments {
    /// Samples in all.
    #[arg(long)]
    count: u64,
    /// A folder that does not exist yet; deleted at the end.
    #[arg(long)]
    dir: PathBuf,
    /// Only fill, then end without closing anything; this program starts itself so.
    #[arg(long, hide = true)]
    end_suddenly: bool,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    if arguments.end_suddenly {
        let _engine = fill(&arguments.dir, 2, arguments.count)?;
        std::process::abort();
    }
    let dir = &arguments.dir;
    std::fs::create_dir(dir).with_context(|| format!("cannot make {}", dir.display()))?;
    let outcome = measure(&arguments);
    std::fs::remove_dir_all(dir).with_context(|| format!("cannot remove {}", dir.display()))?;
    println!("{}", outcome?);
    Ok(())
}

fn measure(arguments: &Arguments) -> Result<serde_json::Value> {
    let dir = &arguments.dir;
    fill(dir, 1, arguments.count)?.close();
    let start = open(dir)?;
    let status = Command::new(std::env::current_exe()?)
        .args(["--end-suddenly", "--count", &SUDDEN_SAMPLES.to_string(), "--dir"])
        .arg(dir)
        .status()?;
    ensure!(!status.success(), "the process that was to end suddenly ended with {status}");
    let recovery = open(dir)?;
    Ok(json!({
        "samples": arguments.count,
        "start_seconds": start.as_secs_f64(),
        "recovery_seconds": recovery.as_secs_f64(),
        "disk_bytes": disk::allocated_bytes(dir),
    }))
}

fn open(dir: &Path) -> Result<Duration> {
    let started = Instant::now();
    let (engine, _) = Engine::open(dir, settings(Codec::Level1, false), Under::Plain.disk()?)?;
    let took = started.elapsed();
    engine.close();
    Ok(took)
}

fn fill(dir: &Path, seed: u64, samples_max: u64) -> Result<Engine> {
    let (engine, _) = Engine::open(dir, settings(Codec::Level1, false), Under::Plain.disk()?)?;
    let load = Load {
        sample_bytes: SAMPLE_BYTES,
        writers: WRITERS,
        measured: Duration::from_secs(3600),
        warm_up: Duration::ZERO,
        samples_max,
        seed,
    };
    let corpus = Corpus::of_machine()?;
    workload::drive("fill", &load, &corpus, |number| Putter::new(&engine, number, Door::Put))
        .map_err(anyhow::Error::msg)?;
    Ok(engine)
}
