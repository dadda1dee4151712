//! The server is killed while clients forward, and started again.

use super::corpus;
use super::stage::{Parcel, Stage};
use crate::cli::Failure;
use crate::config::amount::{grouped, short_span};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// Files on their way when the server dies.
const FILES: u64 = 1200;
/// The kill comes after this many acks: in the middle.
const ACKS_BEFORE: usize = 150;
/// Connections.
const CLIENTS: usize = 8;
/// That many acks take far less.
const DEADLINE: Duration = Duration::from_secs(30);

/// The step.
///
/// # Errors
/// A check does not hold.
pub fn run(stage: &mut Stage) -> Result<(), Failure> {
    let items_before = stage.count()?;
    let parcels: Vec<Parcel> = (0..FILES)
        .map(|at| Parcel {
            client: format!("desk-{:04}", at % 97),
            name: format!("C:\\Temp\\outbreak-{at}.dll"),
            content: corpus::file(2_000_000 + at),
            key: format!("crash-{at}"),
        })
        .collect();
    let (acks, pid) = kill_amid(stage, &parcels)?;
    stage.narrator.command(&format!("kill -9 {pid}"))?;
    stage.narrator.tell(&format!(
        "{} of {} files were acked before the server died",
        grouped(acks.len() as u64),
        grouped(FILES)
    ))?;
    stage.start()?;
    let ready = stage.server()?.ready_after;
    let mut lost = 0_u64;
    let client = stage.client()?;
    for (item, digest, bytes) in &acks {
        let found = stage.wait(async { client.get(&format!("/v1/items/{item}"), &[]).await });
        let same = found.is_ok_and(|found| {
            found.pointer("/sample/blake3").and_then(serde_json::Value::as_str) == Some(&digest.to_string())
        });
        lost += u64::from(!same);
        stage.truth.acked(*item, *digest, *bytes);
    }
    stage.narrator.check(
        lost == 0 && !acks.is_empty(),
        &format!("ready again after {}; {lost} of {} acked items lost", short_span(ready), grouped(acks.len() as u64)),
    )?;
    // Clients that got no answer send again under the same key.
    let (acked, failure) = stage.forward(&client, parcels, CLIENTS);
    if let Some(failure) = failure {
        return Err(failure);
    }
    let distinct: std::collections::BTreeSet<u64> = acked.iter().map(|ack| ack.item).collect();
    for ack in &acked {
        stage.truth.acked(ack.item, ack.digest, ack.bytes);
    }
    let same = acks.iter().all(|(item, _, _)| distinct.contains(item));
    let items = stage.count()? - items_before;
    stage.narrator.check(
        same && distinct.len() as u64 == FILES && items == FILES,
        &format!("all {} sent again with their keys: {} items, none twice", grouped(FILES), grouped(items)),
    )
}

/// Item, digest and bytes of an ack.
type Ack = (u64, model::Blake3, u64);

/// Forwards until the server is killed in the middle; gives what was acked and which process died.
fn kill_amid(stage: &mut Stage, parcels: &[Parcel]) -> Result<(Vec<Ack>, u32), Failure> {
    let client = stage.client()?;
    let server = stage.server.take().ok_or_else(|| Failure::No("no server is running".to_owned()))?;
    let pid = server.pid();
    let forwarded = stage.forward_while(&client, parcels.to_vec(), CLIENTS, |acked| {
        let started = Instant::now();
        while acked.load(Ordering::Acquire) < ACKS_BEFORE && started.elapsed() < DEADLINE {
            std::thread::yield_now();
        }
        server.kill()
    })?;
    Ok((forwarded.into_iter().map(|ack| (ack.item, ack.digest, ack.bytes)).collect(), pid))
}
