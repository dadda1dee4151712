//! A burst of offers by digest over the native protocol, no body on the wire: one line of JSON.
//!
//! A fresh server gets a few samples, then offers of their digests from some connections, each with its
//! window full. What the server refuses for a lagging catalogue is offered again when it says so.
#![allow(clippy::print_stdout, reason = "the line is the result")]

use anyhow::{Context, Result, bail, ensure};
use clap::Parser;
use model::wire::{ClientFrame, Outcome, RefusedCode, ServerFrame};
use model::{Arrival, Blake3};
use serde_json::json;
use sockets::figures::Figures;
use sockets::lazaret::{Lazaret, Under};
use sockets::native::Connection;
use sockets::usage;
use std::path::{Path, PathBuf};
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use workload::Corpus;

/// Between two looks at the catalogue's lag.
const LOOK_INTERVAL: Duration = Duration::from_millis(100);
/// Plain bytes of the samples that are offered.
const SAMPLE_BYTES: usize = 4 << 10;
/// A store with room for every item.
const CONFIG: &str = "[general]\nmax_bytes = '60 GiB'\nmax_samples = 100_000_000\n";

#[derive(Parser)]
struct Arguments {
    /// Offers in all.
    #[arg(long, default_value_t = 2_000_000)]
    count: u64,
    /// Distinct samples that are offered again and again.
    #[arg(long, default_value_t = 1000)]
    samples: u64,
    /// Connections, a thread each.
    #[arg(long, default_value_t = 4)]
    connections: u64,
    /// A folder that does not exist yet; deleted at the end.
    #[arg(long)]
    dir: PathBuf,
}

/// What the connections share.
struct Burst<'a> {
    offers_left: &'a AtomicU64,
    acked: &'a AtomicU64,
    refused: &'a AtomicU64,
    digests: &'a [Blake3],
    start: &'a Barrier,
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

fn measure(arguments: &Arguments, dir: &Path) -> Result<serde_json::Value> {
    let server = Lazaret::start(dir, CONFIG, Under::Disk)?;
    let digests = fill(&server, arguments.samples)?;
    let before = Figures::read(server.http)?;
    let used_before = usage::by_thread(server.pid());
    let (offers_left, acked, refused) = (AtomicU64::new(arguments.count), AtomicU64::new(0), AtomicU64::new(0));
    let start = Barrier::new(arguments.connections as usize + 1);
    let burst = Burst { offers_left: &offers_left, acked: &acked, refused: &refused, digests: &digests, start: &start };
    let over = AtomicBool::new(false);
    let (seconds, seen) = std::thread::scope(|scope| -> Result<_> {
        let watch = scope.spawn(|| watch(server.http, &acked, &over));
        let lanes: Vec<_> = (0..arguments.connections)
            .map(|number| {
                let (burst, intake) = (&burst, server.intake);
                scope.spawn(move || offer(intake, number, burst))
            })
            .collect();
        start.wait();
        let started = Instant::now();
        let outcomes: Vec<Result<()>> =
            lanes.into_iter().map(|lane| lane.join().unwrap_or_else(|_| bail!("a connection panicked"))).collect();
        let seconds = started.elapsed().as_secs_f64();
        over.store(true, Ordering::Relaxed);
        let seen = watch.join().unwrap_or_else(|_| bail!("the watch panicked"));
        outcomes.into_iter().collect::<Result<()>>()?;
        Ok((seconds, seen?))
    })?;
    let used = usage::between(&used_before, &usage::by_thread(server.pid()));
    let caught_up = catch_up(server.http)?;
    let after = Figures::read(server.http)?;
    let items = after.sum("items") - before.sum("items");
    let acked = acked.into_inner();
    ensure!(items as u64 == acked, "{acked} offers were acked and {items} items are listed");
    server.stop()?;
    Ok(json!({
        "offers": arguments.count,
        "acked": acked,
        "seconds": seconds,
        "items_per_second": (acked as f64 / seconds).round(),
        "items_per_second_to_the_listing": (acked as f64 / (seconds + caught_up)).round(),
        "refused_slow_down": refused.into_inner(),
        "lag_max": seen.lag_max,
        "catalogue_caught_up_after_seconds": caught_up,
        "acked_by_second": seen.acked_by_second,
        "batch_records_mean": after.mean_since(&before, "segment_batch_records"),
        "sync_mean_ms": after.mean_since(&before, "segment_sync_seconds").map(|mean| mean * 1e3),
        "server_cpu_seconds_by_thread": used,
    }))
}

