//! Long runs that CI has no time for. Each wraps what a test does in a smaller size.

use crate::step::{Step, Warden};
use anyhow::Result;
use clap::Subcommand;

/// A day, in minutes: a campaign ends by its own count or time.
const CAMPAIGN_MINUTES_MAX: u64 = 24 * 60;

/// What to run.
#[derive(Subcommand)]
pub enum Campaign {
    /// Coverage-guided fuzzing of one decoder, or of all in turn.
    Fuzz {
        /// A target of fuzz/fuzz_targets; all when absent.
        target: Option<String>,
        /// Seconds for each target.
        #[arg(long, default_value_t = 60)]
        seconds: u64,
    },
    /// Undefined behaviour in the pure parts, where the toolchain has Miri.
    Miri,
    /// Address sanitizer over the engine's tests.
    Sanitizers,
    /// Kill -9 under load, as many cycles as asked for.
    Kills {
        /// Kills in all.
        cycles: u64,
    },
    /// Power cuts on loop-mounted file systems, as many cycles as asked for on each.
    Powercut {
        /// Cuts on each file system.
        cycles: u64,
    },
}

/// Every fuzz target, in the order of fuzz/Cargo.toml.
const TARGETS: &[&str] =
    &["arrival", "wire-client", "wire-server", "record", "segment", "walk", "executable", "grams"];

/// Runs a campaign.
///
/// # Errors
/// A program that it needs cannot be started.
pub fn run(campaign: &Campaign) -> Result<bool> {
    let warden = Warden::new();
    match campaign {
        Campaign::Fuzz { target, seconds } => fuzz(&warden, target.as_deref(), *seconds),
        Campaign::Miri => {
            let miri = Step::cargo().args(["miri", "test", "--package", "model"]).minutes(CAMPAIGN_MINUTES_MAX);
            Ok(warden.run(miri.env("MIRIFLAGS", "-Zmiri-disable-isolation"))?.success)
        }
        Campaign::Sanitizers => {
            let step = Step::cargo().args(["test", "--package", "engine", "--target", "x86_64-unknown-linux-gnu"]);
            let step = step.env("RUSTC_BOOTSTRAP", "1").env("RUSTFLAGS", "-Zsanitizer=address");
            let step = step.env("CARGO_TARGET_DIR", crate::root().join("fuzz/target/sanitizers"));
            Ok(warden.run(step.minutes(CAMPAIGN_MINUTES_MAX))?.success)
        }
        Campaign::Kills { cycles } => cycles_of(&warden, "kill", *cycles),
        Campaign::Powercut { cycles } => cycles_of(&warden, "power_cut", *cycles),
    }
}

/// A test target of the package `tests` with another number of cycles.
fn cycles_of(warden: &Warden, target: &str, cycles: u64) -> Result<bool> {
    let step = Step::cargo()
        .args(["test", "--profile", "ci", "--package", "tests", "--test", target, "--", "--nocapture"])
        .env("LAZARET_CYCLES", cycles.to_string())
        .env("LAZARET_REQUIRE_ALL", "1");
    Ok(warden.run(step.minutes(CAMPAIGN_MINUTES_MAX))?.success)
}

/// Builds with the sanitizer coverage of the stable compiler; fuzz/ is outside the workspace, so
/// nothing else is built that way.
fn fuzz(warden: &Warden, target: Option<&str>, seconds: u64) -> Result<bool> {
    let mut good = true;
    for target in TARGETS.iter().filter(|name| target.is_none_or(|wanted| wanted == **name)) {
        let corpus = crate::root().join("fuzz/corpus").join(target);
        std::fs::create_dir_all(&corpus)?;
        std::fs::create_dir_all(crate::root().join("fuzz/artifacts"))?;
        let flags = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
             -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
             -Cllvm-args=-sanitizer-coverage-trace-compares -Zsanitizer=address -Ccodegen-units=1 --cfg fuzzing";
        let step = Step::cargo()
            .args(["run", "--release", "--manifest-path", "fuzz/Cargo.toml", "--bin", target])
            .args(["--target", "x86_64-unknown-linux-gnu", "--"])
            .args([corpus.as_os_str(), seeds(target).as_os_str()])
            .args([format!("-max_total_time={seconds}"), "-timeout=10".to_owned(), "-rss_limit_mb=2048".to_owned()])
            .args(["-artifact_prefix=fuzz/artifacts/", "-print_final_stats=1"])
            .env("RUSTC_BOOTSTRAP", "1")
            .env("RUSTFLAGS", flags)
            .minutes(CAMPAIGN_MINUTES_MAX);
        good &= warden.run(step)?.success;
    }
    Ok(good)
}

/// The committed corpus of a target, beside the crate whose decoder it feeds.
fn seeds(target: &str) -> std::path::PathBuf {
    let owner = match target {
        "record" | "segment" => "engine",
        "walk" | "executable" => "scanner",
        _ => "model",
    };
    crate::root().join(owner).join("corpus").join(target)
}
