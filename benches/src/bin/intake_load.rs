//! The product's durable intake in process, on the work that the peers do: one line of JSON.
#![allow(clippy::print_stdout, reason = "the line is the result")]

use anyhow::{Context, Result};
use benches::product::{Codec, Door, Putter, Under, settings};
use clap::Parser;
use engine::Engine;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::Duration;
use workload::{Corpus, Load, disk};

#[derive(Parser)]
struct Arguments {
    /// What lies under the engine.
    #[arg(long, value_enum, default_value = "plain")]
    disk: Under,
    /// Who decides how hard to compress.
    #[arg(long, value_enum, default_value = "level1")]
    codec: Codec,
    /// How samples are handed in.
    #[arg(long, value_enum, default_value = "put")]
    door: Door,
    /// Run the finish pass and the scrub meanwhile.
    #[arg(long)]
    background: bool,
    /// Plain bytes of each sample.
    #[arg(long)]
    bytes: usize,
    /// Concurrent writers.
    #[arg(long)]
    writers: usize,
    /// Measured seconds.
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    /// Seconds before the measurement.
    #[arg(long, default_value_t = 1.0)]
    warm_up: f64,
    /// Samples at most.
    #[arg(long, default_value_t = u64::MAX)]
    samples: u64,
    /// Chooses the samples.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// A folder that does not exist yet; deleted at the end.
    #[arg(long)]
    dir: PathBuf,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let dir = &arguments.dir;
    std::fs::create_dir(dir).with_context(|| format!("cannot make {}", dir.display()))?;
    let outcome = measure(&arguments);
    std::fs::remove_dir_all(dir).with_context(|| format!("cannot remove {}", dir.display()))?;
    println!("{}", outcome?);
    Ok(())
}

fn measure(arguments: &Arguments) -> Result<String> {
    let corpus = Corpus::of_machine()?;
    let load = Load {
        sample_bytes: arguments.bytes,
        writers: arguments.writers,
        measured: Duration::from_secs_f64(arguments.seconds),
        warm_up: Duration::from_secs_f64(arguments.warm_up),
        samples_max: arguments.samples,
        seed: arguments.seed,
    };
    let settings = settings(arguments.codec, arguments.background);
    let (engine, _) = Engine::open(&arguments.dir, settings, arguments.disk.disk()?)?;
    let name = format!("product/{:?}/{:?}", arguments.disk, arguments.codec).to_lowercase();
    let cell = workload::drive(&name, &load, &corpus, |number| Putter::new(&engine, number, arguments.door));
    engine.close();
    let mut cell = cell.map_err(anyhow::Error::msg)?;
    let segments = arguments.dir.join("segments");
    let reserve = std::fs::metadata(segments.join("reserve")).map_or(0, |reserve| reserve.blocks() * 512);
    cell.disk_bytes = disk::allocated_bytes(&segments) - reserve;
    cell.beside_bytes = disk::allocated_bytes(&arguments.dir) - cell.disk_bytes;
    Ok(cell.line())
}
