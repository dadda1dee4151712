//! What raises alerts: the real thing each time.

use crate::support::api::lines;
use crate::support::oracle::{Oracle, noncertified};
use crate::support::sets::{finds, package, prepare, scanning};
use crate::support::sinks::silent_address;
use crate::support::{Server, start};
use crate::{held, server};
use gateway::reply::Said;
use model::Sequence;
use serde_json::json;

/// A server that submits what it does not know to a gateway that says this.
fn submitting(said: Said) -> (Server, Oracle, u64) {
    let (server, oracle) = (server(), Oracle::start(said));
    server.set(&json!({"sample_policy.automatic": true}));
    server.point_at(oracle.address);
    let item = server.store(b"a text that the centre is asked about");
    (server, oracle, item)
}

#[test]
fn event_1_a_gateway_where_nobody_listens() {
    let server = server();
    server.set(&json!({"sample_policy.automatic": true}));
    server.point_at(silent_address());
    let item = server.store(b"a text that cannot be submitted now");
    server.alert_told("gateway_unreachable");
    let item = server.eventually("the reason on the item", || {
        let item = server.item(item);
        (!lines(&item, "errors").is_empty()).then_some(item)
    });
    assert_eq!(item["status"], "Submitted", "trouble on the way changes no status");
    assert!(lines(&item, "errors")[0].contains("it is tried again by itself"), "{item}");
}

#[test]
fn event_2_and_7_definitions_that_cannot_be_used_are_waited_for() {
    let (server, oracle) = (server(), Oracle::start(Said::Definitions { sequence: Sequence(5) }));
    let mut broken = package(5, &[("main.ndb", &finds("Test.Bear", "with a bear"))]);
    let middle = broken.len() / 2;
    broken[middle] ^= 1;
    {
        let mut words = oracle.words.lock();
        (words.certified, words.newest) = (5, 5);
        words.packages.insert(5, broken);
    }
    server.point_at(oracle.address);
    let alert = server.alert_told("defcast_error");
    assert!(alert["text"].as_str().expect("a text").contains("definitions 5 from the gateway are not used"), "{alert}");
    assert_eq!(server.get("/v1/status").json()["definitions"]["active"], 1, "what is in use stays");
}

#[test]
fn event_7_needed_definitions_that_the_gateway_does_not_have() {
    let (server, _oracle, item) = submitting(Said::Definitions { sequence: Sequence(9) });
    server.item_when(item, "Needed");
    let alert = server.alert_told("waiting_for_definitions");
    assert!(alert["text"].as_str().expect("a text").contains("definitions 9 are needed"), "{alert}");
    assert_eq!(alert["count"], 1);
}

#[test]
fn event_3_and_23_new_definitions_for_a_nonmanaged_client_say_where_they_are() {
    let server = server();
    server.set(&json!({"alerts.download_locations": ["https://mirror.example/definitions"]}));
    let item = server.store(b"a text with a bear");
    server.item_when(item, "Held");
    server.install_ndb(2, &format!("{}{}", finds("Test.Wolf", "with a wolf"), finds("Test.Bear", "with a bear")));
    let item = server.item_when(item, "Available");
    for event in ["cannot_install_on_targets", "held_for_delivery"] {
        assert_eq!(server.alert_told(event)["count"], 1, "{event}");
    }
    let errors = lines(&item, "errors");
    assert!(
        errors
            .iter()
            .any(|line| line.contains("definitions/2/") && line.contains("https://mirror.example/definitions")),
        "{errors:?}"
    );
    let log = server.log();
    assert!(log.iter().any(|line| line.starts_with("alert 3: ")), "{log:?}");
}

#[test]
fn event_4_a_folder_of_definitions_that_is_none() {
    let (server, oracle) = (server(), Oracle::start(Said::Pending));
    {
        let mut words = oracle.words.lock();
        (words.certified, words.newest) = (2, 2);
        words.packages.insert(2, package(2, &[("main.ndb", &finds("Test.Bear", "with a bear"))]));
    }
    let folder = server.data.path().join("data/definitions");
    std::fs::rename(&folder, folder.with_extension("away")).expect("renamed");
    std::fs::write(&folder, b"no folder").expect("written");
    server.point_at(oracle.address);
    let alert = server.alert_told("definition_directory_unreachable");
    assert!(alert["text"].as_str().expect("a text").contains("definitions"), "{alert}");
    std::fs::remove_file(&folder).expect("removed");
    std::fs::rename(folder.with_extension("away"), &folder).expect("renamed");
    server.eventually("the set once the folder is back", || {
        (server.get("/v1/status").json()["definitions"]["active"] == 2).then_some(())
    });
}

