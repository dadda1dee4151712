//! The way to the gateway is broken, slow, endless, or leads elsewhere.

use crate::estate::{errors, estate, set};
use crate::scripted::{Gateway, Turn, own_address};
use crate::wire::Reply;
use serde_json::json;
use server::daemon::ServeOptions;
use std::net::TcpListener;
use std::time::Duration;

const SAMPLE: &[u8] = b"a sample that has a long way to go";

/// A deadline that a test can wait for.
fn hurried(options: &mut ServeOptions) {
    set(options, "web_communication.request_max_s", "1 s");
}

#[test]
fn nobody_listens_and_then_somebody_does() {
    let address = own_address();
    let server = estate(&address.to_string(), |_| {});
    let id = server.store(SAMPLE);
    server.is_troubled(id, "cannot be reached");
    assert!(server.gateway()["retry_at"].is_string(), "{}", server.gateway());
    let gateway = Gateway::on(address, None);
    server.goes_on(&gateway, id, SAMPLE);
    assert_eq!(server.alerts(1), 1, "one outage is one alert, whatever it keeps from getting through");
    let told = errors(&server.item(id)).iter().filter(|line| line.contains("cannot be reached")).count();
    assert_eq!(told, 1, "and one line on the item that met it first");
    assert_eq!(gateway.submissions(SAMPLE)[0].account, "A-17", "who asks is in every message");
}

#[test]
fn trouble_with_a_gateway_goes_with_it() {
    let server = estate(&own_address().to_string(), |_| {});
    let id = server.store(SAMPLE);
    server.is_troubled(id, "cannot be reached");
    server.change(&json!({"web_communication.gateway": ""}));
    server.eventually("no gateway", || (server.gateway()["trouble"] == "").then_some(()));
    assert_eq!((&server.gateway()["state"], &server.item(id)["status"]), (&json!("none"), &json!("Submitted")));
    let gateway = Gateway::start();
    server.change(&json!({"web_communication.gateway": gateway.name()}));
    server.goes_on(&gateway, id, SAMPLE);
}

#[test]
fn a_gateway_that_never_answers_is_left_at_the_deadline() {
    let gateway = Gateway::start();
    gateway.script(|_| Turn::Silent);
    let server = estate(&gateway.name(), hurried);
    let id = server.store(SAMPLE);
    server.is_troubled(id, "did not answer in time");
    server.goes_on(&gateway, id, SAMPLE);
}

#[test]
fn an_answer_byte_by_byte_is_left_at_the_deadline() {
    let gateway = Gateway::start();
    gateway.script(|_| Turn::Drip);
    let server = estate(&gateway.name(), hurried);
    let id = server.store(SAMPLE);
    server.is_troubled(id, "did not answer in time");
    server.goes_on(&gateway, id, SAMPLE);
}

#[test]
fn an_endless_answer_is_read_up_to_its_bound_only() {
    let gateway = Gateway::start();
    gateway.script(|_| Turn::Endless);
    let server = estate(&gateway.name(), |_| {});
    let id = server.store(SAMPLE);
    server.is_troubled(id, "is longer than 1048576 bytes");
    server.goes_on(&gateway, id, SAMPLE);
}

#[test]
fn a_redirect_is_not_followed() {
    let elsewhere = TcpListener::bind("127.0.0.1:0").expect("a port");
    elsewhere.set_nonblocking(true).expect("it does not wait");
    let location = format!("http://{}/gateway/1/", elsewhere.local_addr().expect("it is bound"));
    let gateway = Gateway::start();
    gateway.script(move |_| Turn::Instead(Reply::new(302, "").with("location", location.clone())));
    let server = estate(&gateway.name(), |_| {});
    let id = server.store(SAMPLE);
    server.is_troubled(id, "redirects are not followed");
    server.goes_on(&gateway, id, SAMPLE);
    let came = elsewhere.accept().map(|(_, from)| from).map_err(|error| error.kind());
    assert_eq!(came, Err(std::io::ErrorKind::WouldBlock), "nobody went there");
}

#[test]
fn a_busy_gateway_is_left_alone_for_as_long_as_it_asks() {
    let gateway = Gateway::start();
    gateway.script(|_| Turn::Instead(Reply::new(503, "busy").with("retry-after", "2")));
    let server = estate(&gateway.name(), |_| {});
    let id = server.store(SAMPLE);
    server.is_troubled(id, "answered 503");
    server.goes_on(&gateway, id, SAMPLE);
    let came: Vec<_> = gateway.book(|book| {
        let attempts = book.seen.iter().filter(|request| request.is_about("submissions"));
        attempts.map(|request| request.at).take(2).collect()
    });
    let waited = came[1] - came[0];
    assert!(
        waited >= Duration::from_millis(1900),
        "without its word it would have been asked again sooner than {waited:?}"
    );
}
