//! The one test command: everything a change must pass, each dependency compiled once per kind of
//! compilation (checked for the lints, built for the tests; C code once).

use crate::counts;
use crate::packages;
use crate::step::{Done, Step, Warden};
use crate::tally::Tally;
use anyhow::Result;
use std::path::PathBuf;

/// Format, lints, build, capabilities, tests, instruction counts. A failed check does not hide what comes after it,
/// except that nothing can run when it does not build.
///
/// # Errors
/// A program that a step needs cannot be started.
pub fn run() -> Result<bool> {
    let warden = Warden::new();
    let mut tally = Tally::default();
    packages::install(&warden, packages::FOR_TESTS)?;

    note(&mut tally, &warden.run(Step::cargo().args(["fmt", "--all", "--check"]))?);
    let lints = ["clippy", "--workspace", "--all-targets", "--profile", "ci", "--locked", "--", "--deny", "warnings"];
    note(&mut tally, &warden.run(Step::cargo().args(lints))?);

    let built = warden.run(Step::cargo().args(TESTS).args(["--no-run"]))?;
    note(&mut tally, &built);
    if built.success {
        // Names what the kernel lacks before the long tests start, and fails on what CI must have.
        note(&mut tally, &warden.run(required(Step::new(program("capabilities"))))?);
        note(&mut tally, &warden.run(required(Step::cargo().args(TESTS).args(["--no-fail-fast"])))?);
        // A case that grew by over 5 % is one failure, as a failed check is.
        if !counts::run(&warden, counts::Purpose::Compare)? {
            tally.note_failure();
        }
    }
    println!("\n{tally}");
    Ok(tally.failed == 0)
}

/// One compilation serves all tests: every crate, every target, the same features.
const TESTS: [&str; 5] = ["test", "--workspace", "--profile", "ci", "--locked"];

/// Adds a step's counts; a step that failed without counting a failure is one.
fn note(tally: &mut Tally, done: &Done) {
    tally.passed += done.tally.passed;
    tally.failed += done.tally.failed;
    if !done.success && done.tally.failed == 0 {
        tally.note_failure();
    }
}

/// In CI nothing may be skipped.
fn required(step: Step) -> Step {
    match std::env::var("CI").as_deref() {
        Ok("true" | "1") => step.env("LAZARET_REQUIRE_ALL", "1"),
        Ok(_) | Err(_) => step,
    }
}

/// A program built beside this one, with the same profile.
fn program(name: &str) -> PathBuf {
    let mut path = std::env::current_exe().unwrap_or_default();
    path.set_file_name(name);
    path
}
