//! Instructions of the hot path, counted by callgrind and held against a committed baseline.
//!
//! 1. A count is compared only with one of the same compiler, dependencies, tool, libc and processor features. Where
//!    there is none the run says `NOT COMPARED` and why; it never passes a comparison that was not made.
//! 2. What is counted is the program that the tests are built with (profile `ci`), so the gate costs a link and no
//!    second compilation: it sees code that does more, not code that is optimised less.
//!
//! Reading order: [`callgrind`] counts one case, [`baseline`] keeps and judges, this file joins them.

mod baseline;
mod callgrind;

use crate::packages;
use crate::step::{Step, Warden};
use anyhow::{Context, Result, bail};
use baseline::{Baseline, Key, Verdict};
use callgrind::{Case, Scope};
use std::collections::BTreeMap;

/// Every case of `benches/src/bin/counts.rs`, and how often it is done: enough that the first time does not show.
const CASES: &[Case] = &[
    Case { name: "pack-64k", times: 20, scope: Scope::Counted },
    Case { name: "lane-4k", times: 200, scope: Scope::Counted },
    Case { name: "segment-append", times: 20, scope: Scope::Counted },
    Case { name: "segment-decode", times: 20, scope: Scope::Counted },
    // Its rows are written by the catalogue's own thread, in which no function of ours encloses all.
    Case { name: "catalogue-batch", times: 2, scope: Scope::Process },
    Case { name: "quota-decision", times: 1000, scope: Scope::Counted },
    Case { name: "wire-put", times: 50, scope: Scope::Counted },
    Case { name: "wire-offer", times: 1000, scope: Scope::Counted },
    Case { name: "scan-1k", times: 2, scope: Scope::Counted },
    Case { name: "scan-100k", times: 2, scope: Scope::Counted },
];

/// What is done with the counts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Hold them against the baseline.
    Compare,
    /// Make them the baseline of this compiler, these dependencies, this machine.
    Record,
}

/// Builds the counting program, counts every case, and compares or records. False when a case needs over 5 % more
/// than its baseline.
///
/// # Errors
/// A program cannot be started, or counted nothing.
pub fn run(warden: &Warden, purpose: Purpose) -> Result<bool> {
    packages::install(warden, packages::FOR_COUNTS)?;
    if let Err(error) = callgrind::version() {
        return Ok(unavailable(&format!("{error:#}")));
    }
    // With the features of the whole workspace, so that nothing is compiled that the tests have compiled.
    let build = ["build", "--profile", "ci", "--locked", "--workspace", "--bin", "counts"];
    if !warden.run(Step::cargo().args(build))?.success {
        return Ok(false);
    }
    let key = Key::of_here().context("what a baseline is kept by")?;
    let mut counts = BTreeMap::new();
    for case in CASES {
        counts.insert(case.name.to_owned(), callgrind::count(case)?);
    }
    match purpose {
        Purpose::Record => {
            baseline::record(&Baseline { key, counts: counts.clone() })?;
            counts.iter().for_each(|(name, count)| println!("{name:<16} {count:>12}  recorded"));
            Ok(true)
        }
        Purpose::Compare => match baseline::of(&key)? {
            Ok(known) => Ok(judge(&counts, &known.counts)),
            Err(why) => {
                counts.iter().for_each(|(name, count)| println!("{name:<16} {count:>12}  NOT COMPARED"));
                println!("NOT COMPARED: {why}; record with: cargo xtask counts --record");
                Ok(true)
            }
        },
    }
}

/// Prints every row; whether none fails.
fn judge(counts: &BTreeMap<String, u64>, known: &BTreeMap<String, u64>) -> bool {
    let mut good = true;
    for (name, count) in counts {
        let verdict = Verdict::of(*count, known.get(name).copied());
        good &= verdict != Verdict::Fails;
        let (before, percent) = match known.get(name) {
            Some(before) => (before.to_string(), format!("{:+.2} %", baseline::percent(*count, *before))),
            None => ("-".to_owned(), String::new()),
        };
        println!("{name:<16} {count:>12}  baseline {before:>12}  {percent:>9}  {verdict}");
    }
    if !good {
        println!("instructions grew by over {} %: find out why, or record the price", baseline::FAIL_PERCENT);
    }
    good
}

/// Says what was not done; a failure where nothing may be missing and `.ci/capabilities` does not list it.
fn unavailable(reason: &str) -> bool {
    println!("UNAVAILABLE callgrind {reason}: instructions NOT COMPARED");
    let listing = std::fs::read_to_string(crate::root().join(".ci/capabilities")).unwrap_or_default();
    let listed = listing.lines().any(|line| line.split_whitespace().next() == Some("callgrind"));
    let all = std::env::var("CI").is_ok_and(|value| value == "1" || value == "true");
    listed || !all
}

/// First line of what a program prints.
fn first_line(program: &str, args: &[&str]) -> Result<String> {
    let output = std::process::Command::new(program)
        .args(args)
        .current_dir(crate::root())
        .output()
        .with_context(|| format!("cannot start {program}"))?;
    if !output.status.success() {
        bail!("{program} ended with {}", output.status);
    }
    Ok(String::from_utf8_lossy(&output.stdout).lines().next().unwrap_or_default().trim().to_owned())
}
