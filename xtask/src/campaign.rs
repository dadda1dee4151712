//! Long runs that CI has no time for. Each wraps what a test does in a smaller size.

use crate::step::{Step, Warden};
use anyhow::Result;
use clap::{Subcommand, ValueEnum};

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
    /// Undefined behaviour in the pure parts, with the nightly toolchain's Miri.
    Miri,
    /// The engine's tests under a sanitizer.
    Sanitizers {
        /// Which faults it looks for.
        #[arg(value_enum, default_value_t = Sanitizer::Address)]
        sanitizer: Sanitizer,
    },
    /// Kill -9 under load, as many cycles as asked for.
    Kills {
        /// Kills in all.
        cycles: u64,
    },
    /// Kill -9 of the workers that open samples, under a server that scans.
    Workers {
        /// Kills in all.
        cycles: u64,
    },
    /// Power cuts on loop-mounted file systems, as many cycles as asked for on each.
    Powercut {
        /// Cuts on each file system.
        cycles: u64,
    },
}

/// A sanitizer of the compiler.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Sanitizer {
    /// Memory that is not there: over every test of the engine, with the stable toolchain.
    Address,
    /// Data races: over the tests whose threads meet in the lane, the quota and the catalogue's queue. The standard
    /// library has to be built with it, so the nightly toolchain and its sources are needed.
    Thread,
}

/// What Miri can run of the engine. The rest calls the kernel, SQLite, zstd or ring, which it cannot follow; that is
/// also where all of the engine's unsafe code is (maps, signals, rings), so the fuzz targets and sanitizers have it.
const MIRI_ENGINE: &[&str] =
    &["disk::aligned", "index::", "retry::", "pool::", "quota::", "catalogue::queue", "segment::", "pack::codec"];

/// Where sanitized and interpreted builds go: their flags would make the usual ones stale.
const APART: &str = "fuzz/target";

/// Sanitizers need the target named, so that build scripts and macros are spared.
const TARGET: &str = "x86_64-unknown-linux-gnu";

/// Every fuzz target, in the order of fuzz/Cargo.toml.
const TARGETS: &[&str] = &[
    "arrival",
    "wire-client",
    "wire-server",
    "record",
    "segment",
    "walk",
    "executable",
    "grams",
    "definitions",
    "package",
    "shelf",
    "strip",
    "gateway",
];

/// Runs a campaign.
///
/// # Errors
/// A program that it needs cannot be started.
pub fn run(campaign: &Campaign) -> Result<bool> {
    let warden = Warden::new();
    match campaign {
        Campaign::Fuzz { target, seconds } => fuzz(&warden, target.as_deref(), *seconds),
        Campaign::Miri => miri(&warden),
        Campaign::Sanitizers { sanitizer } => sanitized(&warden, *sanitizer),
        Campaign::Kills { cycles } => cycles_of(&warden, "tests", "kill", *cycles),
        Campaign::Workers { cycles } => cycles_of(&warden, "server", "worker_kills", *cycles),
        Campaign::Powercut { cycles } => cycles_of(&warden, "tests", "power_cut", *cycles),
    }
}

/// Cargo of the nightly toolchain, whatever the work tree asks for.
fn nightly() -> Step {
    Step::new("rustup").args(["run", "nightly", "cargo"])
}

fn miri(warden: &Warden) -> Result<bool> {
    let under = |step: Step| {
        let step = step.env("MIRIFLAGS", "-Zmiri-disable-isolation").env("PROPTEST_CASES", "4");
        step.env("CARGO_TARGET_DIR", crate::root().join(APART).join("miri")).minutes(CAMPAIGN_MINUTES_MAX)
    };
    let model = nightly().args(["miri", "test", "--package", "model", "--lib"]);
    let engine = nightly().args(["miri", "test", "--package", "engine", "--lib", "--"]).args(MIRI_ENGINE);
    let model = warden.run(under(model))?.success;
    Ok(warden.run(under(engine))?.success && model)
}

fn sanitized(warden: &Warden, sanitizer: Sanitizer) -> Result<bool> {
    let (step, flags, folder) = match sanitizer {
        Sanitizer::Address => {
            let step = Step::cargo().args(["test", "--package", "engine", "--target", TARGET]);
            // Of the exit codes only the tests' own counts: SQLite and the threads of a store that was not closed keep
            // memory to the end on purpose.
            (step.env("ASAN_OPTIONS", "detect_leaks=0"), "-Zsanitizer=address", "address")
        }
        Sanitizer::Thread => {
            let step = nightly().args(["test", "-Zbuild-std", "--package", "engine", "--target", TARGET]);
            (step.args(["--test", "lane", "--test", "quota"]), "-Zsanitizer=thread", "thread")
        }
    };
    let step = step.env("RUSTC_BOOTSTRAP", "1").env("RUSTFLAGS", flags);
    let step = step.env("CARGO_TARGET_DIR", crate::root().join(APART).join(folder));
    Ok(warden.run(step.minutes(CAMPAIGN_MINUTES_MAX))?.success)
}

/// A test target with another number of cycles.
fn cycles_of(warden: &Warden, package: &str, target: &str, cycles: u64) -> Result<bool> {
    let step = Step::cargo()
        .args(["test", "--profile", "ci", "--package", package, "--test", target, "--", "--nocapture"])
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
            .args(["--target", TARGET, "--"])
            .args([&corpus])
            .args(seeds(target))
            .args([format!("-max_total_time={seconds}"), "-timeout=10".to_owned(), "-rss_limit_mb=2048".to_owned()])
            .args(["-artifact_prefix=fuzz/artifacts/", "-print_final_stats=1"])
            .env("RUSTC_BOOTSTRAP", "1")
            .env("RUSTFLAGS", flags)
            .minutes(CAMPAIGN_MINUTES_MAX);
        good &= warden.run(step)?.success;
    }
    Ok(good)
}

/// The committed corpus of a target, beside the crate whose decoder it feeds. Not every target has one.
fn seeds(target: &str) -> Option<std::path::PathBuf> {
    let owner = match target {
        "record" | "segment" => "engine",
        "walk" | "executable" | "grams" | "definitions" | "shelf" | "strip" => "scanner",
        _ => "model",
    };
    Some(crate::root().join(owner).join("corpus").join(target)).filter(|folder| folder.is_dir())
}
