//! Feeds the catalogue with many items, then asks for filtered pages: one line of JSON.
#![allow(clippy::print_stdout, reason = "the line is the result")]

use anyhow::{Context, Result, ensure};
use benches::rows;
use clap::Parser;
use engine::catalogue::{Catalogue, CatalogueSettings, Filter};
use model::Status;
use serde_json::json;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use workload::disk;

/// Changes handed over at once, as the engine does after a burst.
const FEED: u64 = 10_000;
/// Lag at which the engine would slow intake down.
const LAG_MAX: u64 = 200_000;
/// Pages asked for of each kind.
const PAGES: u64 = 400;
/// Rates are read over so many items: the last ones, where the indexes are largest, and the second
/// million, which ends where the bar of the feed stands.
const LAST: u64 = 1_000_000;

#[derive(Parser)]
struct Arguments {
    /// Items in all.
    #[arg(long)]
    count: u64,
    /// A folder that does not exist yet; deleted at the end.
    #[arg(long)]
    dir: PathBuf,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let dir = &arguments.dir;
    std::fs::create_dir(dir).with_context(|| format!("cannot make {}", dir.display()))?;
    let outcome = measure(&arguments);
    std::fs::remove_dir_all(dir).with_context(|| format!("cannot remove {}", dir.display()))?;
    println!("{}", outcome?);
    Ok(())
}

fn measure(arguments: &Arguments) -> Result<serde_json::Value> {
    let catalogue = Catalogue::open(&arguments.dir.join("catalogue.sqlite"), CatalogueSettings::default())?;
    let started = Instant::now();
    let before_last = arguments.count.saturating_sub(LAST);
    let mut last_started = started;
    let mut second_million = None;
    let (mut at_one, mut lag_max, mut next) = (started, 0, 1);
    while next <= arguments.count {
        if next <= before_last {
            last_started = Instant::now();
        }
        if next == LAST + 1 || next == 2 * LAST + 1 {
            // Only what is listed counts, so the feed stands still for a moment at either end.
            ensure!(catalogue.reach(next - 1, Duration::from_secs(600)), "the catalogue stopped");
            if next == LAST + 1 {
                at_one = Instant::now();
            } else {
                second_million = Some(LAST as f64 / at_one.elapsed().as_secs_f64());
            }
        }
        let count = FEED.min(arguments.count + 1 - next);
        catalogue.feed(rows::arrivals(next, count));
        next += count;
        lag_max = lag_max.max(catalogue.lag());
        // Bounded as in the engine: what lies further behind waits.
        ensure!(catalogue.reach(next.saturating_sub(1 + LAG_MAX), Duration::from_secs(600)), "the catalogue stopped");
    }
    ensure!(catalogue.reach(arguments.count, Duration::from_secs(600)), "the catalogue stopped");
    if arguments.count == 2 * LAST {
        second_million = Some(LAST as f64 / at_one.elapsed().as_secs_f64());
    }
    let last = arguments.count.min(LAST) as f64 / last_started.elapsed().as_secs_f64();
    let all = arguments.count as f64 / started.elapsed().as_secs_f64();
    let of_client = pages(&catalogue, |at| Filter { client: Some(rows::client(at * 7919)), ..Filter::default() })?;
    let of_status_alone = pages(&catalogue, |_| Filter { statuses: vec![Status::Quarantined], ..Filter::default() })?;
    let of_status = pages(&catalogue, |at| Filter {
        statuses: vec![Status::Quarantined],
        client: Some(rows::client(at * 104_729)),
        ..Filter::default()
    })?;
    let newest = pages(&catalogue, |_| Filter::default())?;
    catalogue.close();
    Ok(json!({
        "items": arguments.count,
        "feed_items_per_second": all.round(),
        "feed_last_million_items_per_second": last.round(),
        "feed_from_1_to_2_million_items_per_second": second_million.map(f64::round),
        "lag_max": lag_max,
        "page_of_client_p50_ms": of_client.0, "page_of_client_p99_ms": of_client.1,
        "page_of_status_p50_ms": of_status_alone.0, "page_of_status_p99_ms": of_status_alone.1,
        "page_of_status_and_client_p50_ms": of_status.0, "page_of_status_and_client_p99_ms": of_status.1,
        "newest_page_p50_ms": newest.0, "newest_page_p99_ms": newest.1,
        "disk_bytes": disk::allocated_bytes(&arguments.dir),
    }))
}

/// Median and 99th percentile of pages of 100 items, milliseconds.
fn pages(catalogue: &Catalogue, filter: impl Fn(u64) -> Filter) -> Result<(f64, f64)> {
    let mut times = Vec::new();
    for at in 0..PAGES {
        let filter = filter(at);
        let started = Instant::now();
        catalogue.page(&filter, 100, None)?;
        times.push(started.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    Ok((times[times.len() / 2], times[times.len() * 99 / 100]))
}