#[test]
fn event_5_samples_that_nobody_can_open_stay_quarantined_until_somebody_can() {
    let dir = tempfile::tempdir().expect("a folder");
    let program = dir.path().join("lazaret");
    std::fs::copy(env!("CARGO_BIN_EXE_lazaret"), &program).expect("copied");
    let server = scanning(|options| options.cage_program = Some(program.clone()));
    server.install_ndb(1, &finds("Test.Wolf", "with a wolf"));
    // Workers are started when the first sample needs one.
    std::fs::remove_file(&program).expect("removed");
    let item = server.store(b"a text with a wolf");
    server.alert_told("scanner_unreachable");
    assert_eq!(server.item(item)["status"], "Quarantined");
    std::fs::copy(env!("CARGO_BIN_EXE_lazaret"), &program).expect("copied");
    server.item_when(item, "Available");
}

#[test]
fn event_8_and_9_sets_that_arrive_are_told_by_their_kind() {
    let wolf = finds("Test.Wolf", "with a wolf");
    let (server, oracle, item) = submitting(Said::Pending);
    server.item_when(item, "Released");
    {
        let mut words = oracle.words.lock();
        (words.certified, words.newest) = (2, 2);
        words.packages.insert(2, package(2, &[("main.ndb", &wolf)]));
        words.packages.insert(3, noncertified(3, &format!("{wolf}{}", finds("Test.Ask", "is asked about"))));
    }
    // Somebody asks for it: the interval of certified sets is a day.
    server.act("query", &[item]);
    assert_eq!(server.alert_told("certified_definitions_arrived")["count"], 1);
    {
        let mut words = oracle.words.lock();
        words.newest = 3;
        words.said = Said::Definitions { sequence: Sequence(3) };
    }
    let item = server.item_when(item, "Available");
    assert_eq!(item["verdict"]["signatures"], json!(["Test.Ask"]));
    let alert = server.alert_told("noncertified_definitions_arrived");
    assert_eq!(alert["count"], 1);
    assert!(alert["text"].as_str().expect("a text").contains("definitions 3 are in use"), "{alert}");
}

#[test]
fn event_10_a_quarantine_that_is_nearly_full() {
    let server = start(|options| {
        options.store.max_samples = 10;
        (options.store.low_percent, options.store.high_percent) = (50, 90);
    });
    for number in 0..6 {
        server.store(format!("sample {number}").as_bytes());
    }
    let alert = server.alert_told("quota_low");
    assert!(alert["text"].as_str().expect("a text").contains("of 10 samples"), "{alert}");
    assert_eq!(alert["count"], 1, "it is news once");
}

#[test]
fn event_11_a_disk_with_less_room_than_the_quarantine_may_take() {
    let server = start(|_| {});
    server.set(&json!({"general.max_bytes": 1_u64 << 60}));
    let alert = server.alert_told("free_disk_below_maximum");
    assert!(alert["text"].as_str().expect("a text").contains("lower general.max_bytes"), "{alert}");
}

#[test]
fn event_12_a_repair_that_is_not_necessary() {
    let server = server();
    let item = held(&server, 1)["id"].as_u64().expect("an id");
    assert_eq!(server.act("repair", &[item])["refused"], 1);
    let alert = server.alert_told("not_repaired");
    assert_eq!(alert["count"], 1);
    assert!(lines(&server.item(item), "errors").iter().any(|line| line.starts_with("was not repaired: ")));
}

#[test]
fn event_14_a_submission_that_is_refused_for_good_or_whose_analysis_fails() {
    let (server, oracle, item) = submitting(Said::Failed);
    let first = server.item_when(item, "Error");
    assert!(lines(&first, "errors").iter().any(|line| line.starts_with("the analysis failed")), "{first}");
    oracle.words.lock().refused = "this account has been closed".to_owned();
    let second = server.store(b"a text that is refused");
    let second = server.item_when(second, "Error");
    assert!(lines(&second, "errors").iter().any(|line| line.contains("this account has been closed")), "{second}");
    server.eventually("both", || (server.alert("processing_error")["count"] == 2).then_some(()));
    assert!(server.log().iter().any(|line| line.starts_with("alert 14: Sample: processing error")));
}

#[test]
fn event_15_an_answer_that_needs_a_person_is_told_once_however_often_it_is_asked_for() {
    let (server, oracle, item) = submitting(Said::NeedsPerson);
    server.item_when(item, "Attention");
    server.alert_told("needs_attention");
    // It is asked about further, and what a person found out counts.
    oracle.words.lock().said = Said::NotInfected;
    server.item_when(item, "Unneeded");
    assert_eq!(server.alert("needs_attention")["count"], 1);
}

#[test]
fn event_16_an_item_that_waits_for_somebody_to_submit_it() {
    let server = server();
    held(&server, 1);
    assert_eq!(server.alert_told("held_for_submission")["count"], 1);
}

#[test]
fn alerts_of_a_kind_go_on_after_a_restart() {
    let server = server();
    held(&server, 1);
    server.alert_told("held_for_submission");
    let data = server.data.path().join("data");
    let server = server.restarted(|options| prepare(options, &data));
    assert_eq!(server.alert("held_for_submission")["count"], 0, "counts are since the start");
    held(&server, 2);
    assert_eq!(server.alert_told("held_for_submission")["count"], 1);
}
