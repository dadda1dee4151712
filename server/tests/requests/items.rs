//! Requests by hand: what is done is recorded with who and when, what is not says which rule or status stands against it.

use crate::support::api::lines;
use crate::support::oracle::Oracle;
use crate::support::{Answer, Server};
use crate::{roles, server, unknown};
use gateway::reply::Said;
use serde_json::{Value, json};
use std::sync::Barrier;

fn held(server: &Server, number: u64) -> u64 {
    let item = server.store(&unknown(number));
    server.item_when(item, "Held");
    item
}

/// A managed client's item whose definitions wait to be queued.
fn available(server: &Server) -> u64 {
    let answer = server.send("PUT", "/v1/clients/pc", &json!({"managed": true}));
    assert_eq!(answer.status, 200, "{answer:?}");
    let item = server.store(b"a text with a wolf");
    server.item_when(item, "Available");
    item
}

/// Why a request for one item was refused.
#[track_caller]
fn refused(answer: &Value) -> String {
    assert_eq!((&answer["done"], &answer["refused"]), (&json!(0), &json!(1)), "{answer}");
    answer["items"][0]["refused"].as_str().expect("a reason").to_owned()
}

#[track_caller]
fn done(answer: &Value) {
    assert_eq!((&answer["done"], &answer["refused"]), (&json!(1), &json!(0)), "{answer}");
}

#[test]
fn what_is_held_is_submitted_once_and_recorded_with_who_and_when() {
    let server = server();
    let item = held(&server, 1);
    done(&server.act("submit", &[item]));
    let submitted = server.item_when(item, "Submitted");
    let last = submitted["actions"].as_array().expect("actions").last().expect("one").clone();
    assert_eq!((&last["what"], &last["who"]), (&json!("queued for submission by hand"), &json!("anyone")));
    assert!(last["at"].as_str().expect("a time").starts_with("20"), "{last}");
    assert_eq!(submitted["attributes"]["X-Sample-Priority"], 1);
    assert_eq!(submitted["attributes"]["X-Date-Submitted"], last["at"]);
    assert!(server.log().iter().any(|line| line.contains("queued for submission by hand")), "{:?}", server.log());
    let why = refused(&server.act("submit", &[item]));
    assert!(why.contains("an item that is Submitted cannot become Submitted"), "{why}");
    assert_eq!(server.item(item)["actions"], submitted["actions"], "a refusal leaves no trace");
}

#[test]
fn what_is_known_is_not_submitted_and_what_is_unknown_is_not_delivered() {
    let server = server();
    let (held, available) = (held(&server, 1), available(&server));
    let why = refused(&server.act("submit", &[available]));
    assert!(why.contains("Available") && why.contains("Submitted"), "both statuses: {why}");
    let why = refused(&server.act("deliver", &[held]));
    assert!(why.contains("Held") && why.contains("Distribute"), "both statuses: {why}");
    let why = refused(&server.act("applied", &[held]));
    assert!(why.contains("Held") && why.contains("Installed"), "both statuses: {why}");
    assert_eq!(refused(&server.act("submit", &[777_777])), "no item has this id");
}

#[test]
fn definitions_are_queued_for_a_managed_client_once() {
    let server = server();
    let item = available(&server);
    done(&server.act("deliver", &[item]));
    let item = server.item_when(item, "Distribute");
    assert_eq!(item["attributes"]["X-Signatures-Priority"], 1);
    let why = refused(&server.act("deliver", &[item["id"].as_u64().expect("an id")]));
    assert!(why.contains("Distribute"), "{why}");
}

#[test]
fn definitions_queued_for_a_nonmanaged_client_cannot_be_installed_and_somebody_is_told() {
    let server = server();
    let item = server.store(b"a text with a wolf");
    server.item_when(item, "Available");
    done(&server.act("deliver", &[item]));
    let stopped = server.item_when(item, "Not installed");
    let did = lines(&stopped, "actions");
    assert!(did.contains(&"client turned out nonmanaged".to_owned()), "{did:?}");
    server.alert_told("cannot_install_on_targets");
}

#[test]
fn definitions_applied_by_other_means_end_the_item() {
    let server = server();
    let item = server.store(b"a text with a wolf");
    server.item_when(item, "Available");
    done(&server.act("applied", &[item]));
    let ended = server.item_when(item, "Installed");
    assert!(ended["attributes"]["X-Date-Sample-Finished"].is_string(), "{ended}");
    let why = refused(&server.act("applied", &[item]));
    assert!(why.contains("an item that is Installed cannot become Installed"), "{why}");
}

