//! Which cells there are, and the bars they are read against.

use crate::{Arguments, What};
use serde::Serialize;

mod network;
mod scan;

/// Cells that are compared with one another: same work, run in turn.
pub struct Row {
    /// What the row is called.
    pub name: String,
    /// Who takes part, the product first where it does.
    pub contestants: Vec<Contestant>,
    /// What is asked of the ratios.
    pub bars: Vec<Bar>,
    /// What is asked of single figures of the cells.
    pub limits: Vec<Limit>,
}

/// A program and its arguments; the folder for its store is added.
pub struct Contestant {
    /// The name in tables.
    pub name: String,
    /// The program, from the root of the work tree.
    pub program: &'static str,
    /// Its arguments.
    pub arguments: Vec<String>,
}

/// The first of a pair is at least so many times the second.
pub struct Bar {
    /// Whose rate.
    pub of: &'static str,
    /// Against whose.
    pub against: &'static str,
    /// At least.
    pub at_least: f64,
}

/// A figure of a cell and what is asked of it.
pub struct Limit {
    /// Its name in the cell.
    pub figure: &'static str,
    /// What is asked.
    pub wanted: Wanted,
}

/// A bound of a figure.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Wanted {
    /// No more than this.
    AtMost(f64),
    /// No less than this.
    AtLeast(f64),
}

const PRODUCT: &str = "product";
const ROOF: &str = "roof (no-op disk)";
const INTAKE_LOAD: &str = "target/release/intake_load";
const PEERS: &str = "perf/peers/target/release/peers";
/// Names of the peers, as their program knows them.
const PEER_STORES: [&str; 7] = ["files", "sqlite", "fjall", "rocksdb", "redb", "redis", "postgres"];

/// The rows of a measurement.
pub fn rows(what: What, arguments: &Arguments) -> Vec<Row> {
    let count = |usual| arguments.count.unwrap_or(usual);
    let rows = match what {
        What::Intake => intake(arguments.seconds),
        What::Peers => peers(arguments.seconds),
        What::Catalogue => {
            vec![filled("catalogue", "target/release/catalogue_load", count(1_000_000), catalogue_limits())]
        }
        What::Start => vec![filled("start", "target/release/start_load", count(1_000_000), start_limits())],
        What::Offers => vec![filled("offers", "target/release/offers_load", count(2_000_000), offer_limits())],
        What::Network => network::rows(arguments.seconds),
        What::Scan => scan::rows(),
        What::Latency => vec![network::latency(arguments.seconds)],
    };
    rows.into_iter().filter(|row| arguments.only.as_ref().is_none_or(|only| row.name.contains(only))).collect()
}

/// The rows of bench.md for durable intake in process: name, bytes, writers, seconds, bars against
/// the roof, files, SQLite, fjall and RocksDB.
fn intake(seconds: Option<f64>) -> Vec<Row> {
    sizes()
        .into_iter()
        .map(|size| {
            let seconds = seconds.unwrap_or(size.seconds);
            let mut contestants =
                vec![product(PRODUCT, &size, seconds, "plain"), product(ROOF, &size, seconds, "null")];
            contestants.extend(PEER_STORES.map(|store| peer(store, &size, seconds)));
            Row { name: size.name.to_owned(), contestants, bars: size.bars, limits: Vec::new() }
        })
        .collect()
}

fn peers(seconds: Option<f64>) -> Vec<Row> {
    sizes()
        .into_iter()
        .map(|size| {
            let seconds = seconds.unwrap_or(size.seconds);
            let contestants = PEER_STORES.map(|store| peer(store, &size, seconds)).into();
            Row { name: size.name.to_owned(), contestants, bars: Vec::new(), limits: Vec::new() }
        })
        .collect()
}

/// One program that fills a store and reports on it by itself.
fn filled(name: &str, program: &'static str, count: u64, limits: Vec<Limit>) -> Row {
    let arguments = vec!["--count".to_owned(), count.to_string()];
    let contestants = vec![Contestant { name: PRODUCT.to_owned(), program, arguments }];
    Row { name: name.to_owned(), contestants, bars: Vec::new(), limits }
}

fn limit(figure: &'static str, wanted: Wanted) -> Limit {
    Limit { figure, wanted }
}

/// The rows of bench.md about the catalogue; pages are asked for at 10 M items.
fn catalogue_limits() -> Vec<Limit> {
    let pages = ["page_of_client_p99_ms", "page_of_status_p99_ms", "page_of_status_and_client_p99_ms"];
    let mut limits = vec![limit("feed_from_1_to_2_million_items_per_second", Wanted::AtLeast(60_000.0))];
    limits.extend(pages.map(|page| limit(page, Wanted::AtMost(50.0))));
    limits.push(limit("newest_page_p99_ms", Wanted::AtMost(50.0)));
    limits
}

fn start_limits() -> Vec<Limit> {
    vec![limit("start_seconds", Wanted::AtMost(1.0)), limit("recovery_seconds", Wanted::AtMost(2.0))]
}

fn offer_limits() -> Vec<Limit> {
    vec![limit("items_per_second", Wanted::AtLeast(200_000.0))]
}

struct Size {
    name: &'static str,
    bytes: usize,
    writers: usize,
    seconds: f64,
    bars: Vec<Bar>,
}

fn sizes() -> Vec<Size> {
    let bar = |against, at_least| Bar { of: PRODUCT, against, at_least };
    vec![
        Size {
            name: "4 KiB, 64 writers",
            bytes: 4 << 10,
            writers: 64,
            seconds: 6.0,
            bars: vec![bar(ROOF, 0.85), bar("rocksdb", 2.1), bar("fjall", 1.35), bar("files", 16.0)],
        },
        Size {
            name: "64 KiB, 16 writers",
            bytes: 64 << 10,
            writers: 16,
            seconds: 15.0,
            bars: vec![
                bar(ROOF, 0.95),
                bar("rocksdb", 1.7),
                bar("fjall", 1.25),
                bar("postgres", 2.1),
                bar("sqlite", 1.0),
                bar("files", 1.0),
            ],
        },
        Size {
            name: "1 MiB, 8 writers",
            bytes: 1 << 20,
            writers: 8,
            seconds: 6.0,
            bars: [bar(ROOF, 0.95)].into_iter().chain(PEER_STORES.map(|store| bar(store, 1.0))).collect(),
        },
        Size {
            name: "4 KiB, 1 writer",
            bytes: 4 << 10,
            writers: 1,
            seconds: 6.0,
            bars: PEER_STORES.map(|store| bar(store, 1.0)).into(),
        },
    ]
}

fn product(name: &str, size: &Size, seconds: f64, disk: &str) -> Contestant {
    let mut arguments = vec!["--disk".to_owned(), disk.to_owned()];
    arguments.extend(work(size, seconds));
    Contestant { name: name.to_owned(), program: INTAKE_LOAD, arguments }
}

fn peer(store: &str, size: &Size, seconds: f64) -> Contestant {
    let mut arguments = vec!["--store".to_owned(), store.to_owned()];
    arguments.extend(work(size, seconds));
    Contestant { name: store.to_owned(), program: PEERS, arguments }
}

fn work(size: &Size, seconds: f64) -> [String; 6] {
    [
        "--bytes".to_owned(),
        size.bytes.to_string(),
        "--writers".to_owned(),
        size.writers.to_string(),
        "--seconds".to_owned(),
        seconds.to_string(),
    ]
}
