//! A second, tiny quarantine is filled to the brim.

use super::child::Server;
use super::corpus;
use super::stage::{Parcel, Stage, write};
use crate::cli::client::Client;
use crate::cli::{Failure, quota};
use crate::config::amount::grouped;
use reqwest::Method;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// Samples that the tiny quarantine holds.
const SAMPLES: u64 = 8;
/// Body that the refused sender announces and never gets to send.
const ANNOUNCED_BYTES: u64 = 1 << 20;
/// A refusal takes no disk and no body, so it comes at once.
const DEADLINE: Duration = Duration::from_secs(10);
/// Between two looks whether a deleted sample's place is free.
const LOOK_INTERVAL: Duration = Duration::from_millis(10);

/// The step.
///
/// # Errors
/// A check does not hold.
pub fn run(stage: &mut Stage) -> Result<(), Failure> {
    let config = stage.scratch.join("tiny.toml");
    let text = format!("[general]\nmax_samples = {SAMPLES}\nfull = \"strict\"\n");
    write(&config, text.as_bytes())?;
    let folder = stage.scratch.join("tiny");
    let server = Server::start(&folder, Some(&config), &stage.scratch.join("tiny.log"))?;
    stage.narrator.tell(&format!("a second quarantine with max_samples = {SAMPLES}, full = \"strict\""))?;
    let client = Client::new(&server.url(), None, None)?;
    let parcel = |at: u64| Parcel {
        client: "desk-0001".to_owned(),
        name: format!("flood-{at}"),
        content: corpus::file(1_000_000 + at),
        key: format!("flood-{at}"),
    };
    let (acks, failure) = stage.forward(&client, (0..SAMPLES).map(parcel).collect(), 4);
    if let Some(failure) = failure {
        return Err(failure);
    }
    stage.narrator.check(acks.len() as u64 == SAMPLES, &format!("{SAMPLES} different samples fit"))?;
    let (status, sent) =
        announce(server.http).map_err(|error| Failure::No(format!("the sender was not answered: {error}")))?;
    stage
        .narrator
        .tell(&format!("the next sender announces {} bytes and waits: HTTP {status}", grouped(ANNOUNCED_BYTES)))?;
    stage
        .narrator
        .check(status == 507 && sent == 0, &format!("refused with 507, {sent} bytes of its body were read"))?;
    let (again, failure) = stage.forward(&client, vec![Parcel { key: "known".to_owned(), ..parcel(0) }], 1);
    let known = failure.is_none() && again.iter().all(|ack| ack.outcome == "duplicate");
    stage.narrator.check(known, "a sample that is here already is still taken as an item")?;
    let ids: Vec<u64> = acks
        .iter()
        .chain(&again)
        .filter(|ack| ack.digest == corpus::digest(&parcel(0).content))
        .map(|ack| ack.item)
        .collect();
    let document = json!({"action": "delete", "ids": ids});
    stage.wait(async { client.send(Method::POST, "/v1/items/actions", &document).await })?;
    // A deletion is durable when it is answered; its place is free a moment later, when the content is dropped.
    let asked = Instant::now();
    while asked.elapsed() < DEADLINE {
        let quota = stage.wait(async { client.get("/v1/quota", &[]).await })?;
        if quota.get("used_samples").and_then(Value::as_u64).is_some_and(|used| used < SAMPLES) {
            break;
        }
        std::thread::sleep(LOOK_INTERVAL);
    }
    let (fits, failure) = stage.forward(&client, vec![parcel(SAMPLES)], 1);
    let fits = failure.is_none() && fits.len() == 1;
    stage.narrator.check(fits, "deleting works on a full store, and then the next one fits")?;
    server.stop().map(|_| ())
}

/// Shows the quota of the stage's server as a person would see it.
///
/// # Errors
/// Unreachable or refused.
pub fn show(stage: &Stage) -> Result<(), Failure> {
    stage.narrator.command("lazaret quota")?;
    let document = stage.get("/v1/quota", &[])?;
    for line in quota::lines(&document).iter().take(3) {
        stage.narrator.tell(line)?;
    }
    Ok(())
}

/// Says what it would send and waits for leave; gives the status and the bytes of body that were asked for.
fn announce(server: SocketAddr) -> std::io::Result<(u16, u64)> {
    let mut stream = TcpStream::connect_timeout(&server, DEADLINE)?;
    stream.set_read_timeout(Some(DEADLINE))?;
    let head = format!(
        "PUT /v1/samples HTTP/1.1\r\nHost: {server}\r\nX-Client: desk-0002\r\nContent-Length: {ANNOUNCED_BYTES}\r\n\
         Expect: 100-continue\r\n\r\n"
    );
    stream.write_all(head.as_bytes())?;
    let mut line = Vec::new();
    let mut byte = [0];
    while !line.ends_with(b"\r\n") && line.len() < 256 {
        stream.read_exact(&mut byte)?;
        line.push(byte[0]);
    }
    let line = String::from_utf8_lossy(&line);
    let status = line.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
    // 100 would have asked for the whole body.
    Ok((status, if status == 100 { ANNOUNCED_BYTES } else { 0 }))
}