#[test]
fn a_restart_begins_anew_and_keeps_what_a_person_chose() {
    let server = server();
    let (untouched, chosen) = (held(&server, 1), held(&server, 2));
    done(&server.act("submit", &[chosen]));
    server.act("restart", &[untouched, chosen]);
    let chosen = server.eventually("submitted again", || {
        let item = server.item(chosen);
        let scans = lines(&item, "actions").iter().filter(|line| line.starts_with("scanned, not detected")).count();
        (scans == 2).then_some(item)
    });
    assert_eq!((&chosen["status"], &chosen["attributes"]["X-Sample-Priority"]), (&json!("Submitted"), &json!(1)));
    let untouched = server.item_when(untouched, "Held");
    let did = lines(&untouched, "actions");
    assert!(did.iter().any(|line| line == "restarted by hand"), "{did:?}");
    assert_eq!(untouched["attributes"]["X-Sample-Priority"], 0);
}

#[test]
fn what_nobody_has_scanned_yet_cannot_be_restarted() {
    let server = crate::scanning(|_| {});
    let item = server.store(b"there are no definitions");
    let why = refused(&server.act("restart", &[item]));
    assert!(why.contains("an item that is Quarantined cannot become Restart"), "{why}");
}

#[test]
fn a_priority_queues_what_is_held_and_orders_what_is_queued() {
    let server = server();
    let item = held(&server, 1);
    let priority = |body: Value| {
        let mut body = body;
        (body["action"], body["ids"]) = (json!("priority"), json!([item]));
        server.act_with(body)
    };
    let why = refused(&priority(json!({"delivery": 1})));
    assert_eq!(why, "an item that is Held needs no delivery of definitions");
    done(&priority(json!({"submission": 5})));
    let now = server.item_when(item, "Submitted");
    assert_eq!(now["attributes"]["X-Sample-Priority"], 5);
    done(&priority(json!({"submission": 9})));
    let now = server.item_when(item, "Submitted");
    assert_eq!(now["attributes"]["X-Sample-Priority"], 9);
    assert!(lines(&now, "actions").contains(&"submission priority set to 9".to_owned()), "{now}");
    let why = refused(&priority(json!({"submission": 0})));
    assert!(why.contains("restart it to hold it back"), "{why}");
}

#[test]
fn a_priority_for_delivery_queues_it_and_two_priorities_are_taken_as_one() {
    let server = server();
    let item = available(&server);
    let body = json!({"action": "priority", "ids": [item], "submission": 3, "delivery": 2});
    let why = refused(&server.act_with(body));
    assert!(why.contains("is not queued for submission any more"), "{why}");
    assert_eq!(server.item(item)["status"], "Available", "half of a request is not done");
    done(&server.act_with(json!({"action": "priority", "ids": [item], "delivery": 2})));
    server.item_when(item, "Distribute");
}

#[test]
fn a_query_needs_a_gateway_and_then_asks_at_once() {
    let server = server();
    let oracle = Oracle::start(Said::Pending);
    let item = held(&server, 1);
    let why = refused(&server.act("query", &[item]));
    assert!(why.contains("web_communication.gateway"), "{why}");
    server.point_at(oracle.address);
    done(&server.act("submit", &[item]));
    server.item_when(item, "Released");
    server.set(&json!({"sample_policy.status_query_interval_s": "1 day"}));
    oracle.words.lock().said = Said::NotInfected;
    done(&server.act("query", &[item]));
    let item = server.item_when(item, "Unneeded");
    assert!(lines(&item, "actions").contains(&"definitions queried".to_owned()), "{item}");
}

#[test]
fn a_filter_acts_on_all_that_it_matches_and_on_nothing_else() {
    let server = server();
    let ids: Vec<u64> = (0..5).map(|number| held(&server, number)).collect();
    let other = server.put(b"of another client", &[("X-Client", "other")]).json()["id"].as_u64().expect("an id");
    server.item_when(other, "Held");
    let wolf = server.store(b"a text with a wolf");
    server.item_when(wolf, "Available");
    let answer = server.act_with(json!({"action": "submit", "filter": {"client": "pc", "status": ["Held"]}}));
    assert_eq!((&answer["done"], &answer["refused"]), (&json!(5), &json!(0)), "{answer}");
    for id in ids {
        assert_eq!(server.item(id)["status"], "Submitted");
    }
    assert_eq!(server.item(other)["status"], "Held");
    assert_eq!(server.item(wolf)["status"], "Available");
    let none = server.act_with(json!({"action": "submit", "filter": {"client": "nobody"}}));
    assert_eq!((&none["done"], &none["refused"]), (&json!(0), &json!(0)));
}

