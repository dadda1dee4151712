//! Other scanners on the literals and the haystack of `benches/src/bin/scan_load.rs`: one line of JSON.
//!
//! `scan-peers --by hyperscan|yara|clamscan --count N --shortest N --longest N --haystack NAME --haystack-bytes N`
//! (seed 1, literals cut from binaries). Hyperscan is linked; the other two are programs, whose processor time with the
//! haystack less that with an empty file is counted, so that neither starting nor loading is.

mod hyperscan;
mod program;

use serde_json::{Value, json};
use std::collections::HashMap;
use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;
use workload::absent::{self, Absent};
use workload::binaries::{self, Part};
use workload::clock::processor_seconds;
use workload::haystack::haystack;

const SEED: u64 = 1;
/// Measured at least so long.
const SECONDS_MIN: f64 = 0.5;

/// What a measured scanner is given.
pub struct Work {
    literals: Vec<Vec<u8>>,
    haystack: Vec<u8>,
    dir: PathBuf,
}

fn main() -> ExitCode {
    match measured() {
        Ok(cell) => {
            println!("{cell}");
            ExitCode::SUCCESS
        }
        Err(error) if error.is::<Absent>() => {
            println!("{error}");
            ExitCode::from(absent::EXIT_CODE as u8)
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn measured() -> Result<Value, Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let said: HashMap<&str, &str> =
        words.chunks(2).filter_map(|pair| Some((pair.first()?.strip_prefix("--")?, pair.get(1)?.as_str()))).collect();
    let text = |name: &str| said.get(name).copied().ok_or_else(|| format!("--{name} is missing"));
    let number = |name: &str| -> Result<usize, Box<dyn Error>> { Ok(text(name)?.parse()?) };
    let lengths = number("shortest")?..=number("longest")?;
    let literals = binaries::cut(&binaries::read(Part::Cut, usize::MAX)?, SEED, number("count")?, lengths);
    let haystack = haystack(text("haystack")?, number("haystack-bytes")?, &literals)?;
    let work = Work { literals, haystack, dir: PathBuf::from(text("dir")?) };
    std::fs::create_dir_all(&work.dir)?;
    match text("by")? {
        "hyperscan" => hyperscan(&work),
        "yara" => program::yara(&work),
        "clamscan" => program::clamscan(&work),
        other => Err(format!("{other} is not known").into()),
    }
}

fn hyperscan(work: &Work) -> Result<Value, Box<dyn Error>> {
    let started = Instant::now();
    let database = hyperscan::Database::compile(&work.literals)?;
    let build_seconds = started.elapsed().as_secs_f64();
    let matches = database.scan(&work.haystack)?;
    let (started, mut times) = (processor_seconds(), 0);
    let mut seconds = 0.0;
    // The clock ticks every few milliseconds.
    while seconds < SECONDS_MIN {
        database.scan(&work.haystack)?;
        times += 1;
        seconds = processor_seconds() - started;
    }
    Ok(json!({
        "megabytes_per_second": (times * work.haystack.len()) as f64 / 1e6 / seconds,
        "matches": matches,
        "haystack_bytes": work.haystack.len(),
        "build_seconds": build_seconds,
        "set_bytes": database.bytes()?,
    }))
}
