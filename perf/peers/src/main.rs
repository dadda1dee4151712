//! Durable intake by other stores: the same samples, digests, codec and sealing as the product's,
//! each store's strongest sync, and its best group commit where it has none that suffices.
//!
//! Every writer hashes, compresses and seals in its own thread ([`pack`]), hands the result to a
//! [`store`], and counts the sample when the store says it is durable. One line of JSON at the end.

mod group;
mod pack;
mod server;
mod store;

use anyhow::{Context, Result};
use clap::{Parser, ValueEnum};
use std::path::{Path, PathBuf};
use std::time::Duration;
use store::{Files, Fjall, Postgres, Redb, Redis, RocksDb, Sqlite, Store};
use workload::{Absent, Corpus, Load, Stored, Writer, absent, disk};

/// Which store.
#[derive(Clone, Copy, ValueEnum)]
enum Name {
    /// A file for each sample: write, fsync, rename, fsync of the folder.
    Files,
    /// SQLite, WAL, synchronous=FULL, natural group commit by one connection.
    Sqlite,
    /// fjall 3 with key-value separation, natural group commit, PersistMode::SyncAll.
    Fjall,
    /// RocksDB with blob files and its own group commit, sync=1.
    Rocksdb,
    /// redb, natural group commit, Durability::Immediate.
    Redb,
    /// A Redis server with appendfsync always, natural batches as pipelines.
    Redis,
    /// A PostgreSQL server with synchronous_commit on, natural group commit by two connections.
    Postgres,
}

#[derive(Parser)]
struct Arguments {
    /// The store to run.
    #[arg(long, value_enum)]
    store: Name,
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
    let outcome = match arguments.store {
        Name::Files => measure::<Files>("files", &arguments, dir),
        Name::Sqlite => measure::<Sqlite>("sqlite", &arguments, dir),
        Name::Fjall => measure::<Fjall>("fjall", &arguments, dir),
        Name::Rocksdb => measure::<RocksDb>("rocksdb", &arguments, dir),
        Name::Redb => measure::<Redb>("redb", &arguments, dir),
        Name::Redis => measure::<Redis>("redis", &arguments, dir),
        Name::Postgres => measure::<Postgres>("postgres", &arguments, dir),
    };
    std::fs::remove_dir_all(dir).with_context(|| format!("cannot remove {}", dir.display()))?;
    if let Some(absent) = outcome.as_ref().err().and_then(|error| error.downcast_ref::<Absent>()) {
        println!("{absent}");
        std::process::exit(absent::EXIT_CODE);
    }
    println!("{}", outcome?);
    Ok(())
}

fn measure<S: Store>(name: &str, arguments: &Arguments, dir: &Path) -> Result<String> {
    let corpus = Corpus::of_machine()?;
    let load = Load {
        sample_bytes: arguments.bytes,
        writers: arguments.writers,
        measured: Duration::from_secs_f64(arguments.seconds),
        warm_up: Duration::from_secs_f64(arguments.warm_up),
        samples_max: arguments.samples,
        seed: arguments.seed,
    };
    let store = S::open(dir)?;
    let key = pack::StoreKey::new()?;
    let cell = workload::drive(name, &load, &corpus, |_| Packing { packer: pack::Packer::new(&key), store: &store });
    let written_by_server = store.server().map(disk::written_bytes_of);
    store.close()?;
    let mut cell = cell.map_err(anyhow::Error::msg)?;
    cell.written_bytes = written_by_server.unwrap_or(cell.written_bytes);
    cell.disk_bytes = disk::allocated_bytes(dir);
    Ok(cell.line())
}

/// A writer that packs and then waits for its store.
struct Packing<'a, S> {
    packer: pack::Packer,
    store: &'a S,
}

impl<S: Store> Writer for Packing<'_, S> {
    fn store(&mut self, sample_bytes: usize, fill: &mut dyn FnMut(&mut Vec<u8>)) -> Result<Stored, String> {
        let packed = self.packer.pack(sample_bytes, fill).map_err(|error| format!("{error:#}"))?;
        let bytes = packed.value.len() as u64;
        self.store.put(packed).map_err(|error| format!("{error:#}"))?;
        Ok(Stored { bytes })
    }
}
