//! How fast large sets of literals are looked for in real binaries: one set, one line of JSON.
//!
//! Literals are cut from binaries of one part of the machine, another part is scanned, and the table of grams
//! was learned from a third (`workload::binaries`). One thread; the matchers that are named take turns.
//!
//! ```text
//! cargo run --release -p scanner --example literal_rate -- count=100000 shortest=11 by=product,automaton
//! ```
#![allow(clippy::print_stdout, reason = "the line is the result")]

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use scanner::literal::{CompileLimits, Instructions, Literal, LiteralSet};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::error::Error;
use std::hint::black_box;
use std::time::Instant;
use workload::binaries::{self, Part};

/// What can be said, and what holds where nothing is.
const ARGUMENTS: [(&str, &str); 11] = [
    ("list", ""),             // learn: print what the table of grams is learned from, and end
    ("count", "100000"),      // literals
    ("shortest", "8"),        // bytes
    ("longest", "64"),        // bytes
    ("bytes", "67108864"),    // to scan
    ("origin", "binaries"),   // of literals: binaries, random
    ("haystack", "binaries"), // binaries, zeroes, letters, window, literal
    ("by", "product"),        // any of product, scalar, automaton, roof, in turn
    ("rounds", "5"),          // turns
    ("seed", "1"),            // chooses the literals
    ("report", "no"),         // yes: print the classes on the error stream
];
/// The automaton is so much slower that a smaller part of the haystack says as much.
const AUTOMATON_BYTES: usize = 4 << 20;

struct Arguments(HashMap<String, String>);

impl Arguments {
    fn read() -> Result<Self, Box<dyn Error>> {
        let mut all: HashMap<_, _> = ARGUMENTS.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        for word in std::env::args().skip(1) {
            let (name, value) = word.split_once('=').ok_or("arguments are written name=value")?;
            *all.get_mut(name).ok_or_else(|| format!("no argument is called {name}"))? = value.to_owned();
        }
        Ok(Self(all))
    }

    fn text(&self, name: &str) -> &str {
        &self.0[name]
    }

    fn number(&self, name: &str) -> Result<usize, Box<dyn Error>> {
        Ok(self.text(name).parse()?)
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::read()?;
    if arguments.text("list") == "learn" {
        binaries::paths(Part::Learn).iter().for_each(|path| println!("{}", path.display()));
        return Ok(());
    }
    let lengths = arguments.number("shortest")?..=arguments.number("longest")?;
    let (seed, count) = (arguments.number("seed")? as u64, arguments.number("count")?);
    let owned = match arguments.text("origin") {
        "binaries" => binaries::cut(&binaries::read(Part::Cut, usize::MAX)?, seed, count, lengths),
        _ => binaries::random(seed, count, lengths),
    };
    let haystack = haystack(&arguments, &owned)?;
    let literals: Vec<Literal<'_>> = owned.iter().map(|bytes| Literal::exact(bytes)).collect();

    let resident_before = resident_bytes();
    let started = Instant::now();
    let set = LiteralSet::compile(&literals, &CompileLimits::default())?;
    let build_seconds = started.elapsed().as_secs_f64();
    let resident = resident_bytes().saturating_sub(resident_before);
    if arguments.text("report") == "yes" {
        eprint!("{}", set.report());
    }
    let matchers: Vec<&str> = arguments.text("by").split(',').collect();
    let started = Instant::now();
    let automaton = if matchers.contains(&"automaton") { Some(automaton(&owned)?) } else { None };
    let automaton_seconds = started.elapsed().as_secs_f64();

    let mut rates = vec![Vec::new(); matchers.len()];
    let mut matches = vec![0; matchers.len()];
    for _ in 0..arguments.number("rounds")? {
        for (place, matcher) in matchers.iter().enumerate() {
            let (bytes, seconds);
            (matches[place], bytes, seconds) = turn(matcher, &set, automaton.as_ref(), &haystack);
            rates[place].push((bytes as f64 / 1e3 / seconds).round() / 1e3);
        }
    }
    let cells: Vec<Value> = matchers
        .iter()
        .zip(rates.iter().zip(&matches))
        .map(|(by, (rates, matches))| json!({ "by": by, "megabytes_per_second": rates, "matches": matches }))
        .collect();
    println!(
        "{}",
        json!({
            "literals": owned.len(),
            "lengths": [arguments.number("shortest")?, arguments.number("longest")?],
            "origin": arguments.text("origin"),
            "haystack": arguments.text("haystack"),
            "haystack_bytes": haystack.len(),
            "build_seconds": build_seconds,
            "set_bytes": set.memory_bytes(),
            "predicted_bytes": LiteralSet::predicted_bytes(&literals),
            "resident_bytes": resident,
            "automaton_build_seconds": automaton.as_ref().map(|_| automaton_seconds),
            "automaton_bytes": automaton.as_ref().map(AhoCorasick::memory_usage),
            "cells": cells,
        })
    );
    Ok(())
}

/// Matches, bytes scanned and seconds of one turn.
fn turn(matcher: &str, set: &LiteralSet, automaton: Option<&AhoCorasick>, haystack: &[u8]) -> (u64, usize, f64) {
    let mut count = 0_u64;
    let mut bytes = haystack.len();
    let started = processor_seconds();
    match (matcher, automaton) {
        ("product", _) => set.scan(black_box(haystack), |_, _| count += 1),
        ("scalar", _) => set.scan_by(Instructions::Scalar, black_box(haystack), |_, _| count += 1),
        ("automaton", Some(automaton)) => {
            bytes = bytes.min(AUTOMATON_BYTES);
            count = automaton.find_overlapping_iter(black_box(&haystack[..bytes])).count() as u64;
        }
        _ => count = u64::from(read(black_box(haystack))),
    }
    let seconds = processor_seconds() - started;
    (black_box(count), bytes, seconds)
}

/// What this thread has had of a processor: other programs of the machine slow it only by what they take from
/// the caches. Where the kernel does not say, the clock.
fn processor_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    match text.split(' ').next().and_then(|nanoseconds| nanoseconds.parse::<f64>().ok()) {
        Some(nanoseconds) if nanoseconds > 0.0 => nanoseconds / 1e9,
        _ => std::time::UNIX_EPOCH.elapsed().map_or(0.0, |since| since.as_secs_f64()),
    }
}

fn automaton(literals: &[Vec<u8>]) -> Result<AhoCorasick, Box<dyn Error>> {
    Ok(AhoCorasick::builder().kind(Some(AhoCorasickKind::ContiguousNFA)).build(literals)?)
}

fn haystack(arguments: &Arguments, literals: &[Vec<u8>]) -> Result<Vec<u8>, Box<dyn Error>> {
    let bytes = arguments.number("bytes")?;
    let again = |bytes_again: &[u8]| bytes_again.iter().copied().cycle().take(bytes).collect();
    Ok(match arguments.text("haystack") {
        "zeroes" => again(b"\0"),
        "letters" => again(b"a"),
        "window" => again(&literals[0][..8]),
        "literal" => again(&literals[0]),
        _ => binaries::read(Part::Scan, bytes)?,
    })
}

/// Every byte, as fast as it can be had.
fn read(haystack: &[u8]) -> u32 {
    haystack.iter().fold(0, |sum: u32, byte| sum.wrapping_add(u32::from(*byte)))
}

/// What the kernel counts for this process; zero where it does not say.
fn resident_bytes() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    4096 * text.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or(0)
}
