//! Who is told and how is chosen at run time, checked before it holds, kept over a restart, and can be tried.

use crate::support::sets::prepare;
use crate::support::sinks::{Sink, silent_address};
use crate::support::start;
use serde_json::json;

#[test]
fn a_route_changes_in_parts_is_stored_and_outlives_a_restart() {
    let server = start(|_| {});
    assert_eq!(server.get("/v1/alerts").json()["alerts"].as_array().map(Vec::len), Some(23));
    server.route("quota_low", json!({"methods": ["webhook", "console"], "recipients": ["http://pager.example/1"]}));
    server.route("quota_low", json!({"enabled": false}));
    let is = |server: &crate::Server| {
        let alert = server.alert("quota_low");
        [alert["enabled"].clone(), alert["methods"].clone(), alert["recipients"].clone()]
    };
    let wanted = [json!(false), json!(["webhook", "console"]), json!(["http://pager.example/1"])];
    assert_eq!(is(&server), wanted);
    assert!(server.log().iter().any(|line| line.contains("alerting.quota_low.enabled")), "{:?}", server.log());
    let data = server.data.path().join("data");
    let server = server.restarted(|options| prepare(options, &data));
    assert_eq!(is(&server), wanted);
}

#[test]
fn what_is_unknown_is_refused_with_the_reason_and_changes_nothing() {
    let server = start(|_| {});
    for (body, why) in [
        (json!({"flood": {"enabled": false}}), "there is no event flood: they are numbered 1 to 23"),
        (json!({"24": {"enabled": false}}), "there is no event 24"),
        (json!({"quota_low": {"methods": ["pigeon"]}}), "the methods are console, email, webhook, broadcast, eventlog"),
        (json!({"quota_low": {"recipients": ["ann"]}}), "a mail address, or a URL of a webhook, is expected"),
        (json!({"quota_low": {"volume": 11}}), "volume"),
        (json!({"quota_low": {"enabled": false}, "flood": {}}), "there is no event flood"),
        (json!({"quota_low": {"enabled": false, "methods": ["pigeon"]}}), "pigeon"),
    ] {
        let answer = server.send("PUT", "/v1/alerts", &body);
        assert_eq!((answer.status, answer.problem().as_str()), (400, "invalid-request"), "{body}");
        let detail = answer.json()["detail"].as_str().expect("a detail").to_owned();
        assert!(detail.contains(why), "{body}: {detail}");
    }
    assert_eq!(server.alert("quota_low")["enabled"], true);
    assert_eq!(server.send("POST", "/v1/alerts/test", &json!({"event": "flood"})).status, 400);
}

#[test]
fn a_test_says_of_each_recipient_whether_it_arrived_and_why_not() {
    let server = start(|_| {});
    let (mail, hook, silent) = (Sink::mail(vec![250]), Sink::hook(vec![204]), silent_address());
    server.set(&json!({
        "alerts.smtp_server": mail.address.to_string(),
        "alerts.smtp_from": "quarantine@example.org",
        "alerts.smtp_security": "none",
        "alerts.syslog": "/nowhere/log",
    }));
    let (good, bad) = (format!("http://{}/", hook.address), format!("http://{silent}/"));
    let recipients = json!(["ann@example.org", good, bad]);
    server.route("10", json!({"methods": ["email", "webhook", "eventlog", "console"], "recipients": recipients}));
    let told = server.send("POST", "/v1/alerts/test", &json!({"event": "quota_low"})).json();
    let came: Vec<(&str, bool)> = told["deliveries"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| (one["method"].as_str().expect("a method"), one["delivered"] == true))
        .collect();
    assert_eq!(
        came,
        [("console", true), ("email", true), ("webhook", true), ("webhook", false), ("eventlog", false)],
        "{told}"
    );
    assert!(told["deliveries"][4]["why"].as_str().expect("why").contains("/nowhere/log"), "{told}");
    assert!(mail.taken()[0].contains("a test of this alert, asked for by anyone"), "{:?}", mail.taken());
    assert_eq!(server.alert("quota_low")["count"], 0, "nothing has happened");
}

#[test]
fn a_recipient_that_no_method_can_use_is_named_by_a_test() {
    let server = start(|_| {});
    server.route("quota_low", json!({"methods": ["console"], "recipients": ["ann@example.org"]}));
    let told = server.send("POST", "/v1/alerts/test", &json!({"event": "10"})).json();
    assert_eq!(told["recipients_without_method"], json!(["ann@example.org"]));
    server.route("quota_low", json!({"methods": ["email"]}));
    let told = server.send("POST", "/v1/alerts/test", &json!({"event": "10"})).json();
    let why = told["deliveries"][0]["why"].as_str().expect("why");
    assert!(why.contains("alerts.smtp_server"), "{why}");
}
