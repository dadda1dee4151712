//! Hostile HTTP on raw sockets: each gets a clear answer or a closed connection, and the server goes on.

mod support;

use server::daemon::Limits;
use std::io::{Read as _, Write as _};
use std::time::Duration;
use support::{Server, connect, read_answer, start};

fn impatient() -> Server {
    start(|options| {
        options.limits = Limits {
            header_timeout: Duration::from_millis(300),
            body_idle: Duration::from_millis(300),
            body_grace: Duration::from_millis(300),
            drain: Duration::from_secs(5),
            ..Limits::default()
        };
    })
}

fn still_works(server: &Server) {
    assert_eq!(server.put(b"an honest sample", &[]).status, 201);
}

#[test]
fn a_head_that_is_too_large_is_refused() {
    let server = start(|_| {});
    let mut request = b"GET /v1/items HTTP/1.1\r\nhost: t\r\nx-long: ".to_vec();
    request.resize(request.len() + (40 << 10), b'a');
    request.extend_from_slice(b"\r\n\r\n");
    assert_eq!(server.raw(&request).expect("an answer").status, 431);
    let mut request = b"GET /v1/items HTTP/1.1\r\nhost: t\r\n".to_vec();
    for number in 0..200 {
        request.extend_from_slice(format!("x-{number}: 1\r\n").as_bytes());
    }
    request.extend_from_slice(b"\r\n");
    assert_eq!(server.raw(&request).expect("an answer").status, 431);
    still_works(&server);
}

#[test]
fn a_head_that_arrives_byte_by_byte_is_cut_off() {
    let server = impatient();
    let mut stream = connect(server.http);
    stream.write_all(b"GET / HT").expect("the server reads");
    let answer = read_answer(stream, false).expect("an answer");
    assert_eq!((answer.status, answer.problem().as_str()), (408, "slow-head"));
}

#[test]
fn a_body_that_stops_is_cut_off_and_leaves_nothing_behind() {
    let server = impatient();
    let mut stream = connect(server.http);
    stream
        .write_all(b"PUT /v1/samples HTTP/1.1\r\nhost: t\r\ncontent-length: 100\r\n\r\nonly this")
        .expect("the server reads");
    let answer = read_answer(stream, false).expect("an answer");
    assert_eq!((answer.status, answer.problem().as_str()), (408, "slow-body"));
    assert_eq!(server.count(), 0);
    assert_eq!(server.get("/v1/quota").json()["reserved_bytes"], 0, "the permit came back");
}

