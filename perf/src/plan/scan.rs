//! Large sets of literals: bench.md's rows, and the same on text, noise and inputs made to be slow.

use super::{Bar, Contestant, Limit, PRODUCT, Row, Wanted, limit};

const SCAN_LOAD: &str = "target/release/scan_load";
const SCAN_PEERS: &str = "perf/peers/scan/target/release/scan-peers";
/// What the product scans; of others so much less that a cell takes seconds.
const BYTES: usize = 64 << 20;
/// Hyperscan and YARA.
const PEER_BYTES: usize = 16 << 20;
/// clamscan looks at some megabytes a second.
const CLAMSCAN_BYTES: usize = 4 << 20;
/// An automaton over more takes minutes to build, and as much memory as there is.
const PEER_LITERALS_MAX: usize = 100_000;

struct Work {
    name: &'static str,
    count: usize,
    shortest: usize,
    haystack: &'static str,
    bars: Vec<Bar>,
    limits: Vec<Limit>,
}

/// All rows.
pub fn rows() -> Vec<Row> {
    work().into_iter().map(row).collect()
}

fn work() -> Vec<Work> {
    let bar = |against, at_least| Bar { of: PRODUCT, against, at_least };
    let plain = |name, count, shortest, haystack| Work {
        name,
        count,
        shortest,
        haystack,
        bars: Vec::new(),
        limits: Vec::new(),
    };
    let peers = || vec![bar("hyperscan", 10.0), bar("aho-corasick", 50.0)];
    let at_least = |rate| limit("megabytes_per_second", Wanted::AtLeast(rate));
    vec![
        plain("1,000 literals of 8 to 64 bytes, binaries", 1_000, 8, "binaries"),
        plain("10,000 literals of 8 to 64 bytes, binaries", 10_000, 8, "binaries"),
        Work {
            bars: peers(),
            limits: vec![at_least(800.0)],
            ..plain("100,000 literals of 8 to 64 bytes, binaries", 100_000, 8, "binaries")
        },
        Work {
            bars: peers(),
            limits: vec![at_least(1300.0)],
            ..plain("100,000 literals of 11 to 64 bytes, binaries", 100_000, 11, "binaries")
        },
        plain("100,000 literals of 8 to 64 bytes, text", 100_000, 8, "text"),
        plain("100,000 literals of 8 to 64 bytes, random bytes", 100_000, 8, "random"),
        plain("100,000 literals of 8 to 64 bytes, zeroes", 100_000, 8, "zeroes"),
        plain("100,000 literals of 8 to 64 bytes, one literal over and over", 100_000, 8, "literal"),
        Work {
            limits: vec![
                at_least(400.0),
                limit("build_seconds", Wanted::AtMost(5.0)),
                limit("set_bytes", Wanted::AtMost(200e6)),
            ],
            ..plain("1,000,000 literals of 8 to 64 bytes, binaries", 1_000_000, 8, "binaries")
        },
    ]
}

fn row(work: Work) -> Row {
    let mut contestants = vec![ours(PRODUCT, "product", &work, BYTES), ours("roof (read)", "roof", &work, BYTES)];
    if work.count <= PEER_LITERALS_MAX {
        contestants.push(ours("product without vectors", "scalar", &work, BYTES));
        contestants.push(peer("hyperscan", &work, PEER_BYTES));
    }
    // The others take minutes for each row; what they find in noise says nothing more.
    if work.count <= PEER_LITERALS_MAX && work.haystack == "binaries" {
        contestants.push(ours("aho-corasick", "automaton", &work, BYTES));
        contestants.push(peer("yara", &work, PEER_BYTES));
        contestants.push(peer("clamscan", &work, CLAMSCAN_BYTES));
    }
    Row { name: work.name.to_owned(), contestants, bars: work.bars, limits: work.limits }
}

fn ours(name: &str, by: &str, work: &Work, bytes: usize) -> Contestant {
    Contestant { name: name.to_owned(), program: SCAN_LOAD, arguments: arguments(by, work, bytes) }
}

fn peer(by: &str, work: &Work, bytes: usize) -> Contestant {
    Contestant { name: by.to_owned(), program: SCAN_PEERS, arguments: arguments(by, work, bytes) }
}

fn arguments(by: &str, work: &Work, bytes: usize) -> Vec<String> {
    let (count, shortest, bytes) = (work.count.to_string(), work.shortest.to_string(), bytes.to_string());
    [
        ("--by", by),
        ("--count", &count),
        ("--shortest", &shortest),
        ("--longest", "64"),
        ("--haystack", work.haystack),
        ("--haystack-bytes", &bytes),
    ]
    .into_iter()
    .flat_map(|(name, value)| [name.to_owned(), value.to_owned()])
    .collect()
}
