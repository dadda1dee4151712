//! Changes of the catalogue's own: notes, statuses, settings, and the log that keeps them.

use super::*;
use crate::catalogue::{CatalogueError, ClientNumber, Standing, StatusChange};
use model::item::{Fault, Verdict};
use model::lifecycle::Basis;
use model::{Attributes, Status, Timestamp};
use serde_json::json;

fn change(item: u64, from: Status, to: Status) -> StatusChange {
    StatusChange {
        item: ItemId(item),
        from,
        to,
        attributes: Attributes { signatures_sequence: Sequence(9), ..Attributes::default() },
        priority_override: Some(3),
        basis: Basis::Detection,
        send_again_count: 1,
        verdict: Some(Verdict { signatures: vec!["Eicar".to_owned(), "Boot.A".to_owned()], sequence: Sequence(9) }),
        at: Timestamp(7_000),
        who: "scanner".to_owned(),
        what: "scanned, detected".to_owned(),
    }
}

#[test]
fn actions_follow_the_reception_and_errors_stand_apart() {
    let directory = tempfile::tempdir().unwrap();
    let catalogue = open(directory.path());
    catalogue.feed(arrived(1..=2));
    catalogue.add_action(ItemId(1), Timestamp(10), "admin", "looked at").unwrap();
    catalogue.add_error(ItemId(1), Timestamp(11), "target gone").unwrap();
    catalogue.add_action(ItemId(1), Timestamp(12), "admin", "looked again").unwrap();
    let item = catalogue.item(ItemId(1)).unwrap().unwrap();
    let actions: Vec<_> = item.actions.iter().map(|action| action.what.as_str()).collect();
    assert_eq!(actions, ["received", "looked at", "looked again"]);
    assert_eq!(item.errors, vec![Fault { at: Timestamp(11), what: "target gone".to_owned() }]);
    assert_eq!(
        catalogue.add_action(ItemId(9), Timestamp(1), "admin", "x"),
        Err(CatalogueError::UnknownItem(ItemId(9)))
    );
}

#[test]
fn a_status_changes_with_all_it_sets_or_not_at_all() {
    let directory = tempfile::tempdir().unwrap();
    let catalogue = open(directory.path());
    feed(&catalogue, arrived(1..=3));
    catalogue.change_status(change(2, Status::Quarantined, Status::Available)).unwrap();
    let item = catalogue.item(ItemId(2)).unwrap().unwrap();
    assert_eq!(item.status, Status::Available);
    assert_eq!(item.attributes.signatures_sequence, Sequence(9));
    assert_eq!(
        item.verdict,
        Verdict { signatures: vec!["Boot.A".to_owned(), "Eicar".to_owned()], sequence: Sequence(9) }
    );
    assert_eq!(item.actions[1].what, "scanned, detected");
    let standing = Standing {
        sample: SampleId(2),
        client: ClientNumber(2),
        strip_override: None,
        client_sequence: Sequence(u64::MAX - 2),
        verdict_sequence: Sequence(9),
        detected: true,
        status: Status::Available,
        attributes: item.attributes,
        managed: true,
        received_priority: 2,
        priority_override: Some(3),
        basis: Basis::Detection,
        send_again_count: 1,
    };
    assert_eq!(catalogue.standing(ItemId(2)).unwrap(), Some(standing));
    let counts = catalogue.count_by_status();
    assert_eq!(counts[usize::from(Status::Quarantined.code())], 2);
    assert_eq!(counts[usize::from(Status::Available.code())], 1);

    assert_eq!(
        catalogue.change_status(change(2, Status::Quarantined, Status::Held)),
        Err(CatalogueError::MovedOn { item: ItemId(2), expected: Status::Quarantined, found: Status::Available })
    );
    assert_eq!(catalogue.item(ItemId(2)).unwrap().unwrap(), item);
    assert_eq!(catalogue.check().unwrap(), Vec::<String>::new());
}

#[test]
fn a_setting_is_kept_with_who_set_it_and_logged() {
    let directory = tempfile::tempdir().unwrap();
    let catalogue = open(directory.path());
    catalogue.set_setting("general.max_bytes", &json!(1000), "admin").unwrap();
    catalogue.set_setting("general.max_bytes", &json!(2000), "other").unwrap();
    catalogue.close();
    drop(catalogue);
    let catalogue = open(directory.path());
    let settings = catalogue.settings().unwrap();
    assert_eq!(settings.len(), 1);
    assert_eq!((settings[0].json.as_str(), settings[0].who.as_str()), ("2000", "other"));
    let log = catalogue.log_page(10, None).unwrap();
    assert_eq!(log.entries[0].what, "set general.max_bytes = 2000");
    assert_eq!(log.entries.len(), 2);
}

#[test]
fn the_log_is_paged_newest_first_to_its_end() {
    let directory = tempfile::tempdir().unwrap();
    let catalogue = open(directory.path());
    feed(&catalogue, arrived(1..=25));
    feed(&catalogue, vec![deleted(26, &(1..=25).collect::<Vec<_>>())]);
    let (mut seen, mut cursor) = (Vec::new(), None);
    loop {
        let page = catalogue.log_page(10, cursor.as_ref()).unwrap();
        seen.extend(page.entries.iter().map(|entry| entry.item.unwrap().0));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen, (1..=25).rev().collect::<Vec<_>>());
}

#[test]
fn a_row_of_the_log_that_was_changed_or_taken_out_is_named() {
    for (tampering, row) in [
        ("UPDATE log SET who = 'nobody' WHERE id = 3", 3),
        ("UPDATE log SET item = NULL WHERE id = 2", 2),
        ("DELETE FROM log WHERE id = 4", 5),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let catalogue = open(directory.path());
        feed(&catalogue, arrived(1..=6));
        feed(&catalogue, vec![deleted(7, &[1, 2, 3, 4, 5, 6])]);
        catalogue.close();
        drop(catalogue);
        let other = rusqlite::Connection::open(directory.path().join("catalogue.sqlite")).unwrap();
        other.execute(tampering, []).unwrap();
        drop(other);
        let wrong = open(directory.path()).check().unwrap();
        assert_eq!(wrong, vec![format!("the log's chain breaks at row {row}")], "{tampering}");
    }
}

#[test]
fn an_own_change_does_not_wait_for_a_feed_without_end() {
    let directory = tempfile::tempdir().unwrap();
    let catalogue = open(directory.path());
    let feeder = catalogue.clone();
    let fed = std::thread::spawn(move || {
        for first in (1..20_000).step_by(50) {
            feeder.feed(arrived(first..first + 50));
        }
    });
    assert!(catalogue.reach(1, DEADLINE));
    catalogue.add_action(ItemId(1), Timestamp(1), "admin", "looked at").unwrap();
    fed.join().unwrap();
    assert_eq!(catalogue.item(ItemId(1)).unwrap().unwrap().actions.len(), 2);
}
