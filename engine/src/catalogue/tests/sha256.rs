//! Samples by their SHA-256.

use super::{DEADLINE, arrived, entry, entry_of, open};
use crate::catalogue::{Catalogue, Change};
use model::{ItemId, SampleId, Sha256};

fn named(sample: u64) -> Sha256 {
    let mut digest = [0; 32];
    digest[..8].copy_from_slice(&sample.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes());
    digest[31] = 1;
    Sha256(digest)
}

fn fed(catalogue: &Catalogue, changes: Vec<Change>, last: u64) {
    catalogue.feed(changes);
    assert!(catalogue.reach(last, DEADLINE));
}

fn with_names(items: std::ops::RangeInclusive<u64>) -> Vec<Change> {
    items
        .map(|item| {
            let mut entry = entry(item);
            entry.sha256 = named(item);
            Change::Arrived(entry)
        })
        .collect()
}

fn deleted(sequence: u64, items: &[u64]) -> Change {
    let items = items.iter().map(|item| ItemId(*item)).collect();
    Change::Deleted { sequence, items, at_ms: 1, who: "admin".to_owned() }
}

#[test]
fn a_sample_is_found_by_its_sha256_whenever_it_came() {
    let directory = tempfile::tempdir().unwrap();
    let catalogue = open(directory.path());
    fed(&catalogue, with_names(1..=50), 50);
    assert_eq!(catalogue.samples_with_sha256(&named(7)).unwrap(), [SampleId(7)]);
    assert_eq!(catalogue.samples_with_sha256(&named(51)).unwrap(), []);
    fed(&catalogue, with_names(51..=60), 60);
    assert_eq!(catalogue.samples_with_sha256(&named(51)).unwrap(), [SampleId(51)]);
    let mut other = named(7);
    other.0[30] = 9;
    assert_eq!(catalogue.samples_with_sha256(&other).unwrap(), [], "eight bytes in common are not enough");
}

#[test]
fn what_is_deleted_is_not_found_and_a_row_made_again_is() {
    let directory = tempfile::tempdir().unwrap();
    let catalogue = open(directory.path());
    fed(&catalogue, with_names(1..=5), 5);
    fed(&catalogue, vec![deleted(6, &[2, 3])], 6);
    assert_eq!(catalogue.samples_with_sha256(&named(2)).unwrap(), []);
    // Both came back with a duplicate: one was known before it went, the other only now is.
    assert_eq!(catalogue.samples_with_sha256(&named(4)).unwrap(), [SampleId(4)]);
    fed(&catalogue, vec![deleted(7, &[4])], 7);
    let again = [(8, 2), (9, 4)].map(|(item, sample)| {
        let mut entry = entry_of(item, sample);
        entry.sha256 = named(sample);
        Change::Arrived(entry)
    });
    fed(&catalogue, again.into(), 9);
    for sample in [2, 4] {
        assert_eq!(catalogue.samples_with_sha256(&named(sample)).unwrap(), [SampleId(sample)]);
    }
}

#[test]
fn two_copies_of_one_content_are_both_found() {
    let directory = tempfile::tempdir().unwrap();
    let catalogue = open(directory.path());
    let mut changes = arrived(1..=3);
    for change in &mut changes[1..] {
        if let Change::Arrived(entry) = change {
            entry.sha256 = named(77);
        }
    }
    fed(&catalogue, changes, 3);
    assert_eq!(catalogue.samples_with_sha256(&named(77)).unwrap(), [SampleId(2), SampleId(3)]);
}

#[test]
fn more_rows_than_one_read_takes_are_all_found_and_take_less_than_forty_bytes_each() {
    let directory = tempfile::tempdir().unwrap();
    let catalogue = Catalogue::open(&directory.path().join("c"), super::CatalogueSettings::default()).unwrap();
    let many = 70_000;
    fed(&catalogue, with_names(1..=many), many);
    assert_eq!(catalogue.sha256_memory_bytes(), 0, "nobody has asked yet");
    for sample in [1, 65_536, 65_537, many] {
        assert_eq!(catalogue.samples_with_sha256(&named(sample)).unwrap(), [SampleId(sample)]);
    }
    assert!(catalogue.sha256_memory_bytes() < 40 * many, "{}", catalogue.sha256_memory_bytes());
}