/// Puts distinct samples and gives their digests.
fn fill(server: &Lazaret, samples: u64) -> Result<Vec<Blake3>> {
    let corpus = Corpus::of_machine()?;
    let mut connection = Connection::open(server.intake, "filler", 1)?;
    let mut body = Vec::new();
    let arrival = Arrival { name: "/bench/sample".to_owned(), ..Arrival::default() };
    (0..samples)
        .map(|index| {
            body.clear();
            corpus.fill(1, index, SAMPLE_BYTES, &mut body);
            connection.put(&body, &arrival)?;
            Ok(Blake3(*blake3::hash(&body).as_bytes()))
        })
        .collect()
}

/// One connection: as many offers open as the window allows until none is left.
fn offer(intake: std::net::SocketAddr, number: u64, burst: &Burst<'_>) -> Result<()> {
    let opened = Connection::open(intake, &format!("host-{number:06}"), 2 + number);
    burst.start.wait();
    let mut connection = opened?;
    let window = u64::from(connection.window());
    let arrival = Arrival {
        name: "C:\\Users\\someone\\Downloads\\invoice.exe".to_owned(),
        reason: "could not be cleaned".to_owned(),
        platform: "windows-11".to_owned(),
        ..Arrival::default()
    };
    let (mut open, mut out) = (0, Vec::new());
    loop {
        out.clear();
        let room = window - open;
        for _ in 0..room {
            let taken =
                burst.offers_left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
            let Ok(left) = taken else { break };
            let blake3 = burst.digests[(left % burst.digests.len() as u64) as usize];
            let request = connection.number();
            ClientFrame::Offer { request, blake3, raw_bytes: SAMPLE_BYTES as u64, arrival: arrival.clone() }
                .encode(&mut out)?;
            open += 1;
        }
        if open == 0 {
            return Ok(());
        }
        connection.write(&out)?;
        let (mut acked, mut again, mut pause_ms) = (0, 0, 0);
        connection.hear(|frame| match frame {
            ServerFrame::Acks(acks) => {
                ensure!(acks.iter().all(|ack| ack.outcome == Outcome::Duplicate), "an offer was no duplicate");
                acked += acks.len() as u64;
                Ok(())
            }
            ServerFrame::Refused { code: RefusedCode::SlowDown, retry_after_ms, .. } => {
                again += 1;
                pause_ms = pause_ms.max(retry_after_ms);
                Ok(())
            }
            other => bail!("an offer was answered with {other:?}"),
        })?;
        open -= acked + again;
        burst.acked.fetch_add(acked, Ordering::Relaxed);
        burst.refused.fetch_add(again, Ordering::Relaxed);
        burst.offers_left.fetch_add(again, Ordering::Relaxed);
        // A client does what it is told: it comes back when the server said so.
        std::thread::sleep(Duration::from_millis(pause_ms));
    }
}

/// What was seen while the burst ran.
struct Seen {
    lag_max: f64,
    acked_by_second: Vec<u64>,
}

fn watch(http: std::net::SocketAddr, acked: &AtomicU64, over: &AtomicBool) -> Result<Seen> {
    let mut seen = Seen { lag_max: 0.0, acked_by_second: Vec::new() };
    let (mut second, mut before) = (Instant::now(), 0);
    while !over.load(Ordering::Relaxed) {
        seen.lag_max = seen.lag_max.max(Figures::read(http)?.sum("catalogue_lag"));
        if second.elapsed() >= Duration::from_secs(1) {
            let now = acked.load(Ordering::Relaxed);
            seen.acked_by_second.push(now - before);
            (second, before) = (second + Duration::from_secs(1), now);
        }
        std::thread::sleep(LOOK_INTERVAL);
    }
    Ok(seen)
}

/// Waits until every item is listed; gives the seconds that took.
fn catch_up(http: std::net::SocketAddr) -> Result<f64> {
    let started = Instant::now();
    while Figures::read(http)?.sum("catalogue_lag") > 0.0 {
        ensure!(started.elapsed() < Duration::from_secs(600), "the catalogue does not catch up");
        std::thread::sleep(LOOK_INTERVAL);
    }
    Ok(started.elapsed().as_secs_f64())
}
