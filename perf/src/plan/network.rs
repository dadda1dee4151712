//! What is measured over real sockets.

use super::{Bar, Contestant, Limit, PRODUCT, Row, Wanted};

const NETWORK_LOAD: &str = "target/release/network_load";
const LATENCY_LOAD: &str = "target/release/latency_load";
const NO_DISK: &str = "same, no-op disk";
const HTTP: &str = "product over HTTP";
const HTTP_NO_DISK: &str = "same over HTTP, no-op disk";

/// Intake over the network at two sizes. The bars stand at 64 KiB.
pub(super) fn rows(seconds: Option<f64>) -> Vec<Row> {
    let bar = |of, against, at_least| Bar { of, against, at_least };
    let bars = vec![
        bar(PRODUCT, NO_DISK, 0.75),
        bar(HTTP, HTTP_NO_DISK, 0.75),
        bar(PRODUCT, "clamd", 4.0),
        bar(PRODUCT, "mwdb", 100.0),
    ];
    vec![
        row("64 KiB, 16 connections", 64 << 10, 16, seconds, bars),
        row("4 KiB, 64 connections", 4 << 10, 64, seconds, Vec::new()),
    ]
}

/// Ack latency at 70 % of what the server can take, 64 KiB.
pub(super) fn latency(seconds: Option<f64>) -> Row {
    let mut arguments = vec!["--bytes".to_owned(), (64 << 10).to_string()];
    arguments.extend(seconds.map(|seconds| ["--seconds".to_owned(), seconds.to_string()]).into_iter().flatten());
    let contestants = vec![Contestant { name: PRODUCT.to_owned(), program: LATENCY_LOAD, arguments }];
    let limits = vec![
        Limit { figure: "ack_p99_ms", wanted: Wanted::AtMost(8.0) },
        Limit { figure: "ack_p50_over_pack_and_two_syncs", wanted: Wanted::AtMost(1.0) },
    ];
    Row { name: "64 KiB at 70 % of saturation".to_owned(), contestants, bars: Vec::new(), limits }
}

fn row(name: &str, bytes: usize, writers: usize, seconds: Option<f64>, bars: Vec<Bar>) -> Row {
    let doors = [
        (PRODUCT, "native"),
        (NO_DISK, "native-no-disk"),
        (HTTP, "http"),
        (HTTP_NO_DISK, "http-no-disk"),
        ("clamd", "clamd"),
        ("mwdb", "mwdb"),
    ];
    let contestants = doors.map(|(name, door)| {
        let words = [
            ("--door", door.to_owned()),
            ("--bytes", bytes.to_string()),
            ("--writers", writers.to_string()),
            ("--seconds", seconds.unwrap_or(SECONDS).to_string()),
        ];
        let arguments = words.into_iter().flat_map(|(flag, value)| [flag.to_owned(), value]).collect();
        Contestant { name: name.to_owned(), program: NETWORK_LOAD, arguments }
    });
    Row { name: name.to_owned(), contestants: contestants.into(), bars, limits: Vec::new() }
}

/// Measured seconds of a cell: six contestants, two rows and five rounds stay within four minutes.
const SECONDS: f64 = 2.0;
