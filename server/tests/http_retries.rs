//! `Idempotency-Key` and `Expect: 100-continue` at their edges.

mod support;

use serde_json::{Value, json};
use std::io::Write as _;
use support::{Server, connect, read_answer, start};

fn keyed(server: &Server, body: &[u8], client: &str, key: &str) -> (u16, Value) {
    let answer = server.put(body, &[("X-Client", client), ("Idempotency-Key", key)]);
    (answer.status, answer.json())
}

/// Announces a digest and waits for what the server says before the body.
fn announce(server: &Server, body: &[u8], key: &str) -> (u16, std::net::TcpStream) {
    let mut stream = connect(server.http);
    write!(
        stream,
        "PUT /v1/samples HTTP/1.1\r\nhost: t\r\nx-client: pc\r\nidempotency-key: {key}\r\nx-blake3: {}\r\n\
         expect: 100-continue\r\ncontent-length: {}\r\n\r\n",
        blake3::hash(body).to_hex(),
        body.len()
    )
    .expect("the server reads");
    (read_answer(&stream, false).expect("an answer").status, stream)
}

#[test]
fn a_key_used_again_for_other_content_is_refused_and_names_the_first_item() {
    let server = start(|_| {});
    let (_, first) = keyed(&server, b"one", "pc", "k");
    let (status, problem) = keyed(&server, b"two", "pc", "k");
    assert!((400..500).contains(&status), "{status}");
    let detail = problem["detail"].as_str().expect("a detail");
    assert!(detail.contains(&format!("item {}", first["id"])), "{detail}");
    assert_eq!(server.count(), 1);
}

#[test]
fn the_same_key_of_another_client_is_another_arrival() {
    let server = start(|_| {});
    let (_, one) = keyed(&server, b"x", "pc-1", "k");
    let (_, two) = keyed(&server, b"x", "pc-2", "k");
    assert_ne!(one["id"], two["id"]);
}

#[test]
fn a_key_whose_first_attempt_was_refused_is_free() {
    let server = start(|_| {});
    let wrong = blake3::hash(b"other").to_hex();
    let headers = [("X-Client", "pc"), ("Idempotency-Key", "k"), ("X-Blake3", wrong.as_str())];
    assert_eq!(server.put(b"one", &headers).status, 422);
    let (status, item) = keyed(&server, b"one", "pc", "k");
    assert_eq!((status, &item["outcome"]), (201, &json!("stored")));
}

#[test]
fn the_same_key_at_once_from_many_connections_is_one_item() {
    let server = start(|_| {});
    let ids: Vec<Value> = std::thread::scope(|scope| {
        let senders: Vec<_> = (0..8).map(|_| scope.spawn(|| keyed(&server, b"at once", "pc", "k").1)).collect();
        senders.into_iter().map(|sender| sender.join().expect("an answer")["id"].clone()).collect()
    });
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    assert_eq!(server.count(), 1);
}

#[test]
fn keys_of_any_bytes_and_of_their_full_length_work() {
    let server = start(|_| {});
    let long = "k".repeat(model::limits::IDEMPOTENCY_KEY_BYTES_MAX);
    for key in ["\"quoted\"", "a, b", "\u{e9}\u{fffd}", &long] {
        let (_, one) = keyed(&server, b"body", "pc", key);
        let (_, two) = keyed(&server, b"body", "pc", key);
        assert_eq!((&one["id"], &two["outcome"]), (&two["id"], &json!("repeated")), "{key}");
    }
}

#[test]
fn a_retry_that_waits_for_the_go_ahead_is_answered_with_its_item_and_sends_nothing() {
    let server = start(|_| {});
    let (go_on, mut stream) = announce(&server, b"body", "k");
    assert_eq!(go_on, 100, "the content is not here yet");
    stream.write_all(b"body").expect("the server reads");
    let first = read_answer(stream, false).expect("an answer").json();
    let (status, _) = announce(&server, b"body", "k");
    assert_eq!(status, 201, "the same arrival, without its body");
    assert_eq!(server.count(), 1);
    let (status, _) = announce(&server, b"body", "k2");
    assert_eq!((status, server.count()), (201, 2));
    assert_eq!(first["outcome"], "stored");
}

#[test]
fn items_are_found_by_either_digest_and_not_by_another() {
    let server = start(|_| {});
    server.put(b"x", &[]);
    server.put(b"x", &[]);
    let item = server.put(b"y", &[]).json();
    let count =
        |digest: &str| server.get(&format!("/v1/items?digest={digest}")).json()["items"].as_array().map(Vec::len);
    for name in ["blake3", "sha256"] {
        assert_eq!(count(item["sample"][name].as_str().expect("a digest")), Some(1), "{name}");
    }
    let sha256_of_x = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881";
    assert_eq!(count(sha256_of_x), Some(2));
    assert_eq!(count(&sha256_of_x.to_uppercase()), Some(2), "digests are often written in capitals");
    assert_eq!(count(&"0".repeat(64)), Some(0));
    assert_eq!(server.get(&format!("/v1/items/count?digest={sha256_of_x}")).json()["count"], 2);
    for wrong in ["2d71", &"g".repeat(64), &"0".repeat(65)] {
        assert_eq!(server.get(&format!("/v1/items?digest={wrong}")).status, 400, "{wrong}");
    }
}
