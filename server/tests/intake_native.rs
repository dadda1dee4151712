//! The native protocol on real sockets: honest clients, hostile ones, and the drain.

mod support;

use model::wire::{Ack, ClientFrame, Decoder, FaultCode, Outcome, RefusedCode, ServerFrame, Step, Token, Welcome};
use model::{Arrival, Blake3};
use server::daemon::{Limits, Role};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;
use support::{Server, connect, start, token};

/// A client that says what it is told to say.
struct Client {
    stream: TcpStream,
    decoder: Decoder<ServerFrame>,
    input: Vec<u8>,
}

impl Client {
    fn connect(server: &Server) -> Self {
        Self { stream: connect(server.intake), decoder: Decoder::new(), input: Vec::new() }
    }

    /// Says hello and returns the welcome.
    fn welcomed(server: &Server, token: &str, client: &str) -> (Self, Welcome) {
        let mut this = Self::connect(server);
        this.say(&ClientFrame::Hello { token: Token(token.to_owned()), client: client.to_owned(), epoch: 1 });
        match this.next() {
            Some(ServerFrame::Welcome(welcome)) => (this, welcome),
            other => panic!("no welcome: {other:?}"),
        }
    }

    fn say(&mut self, frame: &ClientFrame) {
        let mut bytes = Vec::new();
        frame.encode(&mut bytes).expect("a valid frame");
        self.send(&bytes);
    }

    fn send(&mut self, bytes: &[u8]) {
        // The server may have closed already; the next answer shows it.
        let _ = self.stream.write_all(bytes);
    }

    fn put(&mut self, request: u64, body: &[u8], expected: Option<Blake3>) {
        let raw_bytes = body.len() as u64;
        self.say(&ClientFrame::Put { request, raw_bytes, expected, arrival: Arrival::default() });
        self.send(body);
    }

    fn offer(&mut self, request: u64, body: &[u8]) {
        let arrival = Arrival { name: "offered".to_owned(), ..Arrival::default() };
        self.say(&ClientFrame::Offer { request, blake3: digest(body), raw_bytes: body.len() as u64, arrival });
    }

    /// The next frame but credits; `None` when the server closed.
    fn next(&mut self) -> Option<ServerFrame> {
        loop {
            let mut input = self.input.as_slice();
            let step = self.decoder.step(&mut input).expect("the server speaks the protocol");
            let taken = self.input.len() - input.len();
            self.input.drain(..taken);
            match step {
                Step::Frame(ServerFrame::Credit { .. }) => {}
                Step::Frame(frame) => return Some(frame),
                Step::Body(_) => panic!("a server sends no body"),
                Step::More => {
                    let mut bytes = [0; 4096];
                    let read = self.stream.read(&mut bytes).ok().filter(|read| *read > 0)?;
                    self.input.extend_from_slice(&bytes[..read]);
                }
            }
        }
    }

    fn ack(&mut self) -> Ack {
        match self.next() {
            Some(ServerFrame::Acks(acks)) if acks.len() == 1 => acks[0],
            other => panic!("no single ack: {other:?}"),
        }
    }

    fn fault(&mut self) -> FaultCode {
        loop {
            match self.next() {
                Some(ServerFrame::Fault { code, .. }) => return code,
                Some(ServerFrame::Acks(_) | ServerFrame::Refused { .. } | ServerFrame::Welcome(_)) => {}
                other => panic!("no fault: {other:?}"),
            }
        }
    }

    fn ended(&mut self) {
        assert_eq!(self.next(), None, "the server closes");
    }
}

fn digest(body: &[u8]) -> Blake3 {
    Blake3(*blake3::hash(body).as_bytes())
}

#[test]
fn a_put_is_acked_and_an_offer_of_it_costs_no_bytes() {
    let server = start(|_| {});
    let (mut client, welcome) = Client::welcomed(&server, "", "gateway");
    assert_eq!(welcome.sample_bytes_max, 1 << 30);
    client.offer(1, b"sample");
    assert_eq!(client.next(), Some(ServerFrame::Want(vec![1])));
    client.put(1, b"sample", None);
    let ack = client.ack();
    assert_eq!((ack.request, ack.outcome, ack.blake3), (1, Outcome::Stored, Some(digest(b"sample"))));
    client.offer(2, b"sample");
    let ack = client.ack();
    assert_eq!((ack.request, ack.outcome, ack.blake3), (2, Outcome::Duplicate, None));
    client.put(3, b"", None);
    assert_eq!(client.ack().outcome, Outcome::Stored);
    client.say(&ClientFrame::Ping { nonce: 9 });
    assert_eq!(client.next(), Some(ServerFrame::Pong { nonce: 9 }));
    client.say(&ClientFrame::Bye);
    client.ended();
    let item = server.get(&format!("/v1/items/{}", ack.item)).json();
    assert_eq!(
        (&item["client"], &item["name"], &item["content"]),
        (&"gateway".into(), &"offered".into(), &"claimed".into())
    );
}

