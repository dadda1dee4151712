//! A process that is killed while it feeds the catalogue leaves a whole one: rows and watermark agree, and feeding from
//! the watermark on completes it.

use engine::catalogue::{Catalogue, CatalogueSettings, Change, Entry, Filter};
use model::{Arrival, Blake3, ItemId, RawBytes, SampleId, Sha256, StoredBytes};
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Set for the process that is killed: the directory that it works in.
const VICTIM: &str = "LAZARET_TEST_CATALOGUE_VICTIM";
const DEADLINE: Duration = Duration::from_secs(60);
const KILLS: usize = 12;

/// Record `sequence` of a log that never ends: arrivals, now and then a duplicate, a deletion, or something else.
fn change(sequence: u64) -> Change {
    if sequence.is_multiple_of(50) {
        let items = (sequence - 20..sequence - 10).map(ItemId).collect();
        return Change::Deleted { sequence, items, at_ms: sequence as i64, who: "admin".to_owned() };
    }
    if sequence.is_multiple_of(17) {
        return Change::Passed { sequence };
    }
    let sample = if sequence.is_multiple_of(3) { sequence - 1 } else { sequence };
    Change::Arrived(Entry {
        item: ItemId(sequence),
        sample: SampleId(sample),
        blake3: Blake3([sample as u8; 32]),
        sha256: Sha256([sample as u8; 32]),
        raw: RawBytes(sample),
        stored: StoredBytes(sample),
        arrival: Arrival { client: format!("client-{}", sequence % 7), ..Arrival::default() },
        brings_sample: sample == sequence,
    })
}

fn settings() -> CatalogueSettings {
    CatalogueSettings { batch_rows_max: 200, ..CatalogueSettings::default() }
}

/// How many items the first `sequence` records leave, counted the slow way.
fn expected_items(sequence: u64) -> u64 {
    let mut items = BTreeSet::new();
    for at in 1..=sequence {
        match change(at) {
            Change::Arrived(entry) => {
                items.insert(entry.item);
            }
            Change::Deleted { items: gone, .. } => items.retain(|item| !gone.contains(item)),
            Change::Passed { .. } => {}
        }
    }
    items.len() as u64
}

/// Feeds until it is killed, and says after each step how far the catalogue is.
fn be_the_victim(directory: &Path) {
    let catalogue = Catalogue::open(&directory.join("catalogue.sqlite"), settings()).expect("the catalogue opens");
    let mut out = std::io::stdout();
    let mut next = catalogue.watermark() + 1;
    loop {
        catalogue.feed((next..next + 300).map(change).collect());
        next += 300;
        catalogue.reach(next - 200, DEADLINE);
        let told = writeln!(out, "at {}", catalogue.watermark()).and_then(|()| out.flush());
        if told.is_err() {
            return;
        }
    }
}

#[test]
fn a_killed_process_leaves_rows_and_watermark_that_agree() {
    if let Some(directory) = std::env::var_os(VICTIM) {
        return be_the_victim(Path::new(&directory));
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("catalogue.sqlite");
    let mut announced = 0;
    for kill in 0..KILLS {
        let mut victim = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "a_killed_process_leaves_rows_and_watermark_that_agree", "--nocapture"])
            .env(VICTIM, directory.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(victim.stdout.take().unwrap()).lines();
        let told = lines.map_while(Result::ok).filter_map(|line| line.rsplit_once("at ")?.1.parse::<u64>().ok());
        // The n-th victim is killed after n steps, in the middle of the next one.
        announced = told.take(kill + 1).last().expect("the victim came to its first step");
        victim.kill().unwrap();
        victim.wait().unwrap();

        let catalogue = Catalogue::open(&path, settings()).unwrap();
        let watermark = catalogue.watermark();
        assert!(watermark >= announced, "killed after {announced} was committed, found {watermark}");
        assert_eq!(catalogue.check().unwrap(), Vec::<String>::new());
        assert_eq!(catalogue.count(&Filter::default()).unwrap(), expected_items(watermark));
    }
    let catalogue = Catalogue::open(&path, settings()).unwrap();
    let from = catalogue.watermark();
    assert!(from >= announced);
    catalogue.feed((from + 1..=from + 100).map(change).collect());
    assert!(catalogue.reach(from + 100, DEADLINE));
    assert_eq!(catalogue.count(&Filter::default()).unwrap(), expected_items(from + 100));
}
