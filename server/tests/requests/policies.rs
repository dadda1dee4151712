//! Settings at run time: they hold at once, together or not at all, and after a restart.

use crate::support::Server;
use crate::support::sets::{finds, package, prepare, scanning};
use crate::{roles, server, unknown};
use serde_json::json;

fn value(server: &Server, name: &str) -> serde_json::Value {
    server.get("/v1/settings").json()["settings"][name]["value"].clone()
}

#[test]
fn automatic_submission_is_switched_on_and_off_for_what_comes_next() {
    let server = server();
    let before = server.store(&unknown(1));
    server.item_when(before, "Held");
    server.set(&json!({"sample_policy.automatic": true}));
    let during = server.store(&unknown(2));
    let item = server.item_when(during, "Submitted");
    assert_eq!(item["attributes"]["X-Sample-Priority"], 1);
    server.set(&json!({"sample_policy.automatic": false}));
    let after = server.store(&unknown(3));
    server.item_when(after, "Held");
    assert_eq!(server.item(before)["status"], "Held", "what was held stays so");
    assert_eq!(server.item(during)["status"], "Submitted", "what was queued stays so");
}

#[test]
fn a_setting_is_audited_with_who_changed_it_and_holds_after_a_restart() {
    let server = scanning(roles);
    let headers = [("Authorization", "Bearer administrator")];
    let ask = |server: &Server, method: &str, path: &str, body: &[u8]| server.request(method, path, &headers, body);
    let set = package(1, &[("main.ndb", &finds("Test.Wolf", "with a wolf"))]);
    assert_eq!(ask(&server, "POST", "/v1/definitions", &set).status, 201);
    let body = json!({"sample_policy.automatic": true, "too_long.needed": "3 h"}).to_string();
    assert_eq!(ask(&server, "PUT", "/v1/settings", body.as_bytes()).status, 200);
    let audited = |server: &Server| {
        let log = ask(server, "GET", "/v1/log", b"").json();
        let entries = log["entries"].as_array().expect("a list").clone();
        entries
            .into_iter()
            .find(|one| one["what"].as_str().is_some_and(|what| what.contains("sample_policy.automatic")))
    };
    assert_eq!(audited(&server).expect("an entry")["who"], "administrator");
    let data = server.data.path().join("data");
    let server = server.restarted(|options| {
        prepare(options, &data);
        roles(options);
    });
    let settings = ask(&server, "GET", "/v1/settings", b"").json();
    assert_eq!(
        settings["settings"]["sample_policy.automatic"],
        json!({"value": true, "origin": "stored by administrator"})
    );
    assert_eq!(settings["settings"]["too_long.needed"]["value"], json!(180), "in minutes");
    assert!(audited(&server).is_some());
    let id = ask(&server, "PUT", "/v1/samples", &unknown(1)).json()["id"].clone();
    let path = format!("/v1/items/{id}");
    let began = std::time::Instant::now();
    while ask(&server, "GET", &path, b"").json()["status"] != "Submitted" {
        assert!(began.elapsed() < std::time::Duration::from_secs(60), "{:?}", ask(&server, "GET", &path, b""));
    }
}

#[test]
fn values_that_contradict_one_another_are_refused_as_a_whole_with_the_reason() {
    let server = server();
    for (body, why) in [
        (json!({"general.low_percent": 95}), "above general.high_percent, which is 90"),
        (json!({"alerts.smtp_server": "mail.example"}), "alerts.smtp_from is \"\""),
        (json!({"sample_policy.queue_check_interval_s": 0}), "the least is a second"),
        (json!({"web_communication.gateway": "http://centre/"}), "a computer's name or address"),
        (json!({"general.max_bytes": 1}), "at least"),
        (json!({"sample_policy.automatik": true}), "did you mean sample_policy.automatic?"),
        (json!({"general.full": "strict"}), "it is read when the server starts"),
        (json!({"sample_policy.automatic": null}), "cannot be nothing"),
    ] {
        // Something that is fine by itself comes with each.
        let mut both = body.clone();
        both["sample_policy.strip_user_data"] = json!(false);
        let answer = server.send("PUT", "/v1/settings", &both);
        assert_eq!((answer.status, answer.problem().as_str()), (400, "invalid-request"), "{body}");
        let detail = answer.json()["detail"].as_str().expect("a detail").to_owned();
        assert!(detail.contains(why), "{body}: {detail}");
        assert_eq!(value(&server, "sample_policy.strip_user_data"), true, "{body}");
    }
    // What contradicts what was there does not contradict what comes with it.
    server.set(&json!({"general.low_percent": 95, "general.high_percent": 98}));
    assert_eq!(value(&server, "general.low_percent"), 95);
    server.set(&json!({"alerts.smtp_server": "mail.example", "alerts.smtp_from": "q@example.org"}));
}
