//! The fake's native intake, over any stream.

use super::house::{House, Made};
use model::wire::{Ack, ClientFrame, Decoder, Outcome, RefusedCode, ServerFrame, Step, Welcome};
use model::{Blake3, ItemId};
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, sleep_until};

const CREDIT: u64 = 256 * 1024;

struct Put {
    request: u64,
    body: Vec<u8>,
}

/// Serves one connection; ends when the client does.
pub async fn serve<S: AsyncRead + AsyncWrite + Unpin>(house: Arc<House>, mut stream: S) {
    let began = Instant::now();
    let mut decoder = Decoder::<ClientFrame>::new();
    let mut series = String::new();
    let mut put: Option<Put> = None;
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(bytes @ 1..) = stream.read(&mut buffer).await {
        if let Some((from, length)) = house.lies.stall {
            let now = Instant::now();
            if (began + from..began + from + length).contains(&now) {
                sleep_until(began + from + length).await;
            }
        }
        let mut input = &buffer[..bytes];
        let mut out = Vec::new();
        while !input.is_empty() {
            let frame = match decoder.step(&mut input).expect("a client of ours speaks the protocol") {
                Step::More => None,
                Step::Body(_) => {
                    let taken = decoder.take_body(&mut input);
                    ServerFrame::Credit { bytes: taken.len() as u64 }.encode(&mut out);
                    put.as_mut().expect("a body follows a put").body.extend_from_slice(taken);
                    None
                }
                Step::Frame(frame) => Some(frame),
            };
            match frame {
                Some(ClientFrame::Hello { client, epoch, .. }) => {
                    series = format!("{client} {epoch}");
                    let welcome = Welcome { sample_bytes_max: 1 << 30, credit_bytes: CREDIT, window: 16 };
                    ServerFrame::Welcome(welcome).encode(&mut out);
                }
                Some(ClientFrame::Offer { request, blake3, raw_bytes, .. }) => {
                    if house.knows(&blake3.0) {
                        let made = house.store(format!("{series} {request}"), blake3.0, None);
                        if !answer(&house, request, made, &mut out) {
                            return;
                        }
                    } else if !house.lies.refuse_late && !house.reserve(format!("{series} {request}"), raw_bytes) {
                        refuse(request, &mut out);
                    } else {
                        ServerFrame::Want(vec![request]).encode(&mut out);
                    }
                }
                Some(ClientFrame::Put { request, .. }) => put = Some(Put { request, body: Vec::new() }),
                Some(ClientFrame::Ping { nonce }) => ServerFrame::Pong { nonce }.encode(&mut out),
                Some(ClientFrame::Bye) => return,
                None => {}
            }
            if decoder.body_left() == 0
                && let Some(Put { request, body }) = put.take()
            {
                let digest = Blake3(*blake3::hash(&body).as_bytes());
                let made = house.store(format!("{series} {request}"), digest.0, Some(body));
                if !answer(&house, request, made, &mut out) {
                    return;
                }
            }
        }
        if stream.write_all(&out).await.is_err() {
            return;
        }
    }
}

/// Answers one request; false when the connection is to break instead.
fn answer(house: &House, request: u64, made: Option<Made>, out: &mut Vec<u8>) -> bool {
    let Some(made) = made else {
        refuse(request, out);
        return true;
    };
    let nth = Some(made.nth).filter(|_| made.outcome != "repeated");
    if nth.is_some() && nth == house.lies.break_at {
        return false;
    }
    if nth.is_some() && nth == house.lies.withhold {
        return true;
    }
    let outcome = Outcome::ALL.iter().copied().find(|outcome| outcome.word() == made.outcome).unwrap();
    let ack = Ack { request, outcome, item: ItemId(made.item), blake3: None };
    let times = if nth.is_some() && nth == house.lies.ack_twice { 2 } else { 1 };
    ServerFrame::Acks(vec![ack; times]).encode(out);
    true
}

fn refuse(request: u64, out: &mut Vec<u8>) {
    let text = "the fake house is full".to_owned();
    ServerFrame::Refused { request, code: RefusedCode::FullBytes, retry_after_ms: 0, text }.encode(out);
}