#[test]
fn a_body_that_trickles_is_cut_off() {
    let server = impatient();
    let mut stream = connect(server.http);
    stream
        .write_all(b"PUT /v1/samples HTTP/1.1\r\nhost: t\r\ncontent-length: 100000\r\n\r\n")
        .expect("the server reads");
    let reader = stream.try_clone().expect("a second handle");
    // Writes until the server has had enough; the pause is the attack, not a wait for anything.
    let trickle = std::thread::spawn(move || {
        for _ in 0..1000 {
            if stream.write_all(b"x").is_err() {
                break;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    });
    let answer = read_answer(reader, false).expect("an answer");
    assert_eq!((answer.status, answer.problem().as_str()), (408, "slow-body"));
    trickle.join().expect("the trickle ends");
}

#[test]
fn a_body_shorter_than_its_length_is_not_stored() {
    let server = start(|_| {});
    let mut stream = connect(server.http);
    stream
        .write_all(b"PUT /v1/samples HTTP/1.1\r\nhost: t\r\ncontent-length: 100\r\n\r\nonly this")
        .expect("the server reads");
    drop(stream);
    still_works(&server);
    assert_eq!(server.count(), 1, "the honest one only");
}

#[test]
fn lengths_that_contradict_each_other_are_refused() {
    let server = start(|_| {});
    let put = "PUT /v1/samples HTTP/1.1\r\nhost: t\r\n";
    for lengths in [
        "content-length: 3\r\ncontent-length: 4\r\n",
        "content-length: -3\r\n",
        "content-length: 99999999999999999999999\r\n",
        "content-length: 0x3\r\n",
        "transfer-encoding: gzip\r\n",
        "transfer-encoding: chunked, gzip\r\n",
    ] {
        let answer = server.raw(format!("{put}{lengths}\r\nabcd").as_bytes()).expect("an answer");
        assert_eq!(answer.status, 400, "{lengths:?}: {answer:?}");
    }
    let chunk = format!("{put}transfer-encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n");
    assert_eq!(server.raw(chunk.as_bytes()).expect("an answer").status, 400);
    assert_eq!(server.count(), 0);
    still_works(&server);
}

#[test]
fn a_chunked_body_with_a_length_is_refused_and_what_follows_it_is_no_request() {
    let server = start(|_| {});
    let (length, encoding) = ("content-length: 6\r\n", "Transfer-Encoding: chunked\r\n");
    for lengths in [format!("{length}{encoding}"), format!("{encoding}{length}")] {
        // By its chunks the body ends before the second request, by its length it does not.
        let request = format!(
            "PUT /v1/samples HTTP/1.1\r\nhost: t\r\n{lengths}\r\n0\r\n\r\n\
             PUT /v1/samples HTTP/1.1\r\nhost: t\r\ncontent-length: 3\r\n\r\nabc"
        );
        let mut stream = connect(server.http);
        stream.write_all(request.as_bytes()).expect("the server reads");
        let answer = read_answer(&stream, false).expect("an answer");
        assert_eq!((answer.status, answer.header("connection")), (400, Some("close")), "{lengths:?}");
        assert!(String::from_utf8_lossy(&answer.body).contains("transfer-encoding"), "{answer:?}");
        assert!(read_answer(&stream, false).is_none(), "the connection ends");
    }
    assert_eq!(server.count(), 0);
    // The second request of a connection is looked at as well.
    let mut stream = connect(server.http);
    for (lengths, status) in
        [("content-length: 3\r\n", 201), ("content-length: 3\r\ntransfer-encoding: chunked\r\n", 400)]
    {
        let request = format!("PUT /v1/samples HTTP/1.1\r\nhost: t\r\n{lengths}\r\nabc");
        stream.write_all(request.as_bytes()).expect("the server reads");
        assert_eq!(read_answer(&stream, false).expect("an answer").status, status);
    }
}

#[test]
fn an_oversize_length_is_refused_without_reading_and_an_endless_body_is_cut() {
    let server = start(|options| options.store.sample_bytes_max = 1 << 20);
    let refused = server.raw(b"PUT /v1/samples HTTP/1.1\r\nhost: t\r\ncontent-length: 18446744073709551614\r\n\r\n");
    let refused = refused.expect("an answer");
    assert!([400, 413, 431].contains(&refused.status), "{refused:?}");
    let mut stream = connect(server.http);
    stream
        .write_all(b"PUT /v1/samples HTTP/1.1\r\nhost: t\r\ntransfer-encoding: chunked\r\n\r\n")
        .expect("the server reads");
    let reader = stream.try_clone().expect("a second handle");
    let endless = std::thread::spawn(move || {
        let chunk = [b"10000\r\n".as_slice(), &[7; 0x10000], b"\r\n"].concat();
        while stream.write_all(&chunk).is_ok() {}
    });
    let answer = read_answer(reader, false).expect("an answer");
    assert_eq!((answer.status, answer.problem().as_str()), (413, "too_large"));
    endless.join().expect("the sender ends");
    assert_eq!(server.count(), 0);
}

#[test]
fn random_bytes_are_answered_or_closed() {
    let server = start(|_| {});
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    for _ in 0..50 {
        let mut bytes = vec![0; 500];
        for byte in &mut bytes {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            *byte = state as u8;
        }
        bytes.extend_from_slice(b"\r\n\r\n");
        let mut stream = connect(server.http);
        // The server may close before it has read everything.
        let _ = stream.write_all(&bytes);
        let mut answer = Vec::new();
        let _ = stream.take(4096).read_to_end(&mut answer);
        assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 4"), "{:?}", String::from_utf8_lossy(&answer));
    }
    still_works(&server);
}

#[test]
fn one_connection_too_many_is_told_so() {
    let server = start(|options| options.limits.http_connections_max = 1);
    let mut first = connect(server.http);
    first.write_all(b"GET /healthz HTTP/1.1\r\nhost: t\r\n\r\n").expect("the server reads");
    assert_eq!(read_answer(&first, false).expect("an answer").status, 200);
    let second = connect(server.http);
    assert_eq!(read_answer(second, false).expect("an answer").status, 503);
}
