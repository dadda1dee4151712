//! Which index answers a filter, and that a page is bounded whatever is asked.

use super::*;
use crate::catalogue::bounds::PAGE_ROWS_MAX;
use crate::catalogue::filter::Driver;
use crate::catalogue::{Filter, StatusChange};
use model::lifecycle::Basis;
use model::{Attributes, Status, Timestamp};
use std::collections::BTreeSet;

/// The plan of a driver's query, as SQLite tells it.
fn plan_of(connection: &rusqlite::Connection, driver: Driver) -> String {
    let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {}", driver.sql())).unwrap();
    let parameters = [0, 100].into_iter().chain(driver.parameters());
    let mut rows = statement.query(rusqlite::params_from_iter(parameters)).unwrap();
    let mut plan = String::new();
    while let Some(row) = rows.next().unwrap() {
        plan.push_str(&row.get::<_, String>(3).unwrap());
        plan.push('\n');
    }
    plan
}

#[test]
fn every_filter_is_driven_by_an_index_and_never_sorts() {
    let directory = tempfile::tempdir().unwrap();
    let catalogue = open(directory.path());
    feed(&catalogue, arrived(1..=50));
    let connection = rusqlite::Connection::open(catalogue.path()).unwrap();
    for (driver, index) in [
        (Driver::All, "SEARCH item USING INTEGER PRIMARY KEY"),
        (
            Driver::Status(Status::Held),
            "SEARCH item USING COVERING INDEX item_status (status=? AND rowid>? AND rowid<?)",
        ),
        (
            Driver::ClientStatus(1, Status::Held),
            "SEARCH item USING COVERING INDEX item_client (client=? AND status=? AND rowid>? AND rowid<?)",
        ),
        (Driver::Sample(1), "SEARCH item USING COVERING INDEX item_sample (sample=? AND rowid>? AND rowid<?)"),
        (Driver::Signature(1), "SEARCH detection USING PRIMARY KEY (signature=? AND item>? AND item<?)"),
    ] {
        let plan = plan_of(&connection, driver);
        assert!(plan.starts_with(index), "{driver:?}: {plan}");
        assert!(!plan.contains("TEMP B-TREE") && !plan.contains("SCAN"), "{driver:?}: {plan}");
    }
}

#[test]
fn every_combination_of_filters_has_drivers_that_an_index_serves() {
    let directory = tempfile::tempdir().unwrap();
    let catalogue = open(directory.path());
    feed(&catalogue, arrived(1..=50));
    mark(&catalogue, 7, "Eicar");
    let connection = rusqlite::Connection::open(catalogue.path()).unwrap();
    for bits in 0..32_u32 {
        let bit = |at: u32| bits >> at & 1 == 1;
        let filter = Filter {
            statuses: if bit(0) { vec![Status::Held, Status::Quarantined] } else { vec![] },
            client: bit(1).then(|| "client-1".to_owned()),
            samples: bit(2).then(|| vec![SampleId(7)]),
            signature: bit(3).then(|| "Eicar".to_owned()),
            since_ms: bit(4).then_some(1_000_010),
            until_ms: None,
        };
        let plan = filter.plan(&connection).unwrap();
        for driver in &plan.drivers {
            // Only "everything" and a range of time have nothing narrower than the row ids.
            assert_eq!(*driver == Driver::All, bits & 15 == 0, "{filter:?}");
        }
        assert!(!plan.drivers.is_empty());
    }
}

#[test]
fn a_client_or_signature_that_nobody_named_matches_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let catalogue = open(directory.path());
    feed(&catalogue, arrived(1..=5));
    for filter in [
        Filter { client: Some("nobody".to_owned()), ..Filter::default() },
        Filter { signature: Some("nothing".to_owned()), ..Filter::default() },
        Filter { samples: Some(vec![SampleId(99)]), ..Filter::default() },
        Filter { since_ms: Some(9_000_000), ..Filter::default() },
        Filter { since_ms: Some(2), until_ms: Some(1), ..Filter::default() },
    ] {
        assert_eq!(catalogue.page(&filter, 10, None).unwrap().items, vec![]);
        assert_eq!(catalogue.count(&filter).unwrap(), 0);
    }
}

#[test]
fn a_page_that_rejects_many_rows_is_short_and_says_where_it_stopped() {
    let directory = tempfile::tempdir().unwrap();
    let settings = CatalogueSettings { linger: Duration::ZERO, ..CatalogueSettings::default() };
    let catalogue = Catalogue::open(&directory.path().join("c"), settings).unwrap();
    // One sample, many items, and only the oldest from the client that is asked for.
    let items = PAGE_ROWS_MAX as u64 * 2 + 10;
    let mut changes: Vec<Change> = (1..=items).map(|item| Change::Arrived(entry_of(item, 1))).collect();
    if let Change::Arrived(oldest) = &mut changes[0] {
        oldest.arrival.client = "wanted".to_owned();
    }
    feed(&catalogue, changes);
    let filter = Filter { client: Some("wanted".to_owned()), samples: Some(vec![SampleId(1)]), ..Filter::default() };
    let (mut pages, mut found, mut cursor) = (0, Vec::new(), None);
    loop {
        let page = catalogue.page(&filter, 10, cursor.as_ref()).unwrap();
        pages += 1;
        found.extend(page.items.iter().map(|item| item.id.0));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!((pages, found), (3, vec![1]));
    assert_eq!(catalogue.count(&filter).unwrap(), 1);
}

#[test]
fn cursors_never_skip_or_repeat_while_items_come_in() {
    let directory = tempfile::tempdir().unwrap();
    let catalogue = open(directory.path());
    feed(&catalogue, arrived(1..=300));
    for filter in [
        Filter::default(),
        Filter { statuses: vec![Status::Quarantined, Status::Held], ..Filter::default() },
        Filter { client: Some("client-2".to_owned()), ..Filter::default() },
        Filter { since_ms: Some(1_000_100), ..Filter::default() },
    ] {
        let begun_at = catalogue.watermark();
        let expected: Vec<u64> = (1..=begun_at)
            .rev()
            .filter(|id| filter.client.is_none() || id % 4 == 2)
            .filter(|id| filter.since_ms.is_none() || *id >= 100)
            .collect();
        let (mut seen, mut cursor) = (Vec::new(), None);
        loop {
            let page = catalogue.page(&filter, 17, cursor.as_ref()).unwrap();
            seen.extend(page.items.iter().map(|item| item.id.0));
            // A cursor also works after it went through its text.
            cursor = page.next.map(|next| next.to_string().parse().unwrap());
            let next = catalogue.watermark() + 1;
            feed(&catalogue, arrived(next..next + 5));
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(seen, expected, "{filter:?}");
        assert_eq!(seen.len(), seen.iter().collect::<BTreeSet<_>>().len());
    }
}

fn mark(catalogue: &Catalogue, item: u64, signature: &str) {
    let change = StatusChange {
        item: ItemId(item),
        from: Status::Quarantined,
        to: Status::Held,
        attributes: Attributes::default(),
        priority_override: None,
        basis: Basis::Detection,
        send_again_count: 1,
        verdict: Some(model::item::Verdict { signatures: vec![signature.to_owned()], sequence: Sequence(1) }),
        at: Timestamp(1),
        who: "scanner".to_owned(),
        what: "scanned".to_owned(),
    };
    catalogue.change_status(change).unwrap();
}
