//! Tests of the catalogue from the outside, with small files and small batches.

mod faults;
mod feed;
mod filters;
mod history;
mod own;
mod sha256;
mod submissions;
mod verdicts;

use super::{Catalogue, CatalogueSettings, Change, Entry};
use model::{Arrival, Blake3, Content, ItemId, Kind, RawBytes, SampleId, Sequence, Sha256, StoredBytes};
use std::path::Path;
use std::time::Duration;

/// Far longer than any test needs; reached only by a bug.
const DEADLINE: Duration = Duration::from_secs(60);

/// Batches of a few rows, so that a test crosses many of their borders.
fn small() -> CatalogueSettings {
    CatalogueSettings { batch_rows_max: 7, linger: Duration::ZERO, ..CatalogueSettings::default() }
}

fn open(directory: &Path) -> Catalogue {
    Catalogue::open(&directory.join("catalogue.sqlite"), small()).expect("the catalogue opens")
}

/// An item of its own sample.
fn entry(item: u64) -> Entry {
    entry_of(item, item)
}

/// An item of a sample; every field follows from the two numbers.
fn entry_of(item: u64, sample: u64) -> Entry {
    Entry {
        item: ItemId(item),
        sample: SampleId(sample),
        blake3: Blake3([sample as u8; 32]),
        sha256: Sha256([!(sample as u8); 32]),
        raw: RawBytes(sample * 10),
        stored: StoredBytes(sample * 3),
        arrival: Arrival {
            received_at_ms: 1_000_000 + item as i64,
            kind: if item.is_multiple_of(5) { Kind::BootSector } else { Kind::File },
            content: if item == sample { Content::Proven } else { Content::Claimed },
            managed: item.is_multiple_of(2),
            definitions_sequence: Sequence(u64::MAX - item),
            sample_priority: (item % 3) as u32,
            retry_key: None,
            client: format!("client-{}", item % 4),
            parent_server: if item.is_multiple_of(2) { "relay".to_owned() } else { String::new() },
            name: format!("C:\\Users\\\u{0}{item}"),
            reason: "could not be cleaned".to_owned(),
            platform: "linux-x86_64".to_owned(),
        },
        brings_sample: item == sample,
    }
}

fn arrived(items: impl IntoIterator<Item = u64>) -> Vec<Change> {
    items.into_iter().map(|item| Change::Arrived(entry(item))).collect()
}

fn deleted(sequence: u64, items: &[u64]) -> Change {
    Change::Deleted {
        sequence,
        items: items.iter().copied().map(ItemId).collect(),
        at_ms: 5_000_000,
        who: "admin".to_owned(),
    }
}

/// Feeds and waits until all of it can be read.
fn feed(catalogue: &Catalogue, changes: Vec<Change>) {
    let last = changes.last().map_or(0, Change::sequence);
    catalogue.feed(changes);
    assert!(catalogue.reach(last, DEADLINE), "{:?}", catalogue.health());
}
