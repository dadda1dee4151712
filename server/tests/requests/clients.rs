//! Who forwards: what is known of a client, and that what changes there moves the items that wait for it.

use crate::support::Server;
use crate::support::api::lines;
use crate::support::oracle::noncertified;
use crate::support::sets::{finds, scanning};
use crate::{roles, server};
use serde_json::{Value, json};

fn change(server: &Server, name: &str, body: &Value) -> Value {
    let answer = server.send("PUT", &format!("/v1/clients/{name}"), body);
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

/// An item whose definitions are here and wait; they are not certified.
fn waiting(server: &Server) -> u64 {
    let answer = server.install(&noncertified(1, &finds("Test.Wolf", "with a wolf")));
    assert_eq!(answer.status, 201, "{answer:?}");
    let item = server.store(b"a text with a wolf");
    server.item_when(item, "Available");
    item
}

#[test]
fn clients_are_listed_by_name_with_what_they_sent_and_shown_one_by_one() {
    let server = server();
    for client in ["zoe", "adam", "mary"] {
        let headers = [("X-Client", client), ("X-Platform", "linux x86_64"), ("X-Definitions-Sequence", "3")];
        server.put(format!("from {client}").as_bytes(), &headers);
    }
    let listed = server.get("/v1/clients").json();
    let names: Vec<_> = listed["clients"].as_array().expect("a list").iter().map(|one| one["name"].clone()).collect();
    assert_eq!(names, ["adam", "mary", "zoe"]);
    let adam = server.get("/v1/clients/adam").json();
    assert_eq!(
        (&adam["managed"], &adam["platform"], &adam["definitions_sequence"], &adam["items"], &adam["raw_bytes"]),
        (&json!(false), &json!("linux x86_64"), &json!(3), &json!(1), &json!(9))
    );
    let page = server.get("/v1/clients?limit=2").json();
    let next = page["next"].as_str().expect("more follow");
    let rest = server.get(&format!("/v1/clients?limit=2&cursor={next}")).json();
    assert_eq!(rest["clients"][0]["name"], "zoe");
    assert_eq!((server.get("/v1/clients/eve").status, &rest["next"]), (404, &Value::Null));
}

#[test]
fn a_client_is_known_before_it_sends_anything_and_what_is_left_out_stays() {
    let server = server();
    change(&server, "mail%20gate", &json!({"managed": true, "parent_server": "relay", "platform": "linux"}));
    change(&server, "mail%20gate", &json!({"definitions_sequence": 4}));
    let client = server.get("/v1/clients/mail%20gate").json();
    assert_eq!(
        (&client["managed"], &client["parent_server"], &client["platform"], &client["definitions_sequence"]),
        (&json!(true), &json!("relay"), &json!("linux"), &json!(4))
    );
    assert_eq!((&client["items"], &client["seen_at"]), (&json!(0), &Value::Null));
    // What was set is taken back; nothing that arrived says that it is managed.
    assert_eq!(change(&server, "mail%20gate", &json!({"managed": null}))["managed"], false);
    let long = "x".repeat(256);
    for (path, body) in [
        ("/v1/clients/a%0Ab", json!({"managed": true})),
        (&*format!("/v1/clients/{long}"), json!({"managed": true})),
        ("/v1/clients/a", json!({"managed": "yes"})),
        ("/v1/clients/a", json!({"colour": "red"})),
    ] {
        assert_eq!(server.send("PUT", path, &body).status, 400, "{path} {body}");
    }
    assert_eq!(server.get("/v1/clients/a").status, 404);
    assert!(server.log().iter().any(|line| line.contains("mail gate")), "{:?}", server.log());
}

#[test]
fn a_client_that_becomes_managed_is_served_where_the_policy_selects_it() {
    let server = scanning(|_| {});
    server.set(&json!({"install.noncertified.on_clients": true}));
    let item = waiting(&server);
    change(&server, "pc", &json!({"managed": true}));
    let queued = server.item_when(item, "Distribute");
    assert!(lines(&queued, "actions").contains(&"selected by the install policy".to_owned()), "{queued}");
    // And one that turns out not to be is not.
    change(&server, "pc", &json!({"managed": false}));
    server.item_when(item, "Not installed");
}

#[test]
fn a_policy_that_selects_managed_clients_moves_what_waits_for_them() {
    let server = scanning(|_| {});
    let item = waiting(&server);
    change(&server, "pc", &json!({"managed": true}));
    server.set(&json!({"install.certified.on_clients": true}));
    let second = server.store(b"a second text with a wolf");
    server.item_when(second, "Available");
    assert_eq!(server.item(item)["status"], "Available", "this set is not certified");
    server.set(&json!({"install.noncertified.selected_targets": ["other"]}));
    assert_eq!(server.item(item)["status"], "Available");
    server.set(&json!({"install.noncertified.selected_targets": ["other", "pc"]}));
    server.item_when(item, "Distribute");
    server.item_when(second, "Distribute");
    server.set(&json!({"definition_policy.receive_only": true}));
    server.item_when(item, "Not installed");
}

#[test]
fn a_reported_sequence_ends_what_waited_for_it() {
    let server = server();
    let item = server.store(b"a text with a wolf");
    server.item_when(item, "Available");
    change(&server, "pc", &json!({"definitions_sequence": 1}));
    let item = server.item_when(item, "Installed");
    assert!(lines(&item, "actions").contains(&"target confirmed its sequence".to_owned()), "{item}");
    let next = server.store(b"another text with a wolf");
    server.item_when(next, "Unneeded");
}

#[test]
fn a_sequence_that_a_client_reports_when_it_forwards_ends_what_waited_for_it_too() {
    let server = server();
    let item = server.store(b"a text with a wolf");
    server.item_when(item, "Available");
    let answer = server.put(b"something else", &[("X-Client", "pc"), ("X-Definitions-Sequence", "1")]);
    assert_eq!(answer.status, 201, "{answer:?}");
    server.item_when(item, "Installed");
}

#[test]
fn only_an_administrator_changes_clients_settings_and_routes() {
    let server = scanning(roles);
    for (role, reads, changes) in [
        ("viewer", 200, 403),
        ("ann", 200, 403),
        ("administrator", 200, 200),
        ("forwarder", 403, 403),
        ("target", 403, 403),
        ("nobody", 401, 401),
    ] {
        let headers = [("Authorization", &*format!("Bearer {role}"))];
        let ask = |method: &str, path: &str, body: &str| server.request(method, path, &headers, body.as_bytes()).status;
        for path in ["/v1/clients", "/v1/alerts", "/v1/settings"] {
            assert_eq!(ask("GET", path, ""), reads, "{role} reads {path}");
        }
        assert_eq!(ask("PUT", "/v1/clients/pc", "{}"), changes, "{role} changes a client");
        assert_eq!(ask("PUT", "/v1/alerts", "{}"), changes, "{role} changes a route");
        assert_eq!(ask("POST", "/v1/alerts/test", r#"{"event": "quota_low"}"#), changes, "{role} tests a route");
        assert_eq!(ask("PUT", "/v1/settings", "{}"), changes, "{role} changes settings");
    }
}
