//! Damaged files, foreign files and full disks.

use super::*;
use crate::catalogue::{CatalogueError, CatalogueHealth, Filter, remove};
use model::Timestamp;
use std::fs;

#[test]
fn a_file_that_is_no_database_is_refused_with_the_way_out() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("catalogue.sqlite");
    fs::write(
        &path,
        "this is not a database, it is a text of more than one hundred bytes that somebody put in its place.....",
    )
    .unwrap();
    let refused = Catalogue::open(&path, small()).unwrap_err();
    assert!(matches!(refused, CatalogueError::Corrupt { .. }), "{refused}");
    let text = refused.to_string();
    assert!(text.contains("lazaret rebuild") && text.contains("catalogue.sqlite"), "{text}");
}

#[test]
fn a_database_of_another_program_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("catalogue.sqlite");
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("CREATE TABLE cookies(name TEXT)").unwrap();
    drop(other);
    let refused = Catalogue::open(&path, small()).unwrap_err();
    assert!(matches!(refused, CatalogueError::Layout { found: 0, .. }), "{refused}");
}

#[test]
fn a_damaged_page_is_an_error_and_never_a_panic() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("catalogue.sqlite");
    let catalogue = open(directory.path());
    feed(&catalogue, arrived(1..=400));
    catalogue.close();
    drop(catalogue);
    let whole = fs::read(&path).unwrap();
    for page in 0..whole.len() / 4096 {
        let mut damaged = whole.clone();
        damaged[page * 4096..(page + 1) * 4096].fill(0xa5);
        fs::write(&path, &damaged).unwrap();
        let Ok(catalogue) = Catalogue::open(&path, small()) else { continue };
        let read = catalogue.page(&Filter::default(), 1_000, None).and_then(|_| catalogue.check());
        if let Err(error) = read {
            assert!(error.to_string().contains("lazaret rebuild"), "page {page}: {error}");
        }
        catalogue.feed(arrived(401..=420));
        if !catalogue.reach(420, DEADLINE) {
            assert!(matches!(catalogue.health(), CatalogueHealth::Failed { .. }), "page {page}");
            assert_eq!(catalogue.lag(), 20);
        }
    }
}

#[test]
fn a_full_disk_stops_the_feed_visibly_and_reading_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("catalogue.sqlite");
    let settings = CatalogueSettings { pages_max: 60, ..small() };
    let catalogue = Catalogue::open(&path, settings).unwrap();
    catalogue.feed(arrived(1..=2_000));
    let reason = loop {
        match catalogue.health() {
            CatalogueHealth::Running => {
                catalogue.reach(catalogue.watermark() + 1, Duration::from_millis(10));
            }
            CatalogueHealth::Stalled { reason } => break reason,
            CatalogueHealth::Failed { reason } => panic!("it gave up: {reason}"),
        }
    };
    assert!(reason.contains("full"), "{reason}");
    let watermark = catalogue.watermark();
    assert!(watermark > 0 && watermark < 2_000, "{watermark}");
    assert_eq!(catalogue.lag(), 2_000 - watermark);
    assert_eq!(catalogue.count(&Filter::default()).unwrap(), watermark);
    assert_eq!(catalogue.check().unwrap(), Vec::<String>::new());
    assert!(matches!(catalogue.add_action(ItemId(1), Timestamp(1), "admin", "x"), Err(CatalogueError::Stopped { .. })));

    // Room again: the same batch goes on, nothing is lost and nothing comes twice.
    catalogue.allow_pages(0);
    assert!(catalogue.reach(2_000, DEADLINE), "{:?}", catalogue.health());
    assert_eq!(catalogue.health(), CatalogueHealth::Running);
    assert_eq!((catalogue.count(&Filter::default()).unwrap(), catalogue.lag()), (2_000, 0));
    assert_eq!(catalogue.check().unwrap(), Vec::<String>::new());
}

#[test]
fn a_catalogue_that_is_full_can_be_closed_and_opened_with_more_room() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("catalogue.sqlite");
    let full = Catalogue::open(&path, CatalogueSettings { pages_max: 60, ..small() }).unwrap();
    full.feed(arrived(1..=2_000));
    full.close();
    drop(full);
    let catalogue = open(directory.path());
    let from = catalogue.watermark();
    assert!(from < 2_000);
    feed(&catalogue, arrived(from + 1..=2_000));
    assert_eq!(catalogue.count(&Filter::default()).unwrap(), 2_000);
    assert_eq!(catalogue.check().unwrap(), Vec::<String>::new());
}

#[test]
fn a_removed_catalogue_begins_empty() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("catalogue.sqlite");
    remove(&path).unwrap();
    let catalogue = open(directory.path());
    feed(&catalogue, arrived(1..=3));
    drop(catalogue);
    remove(&path).unwrap();
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    assert_eq!(open(directory.path()).watermark(), 0);
}
