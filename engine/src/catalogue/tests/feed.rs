//! What is fed is there, once, whatever happens in between.

use super::*;
use crate::catalogue::{CatalogueHealth, Filter};
use model::item::Action;
use model::{Attributes, Status, Timestamp};

#[test]
fn an_item_reads_back_as_it_came() {
    let directory = tempfile::tempdir().unwrap();
    let catalogue = open(directory.path());
    feed(&catalogue, vec![Change::Arrived(entry(10)), Change::Arrived(entry_of(11, 10))]);
    let item = catalogue.item(ItemId(11)).unwrap().unwrap();
    let arrival = entry_of(11, 10).arrival;
    assert_eq!(item.id, ItemId(11));
    assert_eq!(item.status, Status::Quarantined);
    assert_eq!((item.kind, item.content, item.managed), (Kind::File, Content::Claimed, false));
    assert_eq!(item.definitions_sequence, Sequence(u64::MAX - 11));
    assert_eq!((item.client, item.parent_server), (arrival.client.clone(), arrival.parent_server));
    assert_eq!((item.name, item.reason, item.platform), (arrival.name, arrival.reason, arrival.platform));
    assert_eq!(item.received_at, Timestamp(1_000_011));
    assert_eq!(item.attributes, Attributes { sample_priority: 2, ..Attributes::default() });
    assert_eq!((item.sample.bytes, item.sample.stored_bytes), (RawBytes(100), StoredBytes(30)));
    assert_eq!((item.sample.blake3, item.sample.sha256), (Blake3([10; 32]), Sha256([!10; 32])));
    assert_eq!(
        item.actions,
        vec![Action { at: Timestamp(1_000_011), who: arrival.client, what: "received".to_owned() }]
    );
    assert!(item.errors.is_empty() && item.verdict.signatures.is_empty());
    assert_eq!(catalogue.item(ItemId(12)).unwrap(), None);
    assert_eq!(catalogue.sample_of(ItemId(11)).unwrap(), Some((SampleId(10), Blake3([10; 32]))));
    assert_eq!(catalogue.live_items_of(SampleId(10)).unwrap(), 2);
}

#[test]
fn replaying_what_was_applied_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let mut history = arrived(1..=20);
    history.push(deleted(21, &[3, 4, 99]));
    history.push(Change::Passed { sequence: 22 });
    let catalogue = open(directory.path());
    feed(&catalogue, history.clone());
    let before = (
        catalogue.page(&Filter::default(), 100, None).unwrap(),
        catalogue.log_page(100, None).unwrap(),
        catalogue.client_usage().unwrap(),
        catalogue.count_by_status(),
    );
    catalogue.feed(history.clone());
    catalogue.feed(history);
    feed(&catalogue, vec![Change::Passed { sequence: 23 }]);
    let after = (
        catalogue.page(&Filter::default(), 100, None).unwrap(),
        catalogue.log_page(100, None).unwrap(),
        catalogue.client_usage().unwrap(),
        catalogue.count_by_status(),
    );
    assert_eq!(before, after);
    assert_eq!(catalogue.check().unwrap(), Vec::<String>::new());
    assert_eq!(catalogue.watermark(), 23);
}

#[test]
fn a_deletion_leaves_a_row_in_the_log_for_each_item_that_was_there() {
    let directory = tempfile::tempdir().unwrap();
    let catalogue = open(directory.path());
    feed(&catalogue, arrived(1..=3));
    feed(&catalogue, vec![deleted(4, &[2, 2, 77])]);
    assert_eq!(catalogue.item(ItemId(2)).unwrap(), None);
    let log = catalogue.log_page(10, None).unwrap();
    assert_eq!(log.entries.len(), 1);
    let row = &log.entries[0];
    assert_eq!((row.who.as_str(), row.what.as_str(), row.item), ("admin", "deleted", Some(ItemId(2))));
    assert_eq!(row.at, Timestamp(5_000_000));
    assert_eq!(catalogue.count_by_status()[usize::from(Status::Quarantined.code())], 2);
}

#[test]
fn a_sample_leaves_with_its_last_item_and_comes_back_with_a_late_duplicate() {
    let directory = tempfile::tempdir().unwrap();
    let catalogue = open(directory.path());
    feed(&catalogue, vec![Change::Arrived(entry(1)), Change::Arrived(entry_of(2, 1)), deleted(3, &[1])]);
    assert_eq!(catalogue.live_items_of(SampleId(1)).unwrap(), 1);
    feed(&catalogue, vec![deleted(4, &[2]), Change::Arrived(entry_of(5, 1))]);
    assert_eq!(catalogue.sample_of(ItemId(5)).unwrap(), Some((SampleId(1), Blake3([1; 32]))));
    assert_eq!(catalogue.check().unwrap(), Vec::<String>::new());
}

#[test]
fn a_catalogue_that_is_dropped_in_the_middle_goes_on_from_its_watermark() {
    let directory = tempfile::tempdir().unwrap();
    let history = arrived(1..=2_000);
    let mut opened = 0;
    loop {
        let catalogue = open(directory.path());
        opened += 1;
        let from = catalogue.watermark();
        assert_eq!(catalogue.count(&Filter::default()).unwrap(), from, "the watermark is what the rows are");
        assert_eq!(catalogue.check().unwrap(), Vec::<String>::new());
        if from == 2_000 {
            break;
        }
        catalogue.feed(history[from as usize..].to_vec());
        // Some progress, then gone without a close, with a queue that is not empty.
        assert!(catalogue.reach(2_000.min(from + 1 + (opened * 97) % 400), DEADLINE));
        drop(catalogue);
    }
    assert!(opened > 2, "it was dropped in the middle {opened} times");
}

#[test]
fn closing_applies_all_that_was_fed_and_goes_on_reading() {
    let directory = tempfile::tempdir().unwrap();
    let catalogue = open(directory.path());
    catalogue.feed(arrived(1..=500));
    catalogue.close();
    assert_eq!((catalogue.watermark(), catalogue.lag()), (500, 0));
    assert_eq!(catalogue.count(&Filter::default()).unwrap(), 500);
    catalogue.feed(arrived(501..=502));
    assert!(!catalogue.reach(501, DEADLINE), "nobody applies it any more, and nobody waits for it");
    assert_eq!(catalogue.lag(), 2);
    assert!(matches!(catalogue.health(), CatalogueHealth::Failed { .. }));
}

#[test]
fn a_feed_larger_than_the_queue_goes_through() {
    let directory = tempfile::tempdir().unwrap();
    let settings = CatalogueSettings { queue_changes_max: 5, ..small() };
    let catalogue = Catalogue::open(&directory.path().join("c"), settings).unwrap();
    feed(&catalogue, arrived(1..=300));
    assert_eq!(catalogue.count(&Filter::default()).unwrap(), 300);
    assert_eq!(catalogue.lag(), 0);
}

#[test]
fn waiting_for_what_never_comes_ends_at_the_deadline() {
    let directory = tempfile::tempdir().unwrap();
    let catalogue = open(directory.path());
    assert!(catalogue.reach(0, Duration::ZERO));
    assert!(!catalogue.reach(1, Duration::from_millis(5)));
}

#[test]
fn usage_is_kept_by_client() {
    let directory = tempfile::tempdir().unwrap();
    let catalogue = open(directory.path());
    feed(&catalogue, arrived(1..=5));
    feed(&catalogue, vec![deleted(6, &[2, 5])]);
    assert_eq!(
        catalogue.client_usage().unwrap(),
        vec![("client-0".to_owned(), 1, 40), ("client-1".to_owned(), 1, 10), ("client-3".to_owned(), 1, 30)]
    );
}
