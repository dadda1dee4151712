//! How alerts arrive: by mail, as a webhook's JSON, in the system's log, on consoles, and always in the Quarantine Log.

use crate::support::connect;
use crate::support::sinks::{Sink, silent_address};
use crate::{HELD, held, server};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

/// What a route and the settings need for mail to this server.
fn by_mail(server: &crate::Server, event: &str, address: SocketAddr) {
    server.set(&json!({
        "alerts.smtp_server": address.to_string(),
        "alerts.smtp_from": "quarantine@example.org",
        "alerts.smtp_security": "none",
    }));
    server.route(event, json!({"methods": ["email"], "recipients": ["ann@example.org"]}));
}

#[test]
fn a_mail_says_what_happened_to_which_item_and_is_in_the_log_too() {
    let (server, sink) = (server(), Sink::mail(vec![250]));
    by_mail(&server, HELD, sink.address);
    let item = held(&server, 1);
    let mail = server.eventually("a mail", || sink.taken().first().cloned());
    for part in [
        "RCPT TO:<ann@example.org>",
        "From: Lazaret <quarantine@example.org>",
        "Subject: [Lazaret] Sample: held for manual submission",
        "held until somebody submits it",
        &format!("[items {}]", item["id"]),
        "Event 16: Sample: held for manual submission",
        "Times: 1",
    ] {
        assert!(mail.contains(part), "{part} is missing in\n{mail}");
    }
    let log = server.log();
    assert!(log.iter().any(|line| line.starts_with("alert 16: Sample: held for manual submission: held")), "{log:?}");
    let alert = server.alert(HELD);
    assert_eq!((&alert["count"], &alert["failed_deliveries"], &alert["failure"]), (&json!(1), &json!(0), &json!("")));
}

#[test]
fn a_mail_server_that_says_later_gets_it_later() {
    let (server, sink) = (server(), Sink::mail(vec![451, 250]));
    by_mail(&server, HELD, sink.address);
    held(&server, 1);
    server.eventually("a mail", || (!sink.taken().is_empty()).then_some(()));
    assert_eq!((sink.attempts(), sink.taken().len()), (2, 1));
    assert_eq!(server.alert(HELD)["failed_deliveries"], 0);
}

#[test]
fn a_mail_server_that_is_away_gets_it_when_it_is_back_and_meanwhile_the_failure_is_seen() {
    let (server, address) = (server(), silent_address());
    by_mail(&server, HELD, address);
    held(&server, 1);
    let failure = server.eventually("a failed attempt", || {
        let alert = server.alert(HELD);
        alert["failure"].as_str().filter(|failure| !failure.is_empty()).map(str::to_owned)
    });
    assert!(failure.starts_with("email to ann@example.org: "), "{failure}");
    let sink = Sink::mail_at(address);
    server.eventually("a mail", || (!sink.taken().is_empty()).then_some(()));
    assert_eq!(server.alert(HELD)["failed_deliveries"], 0);
}

#[test]
fn a_failure_is_not_shown_any_more_once_an_alert_was_delivered() {
    let (server, sink) = (server(), Sink::mail(vec![451, 250]));
    by_mail(&server, HELD, sink.address);
    held(&server, 1);
    server.eventually("a mail", || (!sink.taken().is_empty()).then_some(()));
    server.eventually("no failure", || (server.alert(HELD)["failure"] == "").then_some(()));
}

#[test]
fn a_mail_that_is_refused_for_good_is_given_up_at_once_seen_and_logged() {
    let (server, sink) = (server(), Sink::mail(vec![550]));
    by_mail(&server, HELD, sink.address);
    held(&server, 1);
    let alert = server.eventually("a lost delivery", || {
        let alert = server.alert(HELD);
        (alert["failed_deliveries"] == 1).then_some(alert)
    });
    let failure = alert["failure"].as_str().expect("a text");
    assert!(failure.starts_with("email to ann@example.org: ") && failure.contains("nobody of that name"), "{failure}");
    server.eventually("the loss in the log", || {
        server
            .log()
            .iter()
            .any(|line| line.starts_with("alert 16 could not be delivered by email to ann"))
            .then_some(())
    });
    assert_eq!(sink.attempts(), 1, "for good is for good");
}

