//! Ack latency at 70 % of saturation, by loadgen's open loop: one line of JSON.
//!
//! A fresh server; loadgen finds the highest rate that keeps a loose promise, then sends 70 % of it.
//! Beside the client's latencies stands what the server measured in the same seconds: packing one sample,
//! one durable write, and its own time from the first byte to the ack.
#![allow(clippy::print_stdout, reason = "the line is the result")]

use anyhow::{Context, Result, ensure};
use clap::Parser;
use serde_json::{Value, json};
use sockets::figures::Figures;
use sockets::lazaret::{Lazaret, Under};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const LOADGEN: &str = "target/release/loadgen";
/// The load measures the server only while the generator keeps its own schedule this well, p99.
const LAG_US_MAX: u64 = 5_000;
/// In the search the promise decides: generator and server share their cores, and near saturation both
/// are late.
const LAG_OF_SEARCH_US_MAX: u64 = 10_000_000;
/// A doubling of it is the first rate tried beyond.
const FIRST_RATE: &str = "500";
const SHARE: f64 = 0.7;
/// The store's background passes would make up for the search while the load runs.
const CONFIG: &str = "[general]\nmax_bytes = '60 GiB'\n\n[store]\nfinish = false\nscrub = false\n";

#[derive(Parser)]
struct Arguments {
    /// Plain bytes of each sample.
    #[arg(long)]
    bytes: u64,
    /// Seconds of the load at 70 %, its warm-up included.
    #[arg(long, default_value_t = 15.0)]
    seconds: f64,
    /// Saturation is where this breaks: beyond it the queue grows for as long as the load lasts.
    #[arg(long, default_value = "p99<50ms")]
    promise: String,
    /// Seconds of each step of the search.
    #[arg(long, default_value_t = 3.0)]
    step: f64,
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
    let outcome = measure(&arguments, dir);
    std::fs::remove_dir_all(dir).with_context(|| format!("cannot remove {}", dir.display()))?;
    println!("{}", outcome?);
    Ok(())
}

fn measure(arguments: &Arguments, dir: &Path) -> Result<Value> {
    let (search, load) = (dir.join("search.toml"), dir.join("load.toml"));
    std::fs::write(&search, profile_text(arguments.bytes, LAG_OF_SEARCH_US_MAX))?;
    std::fs::write(&load, profile_text(arguments.bytes, LAG_US_MAX))?;
    let server = Lazaret::start(dir, CONFIG, Under::Disk)?;
    let loadgen = |verb: &str, profile: &Path, seed: u64, words: &[&str]| {
        let mut command = Command::new(LOADGEN);
        command.arg(verb).arg(profile).args(["--seed", &seed.to_string(), "--json"]).args(words);
        command.args(["--server", &format!("http://{}", server.http), "--intake", &server.intake.to_string()]);
        said(&mut command)
    };
    // Seeds of the search rise by its steps, so the load takes one that is far from them.
    let (search_seed, load_seed) = (arguments.seed * 1000, arguments.seed * 1000 + 500);
    let step = format!("{}s", arguments.step);
    let words = ["--slo", &arguments.promise, "--rate", FIRST_RATE, "--step", &step];
    let found = loadgen("saturate", &search, search_seed, &words)?;
    let no_rate = || format!("no rate keeps {}", arguments.promise);
    let kept = found["rate_per_s"].as_f64().with_context(no_rate)?;
    // What came through at the highest rate that kept the promise: a short step can begin a queue that
    // a longer one would not have been forgiven.
    let steps = found["steps"].as_array().into_iter().flatten();
    let through = steps.filter(|step| step["rate_per_s"] == kept).filter_map(|step| step["accepted_per_s"].as_f64());
    let saturation = through.fold(kept, f64::min);
    let rate = saturation * SHARE;
    let before = Figures::read(server.http)?;
    let out = dir.join("result");
    let (rate_word, duration) = (rate.to_string(), format!("{}s", arguments.seconds));
    let words = ["--rate", &rate_word, "--duration", &duration, "--out", &out.to_string_lossy()];
    let result = loadgen("run", &load, load_seed, &words)?;
    let after = Figures::read(server.http)?;
    server.stop()?;
    ensure!(result["conservation"]["ok"] == true, "not conserved: {}", result["conservation"]);
    let client = |clock: &str, at: &str| result[clock][at].as_f64().map(|us| us / 1e3);
    let ours = |name: &str, quantile| after.quantile_since(&before, name, quantile).map(|seconds| seconds * 1e3);
    let mean = |name: &str| after.mean_since(&before, name);
    let (pack, sync) = (ours("pack_seconds", 0.5), ours("segment_sync_seconds", 0.5));
    let room = pack.zip(sync).map(|(pack, sync)| pack + 2.0 * sync);
    Ok(json!({
        "sample_bytes": arguments.bytes,
        "saturation_per_second": saturation,
        "steps": found["steps"],
        "rate_per_second": rate,
        "accepted_per_second": result["accepted_per_s"],
        "errors": result["errors"],
        "valid": result["valid"],
        "generator_lag_p99_ms": client("generator_lag_us", "p99"),
        "ack_p50_ms": client("response_us", "p50"),
        "ack_p99_ms": client("response_us", "p99"),
        "ack_max_ms": client("response_us", "max"),
        "service_p50_ms": client("service_us", "p50"),
        "service_p99_ms": client("service_us", "p99"),
        "server_ack_p50_ms": ours("intake_ack_seconds", 0.5),
        "server_ack_p99_ms": ours("intake_ack_seconds", 0.99),
        "pack_p50_ms": pack,
        "pack_mean_ms": mean("pack_seconds").map(|seconds| seconds * 1e3),
        "sync_p50_ms": sync,
        "sync_p99_ms": ours("segment_sync_seconds", 0.99),
        "sync_mean_ms": mean("segment_sync_seconds").map(|seconds| seconds * 1e3),
        "batch_records_mean": mean("segment_batch_records"),
        "pack_and_two_syncs_ms": room,
        "ack_p50_over_pack_and_two_syncs": client("response_us", "p50").zip(room).map(|(p50, room)| p50 / room),
        "server_ack_p50_over_pack_and_two_syncs":
            ours("intake_ack_seconds", 0.5).zip(room).map(|(p50, room)| p50 / room),
    }))
}

/// What loadgen says as JSON. Exit 1 means that a threshold or the conservation check failed, which its
/// result tells in detail.
fn said(command: &mut Command) -> Result<Value> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let output = output.context("cannot start loadgen: is it built?")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let start = text.find('{').with_context(|| format!("loadgen ended with {}: {text}", output.status))?;
    serde_json::from_str(text[start..].trim()).with_context(|| format!("loadgen said {text}"))
}

/// Fresh samples of one size from many clients, put without an offer.
fn profile_text(bytes: u64, lag_us_max: u64) -> String {
    format!(
        "version = 1
name = \"latency\"
about = \"fresh samples of one size\"
protocol = \"native\"
rate_per_s = 1000
arrivals = \"poisson\"
duration_s = 15
warm_up_s = 3
drain_s = 10
clients = 10000
connections = 16
offer_bytes_min = {}
read_back = 20
lag_p99_us_max = {lag_us_max}
[corpus]
duplicates_per_mille = 0
[[corpus.sizes]]
per_mille = 1000
bytes_min = {bytes}
bytes_max = {bytes}
[corpus.kinds]
binary = 1000
text = 0
incompressible = 0
[thresholds]
errors_per_mille_max = 0
",
        bytes + 1
    )
}
