//! Hyperscan on the literals and the haystack of `scanner/examples/literal_rate.rs`: one line of JSON.
//!
//! `scan-peers COUNT SHORTEST LONGEST BYTES ROUNDS`, with seed 1, literals cut from binaries.

mod hyperscan;

use hyperscan::Database;
use serde_json::json;
use std::error::Error;
use std::time::Instant;
use workload::binaries::{self, Part};

fn main() -> Result<(), Box<dyn Error>> {
    let numbers: Vec<usize> = std::env::args().skip(1).map(|word| word.parse()).collect::<Result<_, _>>()?;
    let [count, shortest, longest, bytes, rounds] = numbers[..] else {
        return Err("usage: scan-peers COUNT SHORTEST LONGEST BYTES ROUNDS".into());
    };
    let literals = binaries::cut(&binaries::read(Part::Cut, usize::MAX)?, 1, count, shortest..=longest);
    let haystack = binaries::read(Part::Scan, bytes)?;
    let started = Instant::now();
    let database = Database::compile(&literals)?;
    let build_seconds = started.elapsed().as_secs_f64();
    let (mut rates, mut matches) = (Vec::new(), 0);
    for _ in 0..rounds {
        let started = processor_seconds();
        matches = database.scan(&haystack)?;
        rates.push(haystack.len() as f64 / 1e6 / (processor_seconds() - started));
    }
    println!(
        "{}",
        json!({
            "literals": literals.len(),
            "lengths": [shortest, longest],
            "haystack_bytes": haystack.len(),
            "build_seconds": build_seconds,
            "cells": [{ "by": "hyperscan", "megabytes_per_second": rates, "matches": matches }],
        })
    );
    Ok(())
}

/// As the product's program counts it.
fn processor_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split(' ').next().and_then(|nanoseconds| nanoseconds.parse::<f64>().ok()).unwrap_or(0.0) / 1e9
}