#[test]
fn a_webhook_that_fails_first_gets_the_same_alert_again() {
    let (server, sink) = (server(), Sink::hook(vec![500, 200]));
    let url = format!("http://{}/hook", sink.address);
    server.route(HELD, json!({"methods": ["webhook"], "recipients": [url]}));
    let item = held(&server, 1);
    let body = server.eventually("a POST", || sink.taken().first().cloned());
    let told: Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!(sink.attempts(), 2);
    assert_eq!((&told["event"], &told["number"], &told["count"]), (&json!(HELD), &json!(16), &json!(1)));
    assert_eq!(told["items"], json!([item["id"]]));
}

#[test]
fn a_webhook_that_says_never_is_not_asked_again() {
    let (server, sink) = (server(), Sink::hook(vec![404]));
    let url = format!("http://{}/hook", sink.address);
    server.route(HELD, json!({"methods": ["webhook"], "recipients": [url]}));
    held(&server, 1);
    server.eventually("a lost delivery", || (server.alert(HELD)["failed_deliveries"] == 1).then_some(()));
    assert_eq!(sink.attempts(), 1);
}

#[test]
fn the_systems_log_gets_a_line() {
    let server = server();
    let path = server.data.path().join("log");
    let log = UnixDatagram::bind(&path).expect("a socket");
    log.set_read_timeout(Some(Duration::from_secs(20))).expect("a deadline");
    server.set(&json!({"alerts.syslog": path.to_str().expect("text")}));
    server.route(HELD, json!({"methods": ["eventlog"]}));
    held(&server, 1);
    let mut line = [0; 2048];
    let length = log.recv(&mut line).expect("a line comes");
    let line = String::from_utf8_lossy(&line[..length]);
    assert!(line.starts_with("<28>lazaret["), "{line}");
    assert!(line.contains("alert 16: Sample: held for manual submission: held until"), "{line}");
}

#[test]
fn attached_consoles_are_told() {
    let server = server();
    server.route(HELD, json!({"methods": ["broadcast"]}));
    let mut stream = connect(server.http);
    stream.write_all(b"GET /v1/events HTTP/1.1\r\nhost: t\r\n\r\n").expect("the server reads");
    let mut lines = BufReader::new(stream).lines().map(|line| line.expect("a line"));
    assert!(lines.any(|line| line.is_empty()), "the head ends");
    held(&server, 1);
    assert!(lines.any(|line| line == "event: alert"));
    let data = lines.find(|line| line.starts_with("data: ")).expect("data");
    let told: Value = serde_json::from_str(&data["data: ".len()..]).expect("JSON");
    assert_eq!((&told["event"], &told["count"]), (&json!(HELD), &json!(1)));
}

#[test]
fn a_disabled_event_is_counted_and_told_nowhere() {
    let (server, sink) = (server(), Sink::mail(vec![250]));
    by_mail(&server, HELD, sink.address);
    server.route(HELD, json!({"enabled": false}));
    let item = held(&server, 1);
    // What is raised later is told later: once this one is there, the other would have been.
    server.act("repair", &[item["id"].as_u64().expect("an id")]);
    server.alert_told("not_repaired");
    let alert = server.alert(HELD);
    assert_eq!((&alert["count"], &alert["told_at"]), (&json!(1), &Value::Null));
    assert!(!server.log().iter().any(|line| line.starts_with("alert 16")));
    assert_eq!(sink.attempts(), 0);
    server.route(HELD, json!({"enabled": true}));
    held(&server, 2);
    server.eventually("a mail", || (!sink.taken().is_empty()).then_some(()));
}

#[test]
fn a_storm_of_200_is_a_few_mails_that_count_200() {
    let (server, sink) = (server(), Sink::mail(vec![250]));
    by_mail(&server, HELD, sink.address);
    server.set(&json!({"alerts.fold_s": 2}));
    for number in 0..200 {
        server.store(format!("a text without one, number {number}").as_bytes());
    }
    let times = |mail: &String| {
        let line = mail.lines().find_map(|line| line.strip_prefix("Times: ")).expect("a count");
        line.trim().parse::<u64>().expect("a number")
    };
    server.eventually("mails that count 200", || {
        let counted: u64 = sink.taken().iter().map(times).sum();
        assert!(counted <= 200, "{counted} of 200");
        (counted == 200).then_some(())
    });
    let began = sink.taken();
    assert!(began.len() <= 12, "{} mails", began.len());
    assert_eq!(server.alert(HELD)["count"], 200);
    assert_eq!(server.get("/v1/items/count?status=Held").json()["count"], 200);
}
