//! Lists, actions, settings and figures over HTTP, on real sockets.

mod support;

use serde_json::json;
use std::io::{BufRead as _, BufReader, Write as _};
use support::{connect, start};

#[test]
fn items_are_listed_newest_first_by_filter_and_page() {
    let server = start(|_| {});
    for number in 0..5 {
        let client = if number % 2 == 0 { "even" } else { "odd" };
        server.put(format!("sample {number}").as_bytes(), &[("X-Client", client)]);
    }
    let first = server.get("/v1/items?limit=2").json();
    assert_eq!(first["items"].as_array().map(Vec::len), Some(2));
    let next = first["next"].as_str().expect("more follow");
    let second = server.get(&format!("/v1/items?limit=2&cursor={next}")).json();
    assert!(second["items"][0]["id"].as_u64() < first["items"][1]["id"].as_u64());
    let count = |query: &str| server.get(&format!("/v1/items/count?{query}")).json()["count"].clone();
    assert_eq!(count("client=even"), 3);
    assert_eq!(count("status=Quarantined&status=Held"), 5);
    assert_eq!(count("status=Held"), 0);
    assert_eq!(count(&format!("digest={}", blake3::hash(b"sample 3").to_hex())), 1);
    assert_eq!(count(&format!("digest={}", blake3::hash(b"unseen").to_hex())), 0);
    assert_eq!(count("since=2100-01-01T00:00:00Z"), 0);
    for wrong in
        ["colour=red", "status=Ill", "limit=0", "client=a&client=b", "since=yesterday", "cursor=%00", "digest=1"]
    {
        let answer = server.get(&format!("/v1/items?{wrong}"));
        assert_eq!((answer.status, answer.problem().as_str()), (400, "invalid-request"), "{wrong}");
    }
    assert_eq!(server.get("/v1/items/999999").status, 404);
    assert_eq!(server.get("/v1/items/minus").status, 400);
}

#[test]
fn deleting_answers_for_each_item() {
    let server = start(|_| {});
    let id = |body: &[u8]| server.put(body, &[("X-Client", "pc")]).json()["id"].as_u64().expect("an id");
    let (one, two, _three) = (id(b"1"), id(b"2"), id(b"3"));
    let act = |body: serde_json::Value| server.request("POST", "/v1/items/actions", &[], body.to_string().as_bytes());
    let answer = act(json!({"action": "delete", "ids": [one, 777_777]})).json();
    assert_eq!((&answer["done"], &answer["refused"]), (&json!(1), &json!(1)));
    assert_eq!(server.get(&format!("/v1/items/{one}")).status, 404);
    assert_eq!(server.get(&format!("/v1/items/{one}/sample")).status, 404);
    assert_eq!(server.get(&format!("/v1/items/{two}")).status, 200);
    let answer = act(json!({"action": "delete", "filter": {"client": "pc"}})).json();
    assert_eq!(answer["done"], 2);
    assert_eq!(server.count(), 0);
    for wrong in [
        json!({"action": "delete"}),
        json!({"action": "delete", "filter": {}}),
        json!({"action": "explode", "ids": [1]}),
        json!({"action": "delete", "ids": [1], "filter": {"client": "x"}}),
    ] {
        assert_eq!(act(wrong.clone()).status, 400, "{wrong}");
    }
}

#[test]
fn a_changed_setting_holds_is_logged_and_survives_a_restart() {
    let mut server = start(|_| {});
    let body = json!({"general.max_samples": 1}).to_string();
    let answer = server.request("PUT", "/v1/settings", &[], body.as_bytes());
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(server.get("/v1/quota").json()["max_samples"], 1);
    assert_eq!(server.put(b"first", &[]).status, 201);
    let full = server.put(b"second", &[]);
    assert_eq!((full.status, full.problem().as_str()), (507, "full_samples"));
    let log = server.get("/v1/log").json();
    assert!(log["entries"][0]["what"].as_str().expect("a text").contains("general.max_samples"), "{log}");
    for wrong in [json!({"general.data": "x"}), json!({"general.max_bytes": "x"}), json!({"general.max_bytes": 0})] {
        assert_eq!(server.request("PUT", "/v1/settings", &[], wrong.to_string().as_bytes()).status, 400, "{wrong}");
    }
    server.daemon.take().expect("running").stop().expect("the daemon stops");
    let data = server.data.path().join("data");
    let again = start(|options| options.data = data);
    let settings = again.get("/v1/settings").json();
    assert_eq!(settings["settings"]["general.max_samples"], json!({"value": 1, "origin": "stored by anyone"}));
    assert_eq!(again.count(), 1);
}

#[test]
fn figures_are_there_and_the_daemon_says_that_it_is_ready() {
    let server = start(|_| {});
    server.put(b"one", &[]);
    server.put(b"one", &[]);
    assert_eq!(server.get("/healthz").status, 200);
    assert_eq!(server.get("/readyz").json(), json!({"ready": true}));
    let status = server.get("/v1/status").json();
    assert_eq!((&status["phase"], &status["items"]["Quarantined"]), (&json!("running"), &json!(2)));
    let text = String::from_utf8(server.get("/metrics").body).expect("text");
    for line in [
        "lazaret_intake_samples_total{outcome=\"stored\"} 1",
        "lazaret_intake_samples_total{outcome=\"duplicate\"} 1",
        "lazaret_intake_bytes_total 6",
        "lazaret_intake_ack_seconds_count 2",
        "lazaret_pack_seconds_count ",
        "lazaret_segment_sync_seconds_count ",
        "lazaret_segment_batch_records_count ",
        "lazaret_pack_samples_total{effort=\"usual\"} ",
        "lazaret_finish_backlog_bytes ",
        "lazaret_catalogue_lag ",
        "lazaret_build_info{version=",
        "lazaret_store_samples 1",
        "lazaret_store_bytes ",
        "lazaret_quota_max_bytes ",
        "lazaret_quota_max_samples ",
        "lazaret_items{status=\"Quarantined\"} 2",
        "lazaret_items{status=\"Not installed\"} 0",
    ] {
        assert!(text.contains(line), "{line} is missing in\n{text}");
    }
    assert_eq!(server.get("/openapi.json").json()["openapi"], "3.1.0");
    assert_eq!(server.get("/nothing").problem(), "not-found");
    assert_eq!(server.request("DELETE", "/v1/items", &[], b"").status, 405);
}

#[test]
fn arrivals_and_deletions_are_told_to_listeners() {
    let server = start(|_| {});
    let mut stream = connect(server.http);
    stream.write_all(b"GET /v1/events HTTP/1.1\r\nhost: t\r\n\r\n").expect("the server reads");
    let mut lines = BufReader::new(stream).lines().map(|line| line.expect("a line"));
    assert!(lines.any(|line| line == "content-type: text/event-stream"));
    assert!(lines.any(|line| line.is_empty()), "the head ends");
    let id = server.put(b"told", &[]).json()["id"].clone();
    assert!(lines.any(|line| line == "event: arrivals"));
    assert!(lines.next().expect("data").contains("\"count\":1"));
    server.request("POST", "/v1/items/actions", &[], json!({"action": "delete", "ids": [id]}).to_string().as_bytes());
    assert!(lines.any(|line| line == "event: deleted"));
}