#[test]
fn the_same_request_after_a_reconnect_is_the_same_item() {
    let server = start(|_| {});
    let (mut first, _) = Client::welcomed(&server, "", "pc");
    first.put(7, b"sample", None);
    let stored = first.ack();
    let (mut second, _) = Client::welcomed(&server, "", "pc");
    second.put(7, b"sample", None);
    let repeated = second.ack();
    assert_eq!((repeated.item, repeated.outcome), (stored.item, Outcome::Repeated));
    assert_eq!(server.count(), 1);
}

#[test]
fn many_requests_in_flight_are_all_answered_once() {
    let server = start(|_| {});
    let (mut client, welcome) = Client::welcomed(&server, "", "gateway");
    let count = u64::from(welcome.window);
    for request in 0..count {
        client.put(request, &request.to_le_bytes(), None);
    }
    let mut answered = Vec::new();
    while answered.len() < count as usize {
        match client.next() {
            Some(ServerFrame::Acks(acks)) => answered.extend(acks.iter().map(|ack| ack.request)),
            other => panic!("no acks: {other:?}"),
        }
    }
    answered.sort_unstable();
    assert!(answered.into_iter().eq(0..count));
    assert_eq!(server.count(), count);
}

#[test]
fn a_large_body_streams_through_a_small_credit() {
    let server = start(|_| {});
    let (mut client, welcome) = Client::welcomed(&server, "", "gateway");
    let body: Vec<u8> = (0..10u32 << 20).map(|at| (at.wrapping_mul(2_654_435_761) >> 11) as u8).collect();
    let (credit, length) = (welcome.credit_bytes as usize, body.len() as u64);
    assert!(credit < body.len(), "the test needs more than the first credit");
    client.say(&ClientFrame::Put { request: 1, raw_bytes: length, expected: None, arrival: Arrival::default() });
    let (mut sent, mut allowed) = (0, credit);
    while sent < body.len() {
        let now = (allowed - sent).min(body.len() - sent).min(256 << 10);
        client.send(&body[sent..sent + now]);
        sent += now;
        while sent == allowed && sent < body.len() {
            let mut bytes = [0; 4096];
            let read = client.stream.read(&mut bytes).expect("credit comes");
            client.input.extend_from_slice(&bytes[..read]);
            let mut input = client.input.as_slice();
            while let Ok(Step::Frame(ServerFrame::Credit { bytes })) = client.decoder.step(&mut input) {
                allowed += bytes as usize;
            }
            client.input = input.to_vec();
        }
    }
    let ack = client.ack();
    assert_eq!((ack.outcome, ack.blake3), (Outcome::Stored, Some(digest(&body))));
    client.put(2, b"in step", Some(digest(b"in step")));
    assert_eq!(client.ack().request, 2);
}

#[test]
fn a_refused_put_leaves_the_stream_in_step() {
    let server = start(|options| options.store.max_bytes = 8 << 20);
    let (mut client, _) = Client::welcomed(&server, "", "gateway");
    client.put(1, b"body", Some(digest(b"another body")));
    let Some(ServerFrame::Refused { request: 1, code, .. }) = client.next() else { panic!("not refused") };
    assert_eq!(code, RefusedCode::DigestMismatch);
    client.put(2, b"small", None);
    assert_eq!(client.ack().request, 2);
    client.offer(4, b"unseen");
    assert_eq!(client.next(), Some(ServerFrame::Want(vec![4])));
}

#[test]
fn an_unseen_offer_that_would_not_fit_is_refused_before_its_bytes_are_sent() {
    let server = start(|options| options.store.max_bytes = 8 << 20);
    let (mut client, _) = Client::welcomed(&server, "", "gateway");
    let raw_bytes = 9_000_000;
    client.say(&ClientFrame::Offer { request: 1, blake3: Blake3([9; 32]), raw_bytes, arrival: Arrival::default() });
    let Some(ServerFrame::Refused { request: 1, code, .. }) = client.next() else { panic!("not refused") };
    assert_eq!(code, RefusedCode::FullBytes);
}

#[test]
fn a_token_decides_who_may_speak_and_who_may_claim() {
    let server = start(|options| {
        options.tokens =
            vec![token("forwarder", Role::Forwarder), token("operator", Role::Operator), token("viewer", Role::Viewer)];
    });
    for shown in ["", "nobody", "viewer"] {
        let mut client = Client::connect(&server);
        client.say(&ClientFrame::Hello { token: Token(shown.to_owned()), client: "x".to_owned(), epoch: 1 });
        assert_eq!(client.fault(), FaultCode::Unauthorised, "{shown}");
        client.ended();
    }
    let (mut forwarder, _) = Client::welcomed(&server, "forwarder", "");
    forwarder.put(1, b"sample", None);
    assert_eq!(forwarder.ack().outcome, Outcome::Stored);
    forwarder.offer(2, b"sample");
    assert_eq!(forwarder.ack().outcome, Outcome::Duplicate);
    let (mut operator, _) = Client::welcomed(&server, "operator", "");
    operator.offer(1, b"sample");
    assert_eq!(operator.next(), Some(ServerFrame::Want(vec![1])));
}

