//! Events 17 to 22: an item that stays too long is told of once for each stay.

use crate::server;
use crate::support::Server;
use crate::support::api::lines;
use crate::support::oracle::Oracle;
use crate::support::sets::{finds, prepare, scanning};
use gateway::reply::Said;
use model::Sequence;
use serde_json::{Value, json};

/// The item's errors that are about a stay in a status.
fn stays(item: &Value, status: &str) -> usize {
    lines(item, "errors").iter().filter(|line| line.ends_with(&format!(" in {status}"))).count()
}

/// Waits until this event was raised for so many items.
fn counted(server: &Server, event: &str, count: u64) {
    server.eventually(&format!("{event} {count} times"), || {
        let now = server.alert(event)["count"].as_u64().expect("a count");
        assert!(now <= count, "{event} came {now} times, {count} at most: {:?}", server.log());
        (now == count).then_some(())
    });
}

#[test]
fn event_22_a_stay_is_told_of_once_also_over_a_restart() {
    let server = scanning(|_| {});
    server.set(&json!({"too_long.quarantined": "1 s", "alerts.fold_s": 0}));
    let first = server.store(b"nobody scans this, for there are no definitions");
    counted(&server, "too_long_quarantined", 1);
    let alert = server.alert_told("too_long_quarantined");
    assert!(alert["text"].as_str().expect("a text").contains("in Quarantined"), "{alert}");
    assert_eq!(stays(&server.item(first), "Quarantined"), 1);
    let second = server.store(b"nor this");
    counted(&server, "too_long_quarantined", 2);
    let data = server.data.path().join("data");
    let server = server.restarted(|options| prepare(options, &data));
    let third = server.store(b"and this comes after a restart");
    counted(&server, "too_long_quarantined", 1);
    for item in [first, second, third] {
        assert_eq!(stays(&server.item(item), "Quarantined"), 1, "item {item}");
    }
    // Another stay is another alert.
    server.act("delete", &[second, third]);
    server.install_ndb(1, &finds("Test.Wolf", "with a wolf"));
    server.item_when(first, "Held");
}

#[test]
fn event_17_available_and_a_second_stay_is_told_of_again() {
    let server = server();
    server.set(&json!({"too_long.available": "1 s"}));
    let item = server.store(b"a text with a wolf");
    counted(&server, "too_long_available", 1);
    assert_eq!(stays(&server.item(item), "Available"), 1);
    server.act("restart", &[item]);
    counted(&server, "too_long_available", 2);
    assert_eq!(stays(&server.item(item), "Available"), 2);
}

#[test]
fn event_21_submitted_where_there_is_no_gateway() {
    let server = server();
    server.set(&json!({"too_long.submitted": "1 s", "sample_policy.automatic": true}));
    let item = server.store(b"a text that goes nowhere");
    counted(&server, "too_long_submitted", 1);
    assert_eq!(stays(&server.item(item), "Submitted"), 1);
}

#[test]
fn event_20_and_19_released_without_an_answer_then_needed_without_definitions() {
    let (server, oracle) = (server(), Oracle::start(Said::Pending));
    server.set(&json!({
        "too_long.released": "1 s", "too_long.needed": "1 s", "sample_policy.automatic": true,
    }));
    server.point_at(oracle.address);
    let item = server.store(b"a text that the centre thinks about");
    counted(&server, "too_long_released", 1);
    oracle.words.lock().said = Said::Definitions { sequence: Sequence(7) };
    counted(&server, "too_long_needed", 1);
    let item = server.item(item);
    assert_eq!((stays(&item, "Released"), stays(&item, "Needed")), (1, 1));
}
