//! Very many items on one sample change status together, and intake goes on meanwhile.
#![allow(clippy::print_stdout, reason = "how long a run took is worth a line")]

mod support;

use model::wire::{ClientFrame, Decoder, ServerFrame, Step, Token};
use model::{Arrival, Blake3};
use serde_json::json;
use std::io::{Read as _, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use support::sets::{finds, scanning};
use support::{Server, connect};

/// What one sample brings in an outbreak; `LAZARET_ITEMS` asks for another number.
const ITEMS: u64 = 100_000;
/// For the largest crowd that somebody asks for.
const DEADLINE: Duration = Duration::from_secs(600);
/// Arrivals that are acked while the crowd moves, at least: intake that stalls acks one or two.
const ACKS_MIN: u64 = 20;

const SHARED: &[u8] = b"a text with a bear, which very many have";

/// Makes items of known content, as many as the server lets be in flight at a time.
fn claim(server: &Server, count: u64) {
    let mut stream = connect(server.intake);
    let mut decoder: Decoder<ServerFrame> = Decoder::new();
    let (mut asked, mut acked, mut window) = (0, 0, 0);
    let mut out = Vec::new();
    let hello = ClientFrame::Hello { token: Token(String::new()), client: "gateway".to_owned(), epoch: 1 };
    hello.encode(&mut out).expect("a valid frame");
    let mut bytes = vec![0; 64 << 10];
    while acked < count {
        while asked < count && asked - acked < window {
            let arrival = Arrival { name: format!("C:\\many\\{asked}"), ..Arrival::default() };
            let blake3 = Blake3(*blake3::hash(SHARED).as_bytes());
            let offer = ClientFrame::Offer { request: asked, blake3, raw_bytes: SHARED.len() as u64, arrival };
            offer.encode(&mut out).expect("a valid frame");
            asked += 1;
        }
        stream.write_all(&out).expect("the server reads");
        out.clear();
        let read = stream.read(&mut bytes).expect("the server answers");
        assert!(read > 0, "the server closed after {acked} acks");
        let mut input = &bytes[..read];
        while !input.is_empty() {
            match decoder.step(&mut input).expect("the server speaks the protocol") {
                Step::Frame(ServerFrame::Welcome(welcome)) => window = u64::from(welcome.window),
                Step::Frame(ServerFrame::Acks(acks)) => acked += acks.len() as u64,
                Step::Frame(ServerFrame::Credit { .. }) | Step::More => {}
                other => panic!("an offer of known content is acked: {other:?}"),
            }
        }
    }
}

fn in_status(server: &Server, status: &str) -> u64 {
    server.get(&format!("/v1/items/count?client=gateway&status={status}")).json()["count"].as_u64().expect("a count")
}

/// Waits until the whole crowd has this status; how long that took.
fn all(server: &Server, status: &str, count: u64) -> Duration {
    let began = Instant::now();
    loop {
        let now = in_status(server, status);
        if now == count {
            return began.elapsed();
        }
        assert!(began.elapsed() < DEADLINE, "{now} of {count} are {status}: {}", server.get("/v1/status").json());
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn very_many_items_of_one_sample_move_together_while_others_arrive() {
    let count = std::env::var("LAZARET_ITEMS").ok().and_then(|text| text.parse().ok()).unwrap_or(ITEMS);
    let server = scanning(|_| {});
    let wolf = finds("Test.Wolf", "with a wolf");
    server.install_ndb(1, &wolf);
    server.store(SHARED);
    let began = Instant::now();
    claim(&server, count);
    println!("{count} items claimed in {:?}", began.elapsed());
    println!("all Held {:?} later", all(&server, "Held", count));

    // Others arrive from before the set is installed until the last of the crowd has moved.
    let moved = AtomicBool::new(false);
    let (arrived, took) = std::thread::scope(|scope| {
        let others = scope.spawn(|| {
            let mut arrived = Vec::new();
            while !moved.load(Ordering::Acquire) {
                let text = format!("another text with a wolf, number {}", arrived.len());
                let answer = server.put(text.as_bytes(), &[("X-Client", "other")]);
                assert_eq!(answer.status, 201, "while the crowd moves: {answer:?}");
                arrived.push((answer.json()["id"].as_u64().expect("an id"), in_status(&server, "Available")));
            }
            arrived
        });
        server.install_ndb(2, &format!("{wolf}{}", finds("Test.Bear", "with a bear")));
        let took = all(&server, "Available", count);
        moved.store(true, Ordering::Release);
        (others.join().expect("no panic"), took)
    });
    // Between the first item of the crowd that moved and the last.
    let while_moving = arrived.iter().filter(|(_, moved)| *moved > 0 && *moved < count).count();
    println!("all Available {took:?} later; {} others acked, {while_moving} while the crowd moved", arrived.len());
    assert!(arrived.len() as u64 >= ACKS_MIN, "{} others were acked", arrived.len());
    assert!(while_moving > 0, "intake stood still for {took:?}");
    let (last, _) = arrived.last().expect("some arrived");
    server.item_when(*last, "Available");
    server.eventually("all of them counted as held for delivery", || {
        let alert = server.alert("held_for_delivery");
        (alert["count"] == json!(count + 1 + arrived.len() as u64)).then_some(())
    });
    // One sample was scanned once for all of them.
    assert!(server.figure("lazaret_scan_samples_total") <= 2.0 * (arrived.len() as f64 + 1.0));
}
