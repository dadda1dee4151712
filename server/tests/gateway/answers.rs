//! Each answer of the centre, and those that come too late.

use crate::estate::{actions, errors, estate};
use crate::scripted::{Gateway, Turn};
use crate::support::Server;
use crate::support::sets::{finds, package};
use gateway::reply::Said;
use model::Sequence;
use serde_json::json;
use std::sync::{Arc, Mutex, mpsc};

const SAMPLE: &[u8] = b"a sample with a wolf that nobody knows yet";

/// A server whose item is with the centre.
fn released() -> (Gateway, Server, u64) {
    let gateway = Gateway::start();
    let server = estate(&gateway.name(), |_| {});
    let id = server.store(SAMPLE);
    server.item_when(id, "Released");
    (gateway, server, id)
}

fn wolf() -> String {
    finds("Test.Wolf", "with a wolf")
}

#[test]
fn not_infected_is_the_end() {
    let (gateway, server, id) = released();
    gateway.says(SAMPLE, Said::NotInfected, "a wolf in a tale");
    let item = server.item_when(id, "Unneeded");
    assert!(actions(&item).iter().any(|line| line.contains("a wolf in a tale")), "{item}");
    assert!(item["attributes"]["X-Date-Sample-Finished"].is_string(), "{item}");
}

#[test]
fn definitions_that_are_not_here_yet_are_waited_for_and_fetched() {
    let (gateway, server, id) = released();
    gateway.says(SAMPLE, Said::Definitions { sequence: Sequence(7) }, "");
    let item = server.item_when(id, "Needed");
    assert_eq!(item["attributes"]["X-Signatures-Sequence"], 7);
    server.alerted(7, 1);
    assert_eq!(server.item(id)["status"], "Needed");
    gateway.offers(7, package(7, &[("main.ndb", &wolf())]));
    // Somebody asks; without that it would be looked for within a minute.
    server.act_on(id, "query", &json!({}));
    let item = server.item_when(id, "Available");
    assert_eq!(item["verdict"]["signatures"], json!(["Test.Wolf"]));
}

#[test]
fn definitions_that_the_gateway_has_come_at_once() {
    let (gateway, server, id) = released();
    gateway.offers(7, package(7, &[("main.ndb", &wolf())]));
    gateway.says(SAMPLE, Said::Definitions { sequence: Sequence(7) }, "");
    server.item_when(id, "Available");
    assert_eq!(server.alerts(7), 0, "nothing was waited for");
    server.alerted(8, 1);
}

#[test]
fn definitions_installed_by_hand_serve_as_well() {
    let (gateway, server, id) = released();
    gateway.says(SAMPLE, Said::Definitions { sequence: Sequence(7) }, "");
    server.item_when(id, "Needed");
    // A later set has what the needed one had.
    server.install_ndb(8, &wolf());
    server.item_when(id, "Available");
}

#[test]
fn definitions_that_do_not_find_it_need_a_person() {
    let (gateway, server, id) = released();
    gateway.says(SAMPLE, Said::Definitions { sequence: Sequence(7) }, "");
    server.item_when(id, "Needed");
    server.install_ndb(7, &finds("Test.Sheep", "with a sheep"));
    server.item_when(id, "Attention");
    server.alerted(15, 1);
}

#[test]
fn what_a_person_looks_at_can_still_get_its_definitions() {
    let (gateway, server, id) = released();
    gateway.says(SAMPLE, Said::NeedsPerson, "packed twice");
    let item = server.item_when(id, "Attention");
    assert!(actions(&item).iter().any(|line| line.contains("packed twice")), "{item}");
    let lines = actions(&item).len();
    let asked = gateway.asked("POST", "answers");
    server.eventually("two more questions", || (gateway.asked("POST", "answers") > asked + 2).then_some(()));
    assert_eq!(actions(&server.item(id)).len(), lines, "the same word again is no news");
    gateway.says(SAMPLE, Said::Definitions { sequence: Sequence(7) }, "");
    server.item_when(id, "Needed");
    server.install_ndb(7, &wolf());
    server.item_when(id, "Available");
}

#[test]
fn an_item_that_joins_what_a_person_looks_at_waits_for_him_too() {
    let (gateway, server, id) = released();
    gateway.says(SAMPLE, Said::NeedsPerson, "packed twice");
    server.item_when(id, "Attention");
    let another = server.put(SAMPLE, &[("X-Client", "another")]).json()["id"].as_u64().expect("an id");
    let item = server.item_when(another, "Attention");
    assert!(actions(&item).iter().any(|line| line.contains("packed twice")), "{item}");
    assert_eq!(gateway.submissions(SAMPLE).len(), 1);
    server.alerted(15, 2);
    gateway.says(SAMPLE, Said::NotInfected, "");
    server.item_when(id, "Unneeded");
    server.item_when(another, "Unneeded");
}