#[test]
fn a_stream_out_of_turn_or_out_of_bounds_ends_with_a_fault() {
    let server = start(|options| options.store.sample_bytes_max = 1000);
    let cases: Vec<(&str, Vec<u8>, FaultCode)> = vec![
        ("garbage", vec![0xff; 64], FaultCode::Malformed),
        ("http", b"GET / HTTP/1.1\r\n\r\n".to_vec(), FaultCode::Malformed),
        ("another version", hello_of_version(9), FaultCode::Version),
        ("no hello", encoded(&[ClientFrame::Ping { nonce: 1 }]), FaultCode::Malformed),
        ("two hellos", encoded(&[hello(), hello()]), FaultCode::Malformed),
        ("over the limit", encoded(&[hello(), endless_put()]), FaultCode::Malformed),
    ];
    for (what, bytes, expected) in cases {
        let mut client = Client::connect(&server);
        client.send(&bytes);
        assert_eq!(client.fault(), expected, "{what}");
        client.ended();
    }
    let (mut honest, _) = Client::welcomed(&server, "", "pc");
    honest.put(1, b"sample", None);
    assert_eq!(honest.ack().outcome, Outcome::Stored);
    assert_eq!(server.count(), 1);
}

fn hello() -> ClientFrame {
    ClientFrame::Hello { token: Token::default(), client: "x".to_owned(), epoch: 1 }
}

fn endless_put() -> ClientFrame {
    ClientFrame::Put { request: 1, raw_bytes: u64::MAX, expected: None, arrival: Arrival::default() }
}

fn encoded(frames: &[ClientFrame]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for frame in frames {
        frame.encode(&mut bytes).expect("a valid frame");
    }
    bytes
}

/// Header, magic, then the version.
fn hello_of_version(version: u16) -> Vec<u8> {
    let mut bytes = encoded(&[hello()]);
    bytes[13..15].copy_from_slice(&version.to_le_bytes());
    bytes
}

#[test]
fn one_connection_too_many_is_told_so() {
    let server = start(|options| options.limits.intake_connections_max = 1);
    let (_first, _) = Client::welcomed(&server, "", "pc");
    let mut second = Client::connect(&server);
    assert_eq!(second.fault(), FaultCode::TooMany);
    second.ended();
}

#[test]
fn random_bytes_end_with_a_fault_and_store_nothing() {
    let server = start(|_| {});
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for round in 0..40 {
        let mut client = Client::connect(&server);
        // Half of them begin as an honest client does.
        let mut bytes = if round % 2 == 0 { Vec::new() } else { encoded(&[hello()]) };
        for _ in 0..2000 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            bytes.push(state as u8);
        }
        client.send(&bytes);
        assert_eq!(client.fault(), FaultCode::Malformed, "round {round}");
        client.ended();
    }
    assert_eq!(server.count(), 0);
}

#[test]
fn a_silent_client_is_let_go() {
    let server = start(|options| {
        options.limits = Limits {
            intake_idle: Duration::from_millis(200),
            body_idle: Duration::from_millis(200),
            header_timeout: Duration::from_millis(200),
            ..Limits::default()
        };
    });
    let mut mute = Client::connect(&server);
    assert_eq!(mute.fault(), FaultCode::Idle);
    let (mut idle, _) = Client::welcomed(&server, "", "pc");
    assert_eq!(idle.fault(), FaultCode::Idle);
    let (mut stopped, _) = Client::welcomed(&server, "", "pc");
    stopped.say(&ClientFrame::Put { request: 1, raw_bytes: 10, expected: None, arrival: Arrival::default() });
    stopped.send(b"half");
    assert_eq!(stopped.fault(), FaultCode::Idle);
    assert_eq!(server.count(), 0);
    assert_eq!(server.get("/v1/quota").json()["reserved_bytes"], 0, "the permits came back");
}

#[test]
fn a_drain_answers_what_is_open_and_says_goodbye() {
    let mut server = start(|_| {});
    let (mut client, _) = Client::welcomed(&server, "", "pc");
    client.put(1, b"before the drain", None);
    let first = client.ack();
    let daemon = server.daemon.take().expect("running");
    let stopping = std::thread::spawn(move || daemon.stop());
    assert_eq!(client.fault(), FaultCode::Stopped);
    client.ended();
    stopping.join().expect("no panic").expect("the daemon stops");
    let data = server.data.path().join("data");
    let again = start(|options| options.data = data);
    assert_eq!(again.get(&format!("/v1/items/{}", first.item)).status, 200);
}
