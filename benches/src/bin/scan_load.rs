//! How fast a large set of literals is looked for: one set, one matcher, one line of JSON.
//!
//! Literals are cut from binaries of one part of the machine, another part is scanned, and the table of grams
//! was learned from a third (`workload::binaries`). One thread.
//!
//! ```text
//! cargo run --release -p benches --bin scan_load -- --by product --count 100000 --shortest 11
//! ```
#![allow(clippy::print_stdout, reason = "the line is the result")]

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use anyhow::Result;
use clap::{Parser, ValueEnum};
use scanner::literal::{CompileLimits, Instructions, Literal, LiteralSet};
use serde_json::json;
use std::hint::black_box;
use std::path::PathBuf;
use std::time::Instant;
use workload::binaries::{self, Part};
use workload::clock::processor_seconds;
use workload::haystack::haystack;

/// The automaton is so much slower that a smaller part of the haystack says as much.
const AUTOMATON_BYTES: usize = 4 << 20;
/// What is scanned is scanned so often that it takes some tenths of a second.
const SCANNED_BYTES_MIN: usize = 256 << 20;

/// Who looks.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum By {
    /// The product, with the instructions that this processor has.
    Product,
    /// The product, as on a processor without vectors.
    Scalar,
    /// The aho-corasick crate over the whole set.
    Automaton,
    /// Nobody: every byte is read.
    Roof,
}

#[derive(Parser)]
struct Arguments {
    #[arg(long, value_enum, default_value = "product")]
    by: By,
    /// Literals.
    #[arg(long, default_value_t = 100_000)]
    count: usize,
    /// Bytes of the shortest.
    #[arg(long, default_value_t = 8)]
    shortest: usize,
    /// Bytes of the longest.
    #[arg(long, default_value_t = 64)]
    longest: usize,
    /// What is scanned: binaries, text, random, zeroes, letters, window, literal.
    #[arg(long, default_value = "binaries")]
    haystack: String,
    /// How much of it there is.
    #[arg(long = "haystack-bytes", default_value_t = 64 << 20)]
    bytes: usize,
    /// Chooses the literals.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Leave out literals that are in what is scanned, as signatures of malware are not in ordinary programs.
    #[arg(long)]
    absent: bool,
    /// Random literals, not such of binaries.
    #[arg(long)]
    random: bool,
    /// Print the classes of the set on the error stream.
    #[arg(long)]
    report: bool,
    /// Print what the table of grams is learned from, and end.
    #[arg(long)]
    list_learned: bool,
    /// Not used; every measured program is given a folder.
    #[arg(long)]
    dir: Option<PathBuf>,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    if arguments.list_learned {
        binaries::paths(Part::Learn).iter().for_each(|path| println!("{}", path.display()));
        return Ok(());
    }
    let lengths = arguments.shortest..=arguments.longest;
    let mut owned = match arguments.random {
        true => binaries::random(arguments.seed, arguments.count, lengths),
        false => binaries::cut(&binaries::read(Part::Cut, usize::MAX)?, arguments.seed, arguments.count, lengths),
    };
    let haystack = haystack(&arguments.haystack, arguments.bytes, &owned)?;
    if arguments.absent {
        owned = not_in(owned, &haystack)?;
    }
    let cell = match arguments.by {
        By::Product => product(Instructions::best(), &owned, &haystack, arguments.report)?,
        By::Scalar => product(Instructions::Scalar, &owned, &haystack, arguments.report)?,
        By::Automaton => automaton(&owned, &haystack[..haystack.len().min(AUTOMATON_BYTES)])?,
        By::Roof => timed(&haystack, 0.0, 0, |haystack| {
            u64::from(haystack.iter().fold(0, |sum: u32, byte| sum.wrapping_add(u32::from(*byte))))
        }),
    };
    println!("{cell}");
    Ok(())
}

/// The literals that a haystack does not hold.
fn not_in(owned: Vec<Vec<u8>>, haystack: &[u8]) -> Result<Vec<Vec<u8>>> {
    let literals: Vec<Literal<'_>> = owned.iter().map(|bytes| Literal::exact(bytes)).collect();
    let set = LiteralSet::compile(&literals, &CompileLimits::default())?;
    let mut found = vec![false; owned.len()];
    set.scan(haystack, |literal, _| found[literal.0 as usize] = true);
    Ok(owned.into_iter().zip(found).filter(|(_, found)| !found).map(|(literal, _)| literal).collect())
}

fn product(instructions: Instructions, owned: &[Vec<u8>], haystack: &[u8], report: bool) -> Result<serde_json::Value> {
    let literals: Vec<Literal<'_>> = owned.iter().map(|bytes| Literal::exact(bytes)).collect();
    let started = Instant::now();
    let set = LiteralSet::compile(&literals, &CompileLimits::default())?;
    let build_seconds = started.elapsed().as_secs_f64();
    if report {
        eprint!("{}", set.report());
    }
    Ok(timed(haystack, build_seconds, set.memory_bytes() as u64, |haystack| {
        let mut count = 0;
        set.scan_by(instructions, haystack, |_, _| count += 1);
        count
    }))
}

fn automaton(owned: &[Vec<u8>], haystack: &[u8]) -> Result<serde_json::Value> {
    let started = Instant::now();
    let automaton = AhoCorasick::builder().kind(Some(AhoCorasickKind::ContiguousNFA)).build(owned)?;
    let build_seconds = started.elapsed().as_secs_f64();
    Ok(timed(haystack, build_seconds, automaton.memory_usage() as u64, |haystack| {
        automaton.find_overlapping_iter(haystack).count() as u64
    }))
}

/// Scans until it has taken long enough to be measured; the first pass warms up.
fn timed(haystack: &[u8], build_seconds: f64, set_bytes: u64, scan: impl Fn(&[u8]) -> u64) -> serde_json::Value {
    let warm = processor_seconds();
    let matches = scan(black_box(haystack));
    let warm = processor_seconds() - warm;
    // What is slow is not done again for the sake of a rule.
    let times = if warm > 1.0 { 1 } else { SCANNED_BYTES_MIN.div_ceil(haystack.len()).max(1) };
    let started = processor_seconds();
    for _ in 0..times {
        black_box(scan(black_box(haystack)));
    }
    let seconds = processor_seconds() - started;
    json!({
        "megabytes_per_second": (haystack.len() * times) as f64 / 1e6 / seconds,
        "matches": matches,
        "haystack_bytes": haystack.len(),
        "build_seconds": build_seconds,
        "set_bytes": set_bytes,
    })
}