#[test]
fn a_failed_analysis_is_an_error_with_its_reason() {
    let (gateway, server, id) = released();
    gateway.says(SAMPLE, Said::Failed, "the machine caught fire");
    let item = server.item_when(id, "Error");
    assert!(errors(&item).contains(&"the analysis failed: the machine caught fire".to_owned()), "{item}");
    for name in ["X-Sample-Priority", "X-Date-Submitted", "X-Date-Analysis-Finished", "X-Signatures-Sequence"] {
        assert!(item["attributes"][name] == 0 || item["attributes"][name].is_null(), "{name}: {item}");
    }
    server.alerted(14, 1);
}

#[test]
fn a_sample_is_sent_again_three_times_and_then_a_person_looks() {
    let (gateway, server, id) = released();
    gateway.says(SAMPLE, Said::SendAgain, "");
    let item = server.item_when(id, "Attention");
    let submissions = gateway.submissions(SAMPLE);
    assert_eq!(submissions.len(), 4, "the first and three more: {item}");
    assert!(submissions.iter().all(|one| one.held == SAMPLE), "each with all of it");
    let mut keys: Vec<_> = submissions.iter().map(|one| &one.key).collect();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), 4, "each with a key of its own");
}

#[test]
fn what_the_centre_does_not_know_is_submitted_anew() {
    let (gateway, server, id) = released();
    let before = gateway.submissions(SAMPLE)[0].key.clone();
    gateway.book(|book| book.submissions.clear());
    server.eventually("another submission", || {
        gateway.submissions(SAMPLE).iter().any(|one| one.key != before && one.is_whole()).then_some(())
    });
    server.goes_on(&gateway, id, SAMPLE);
    assert!(gateway.submissions(SAMPLE).iter().all(|one| one.key != before), "under another key");
}

/// Holds back the next answer that is one until the test has done something.
fn held_back(gateway: &Gateway) -> (mpsc::Receiver<()>, mpsc::Sender<()>) {
    let ((asked, is_asked), (go, may_go)) = (mpsc::channel(), mpsc::channel());
    let waits = Arc::new(Mutex::new(Some((asked, may_go))));
    gateway.script(move |request| {
        if !request.is_about("answers") {
            return Turn::Good;
        }
        let waits = Arc::clone(&waits);
        Turn::Altered(Box::new(move |reply| {
            let is_answer = !String::from_utf8_lossy(&reply.body).contains("pending");
            let waits = if is_answer { waits.lock().expect("held").take() } else { None };
            if let Some((asked, may_go)) = waits {
                asked.send(()).expect("the test waits");
                // It ends with the test at the latest.
                let _ = may_go.recv();
            }
            reply
        }))
    });
    (is_asked, go)
}

#[test]
fn an_answer_for_an_item_that_has_moved_on_is_recorded_and_changes_nothing() {
    let (gateway, server, id) = released();
    let (is_asked, go) = held_back(&gateway);
    gateway.says(SAMPLE, Said::NotInfected, "");
    is_asked.recv().expect("it is asked");
    server.install_ndb(2, &wolf());
    server.item_when(id, "Available");
    go.send(()).expect("the gateway waits");
    let item = server.eventually("a late answer", || {
        let item = server.item(id);
        actions(&item).iter().any(|line| line.starts_with("late ")).then_some(item)
    });
    assert_eq!(item["status"], "Available", "{item}");
}

#[test]
fn an_answer_for_an_item_that_was_deleted_meanwhile_disturbs_nothing() {
    let (gateway, server, id) = released();
    let (is_asked, go) = held_back(&gateway);
    gateway.says(SAMPLE, Said::NeedsPerson, "");
    is_asked.recv().expect("it is asked");
    assert_eq!(server.act_on(id, "delete", &json!({}))["done"], true);
    go.send(()).expect("the gateway waits");
    // The same bytes come again: they are another item, and are submitted and answered like any.
    gateway.says(SAMPLE, Said::NotInfected, "");
    let again = server.store(SAMPLE);
    server.item_when(again, "Unneeded");
    assert_eq!(server.get(&format!("/v1/items/{id}")).status, 404);
}

#[test]
fn an_item_restarted_while_its_sample_is_with_the_centre_gets_that_answer() {
    let (gateway, server, id) = released();
    let (is_asked, go) = held_back(&gateway);
    gateway.says(SAMPLE, Said::NotInfected, "");
    is_asked.recv().expect("it is asked");
    assert_eq!(server.act_on(id, "restart", &json!({}))["done"], true);
    go.send(()).expect("the gateway waits");
    let item = server.item_when(id, "Unneeded");
    assert!(actions(&item).iter().any(|line| line.contains("restart")), "{item}");
    assert_eq!(gateway.submissions(SAMPLE).len(), 1, "it was there already");
}

#[test]
fn asking_by_hand_while_it_is_asked_anyway_counts_an_answer_once() {
    let (gateway, server, id) = released();
    let mut answered = 0;
    // Each submission is to be sent again, up to the limit; questions by hand come in between all the time.
    gateway.says(SAMPLE, Said::SendAgain, "");
    let item = server.eventually("Attention", || {
        answered += 1;
        let item = server.item(id);
        if item["status"] == "Attention" {
            return Some(item);
        }
        server.act_on(id, "query", &json!({}));
        None
    });
    assert_eq!(gateway.submissions(SAMPLE).len(), 4, "after {answered} questions: {item}");
}