#[test]
fn a_request_that_makes_no_sense_is_refused_as_a_whole() {
    let server = server();
    let item = held(&server, 1);
    for wrong in [
        json!({"action": "submit"}),
        json!({"action": "submit", "filter": {}}),
        json!({"action": "submit", "ids": [item], "filter": {"client": "pc"}}),
        json!({"action": "restart", "ids": [item], "strip": true}),
        json!({"action": "submit", "ids": [item], "submission": 3}),
        json!({"action": "priority", "ids": [item]}),
        json!({"action": "priority", "ids": [item], "submission": -1}),
        json!({"action": "submit", "ids": ["one"]}),
        json!({"action": "submit", "ids": [item], "colour": "red"}),
    ] {
        let answer = server.send("POST", "/v1/items/actions", &wrong);
        assert_eq!((answer.status, answer.problem().as_str()), (400, "invalid-request"), "{wrong}");
    }
    assert_eq!(server.item(item)["status"], "Held");
}

#[test]
fn whether_user_data_is_stripped_is_chosen_for_an_item_and_recorded() {
    let server = server();
    let (stripped, whole) = (held(&server, 1), held(&server, 2));
    done(&server.act_with(json!({"action": "submit", "ids": [stripped], "strip": true})));
    done(&server.act_with(json!({"action": "submit", "ids": [whole], "strip": false})));
    for (item, what) in [(stripped, "user data is to be stripped"), (whole, "to be submitted whole")] {
        let did = lines(&server.item(item), "actions");
        assert!(did.contains(&what.to_owned()), "{did:?}");
    }
}

#[test]
fn of_two_who_want_the_same_at_once_one_does_it_and_the_other_is_told() {
    let server = crate::scanning(roles);
    let as_who = |who: &str, method: &str, path: &str, body: &[u8]| -> Answer {
        server.request(method, path, &[("Authorization", &format!("Bearer {who}"))], body)
    };
    let set = crate::support::sets::package(1, &[("main.ndb", &crate::finds("Test.Wolf", "with a wolf"))]);
    assert_eq!(as_who("administrator", "POST", "/v1/definitions", &set).status, 201);
    let items: Vec<Value> = (0..20)
        .map(|number| as_who("forwarder", "PUT", "/v1/samples", &unknown(number)).json()["id"].clone())
        .collect();
    let show = |item: &Value| as_who("viewer", "GET", &format!("/v1/items/{item}"), b"").json();
    for item in &items {
        let began = std::time::Instant::now();
        while show(item)["status"] != "Held" {
            assert!(began.elapsed() < std::time::Duration::from_secs(60), "{}", show(item));
        }
    }
    let barrier = Barrier::new(2);
    let submit = |who: &str| -> Vec<bool> {
        let one = |item: &Value| {
            let body = json!({"action": "submit", "ids": [item]}).to_string();
            barrier.wait();
            as_who(who, "POST", "/v1/items/actions", body.as_bytes()).json()["done"] == 1
        };
        items.iter().map(one).collect()
    };
    let (ann, bob) = std::thread::scope(|scope| {
        let (ann, bob) = (scope.spawn(|| submit("ann")), scope.spawn(|| submit("bob")));
        (ann.join().expect("no panic"), bob.join().expect("no panic"))
    });
    for ((item, ann), bob) in items.iter().zip(ann).zip(bob) {
        assert!(ann != bob, "one of them and only one: item {item}");
        let shown = show(item);
        let by_hand: Vec<&Value> = shown["actions"]
            .as_array()
            .expect("actions")
            .iter()
            .filter(|action| action["what"] == "queued for submission by hand")
            .collect();
        assert_eq!(by_hand.len(), 1, "{shown}");
        assert_eq!(by_hand[0]["who"], if ann { "ann" } else { "bob" }, "{shown}");
    }
}

#[test]
fn only_roles_with_the_right_may_act() {
    let server = crate::scanning(roles);
    let body = json!({"action": "restart", "ids": [1]}).to_string();
    for (role, status) in
        [("viewer", 403), ("forwarder", 403), ("target", 403), ("ann", 200), ("administrator", 200), ("nobody", 401)]
    {
        let headers = [("Authorization", &*format!("Bearer {role}"))];
        assert_eq!(server.request("POST", "/v1/items/actions", &headers, body.as_bytes()).status, status, "{role}");
    }
}
