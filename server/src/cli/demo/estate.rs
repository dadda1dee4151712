//! Many clients at once, over both doors; some hold the same file, as in an outbreak.

use super::native;
use super::stage::{Parcel, Stage};
use super::{corpus, quota};
use crate::cli::Failure;
use crate::config::amount::{grouped, short_bytes, short_span};
use std::time::Instant;

/// Connections over HTTP.
const HTTP_CLIENTS: usize = 8;
/// Connections over the native protocol.
const NATIVE_CLIENTS: usize = 4;
/// Files over each door.
pub const FILES: u64 = 600;
/// Different files: each fourth arrival is a copy of an earlier one.
const DISTINCT: u64 = FILES * 3 / 4;

/// The step.
///
/// # Errors
/// A check does not hold.
pub fn run(stage: &mut Stage) -> Result<(), Failure> {
    over_http(stage)?;
    over_native(stage)?;
    let (items, samples) = (stage.count()?, stage.quota("used_samples")?);
    let (all, distinct) = (stage.truth.items.len() as u64, stage.truth.samples.len() as u64);
    stage.narrator.check(
        items == all && samples == distinct,
        &format!("{} items acked and listed, {} different samples stored", grouped(items), grouped(samples)),
    )?;
    let (raw, used) = (stage.truth.raw_bytes, stage.quota("used_bytes")?);
    let share = used as f64 * 100.0 / raw as f64;
    stage.narrator.tell(&format!(
        "{} of different samples take {} on disk and in the quota, {share:.0} %, encrypted",
        short_bytes(raw),
        short_bytes(used)
    ))?;
    quota::show(stage)
}

/// File `at` of this door; the doors share half of their files.
pub fn http_file(at: u64) -> u64 {
    at % DISTINCT
}

/// See [`http_file`].
pub fn native_file(at: u64) -> u64 {
    DISTINCT / 2 + at % DISTINCT
}

fn over_http(stage: &mut Stage) -> Result<(), Failure> {
    let parcels: Vec<Parcel> = (0..FILES)
        .map(|at| Parcel {
            client: format!("desk-{:04}", at % 97),
            name: format!("C:\\Users\\user{}\\suspect-{at}.exe", at % 97),
            content: corpus::file(http_file(at)),
            key: format!("http-{at}"),
        })
        .collect();
    let client = stage.client()?;
    let started = Instant::now();
    let (acks, failure) = stage.forward(&client, parcels, HTTP_CLIENTS);
    let elapsed = started.elapsed();
    if let Some(failure) = failure {
        return Err(failure);
    }
    let (mut bytes, mut sent, mut duplicates) = (0, 0, 0);
    for ack in &acks {
        stage.truth.acked(ack.item, ack.digest, ack.bytes);
        bytes += ack.bytes;
        sent += ack.sent;
        duplicates += u64::from(ack.outcome == "duplicate");
    }
    told(stage, "HTTP", acks.len() as u64, duplicates, (bytes, sent), elapsed)
}

fn over_native(stage: &mut Stage) -> Result<(), Failure> {
    let server = stage.server()?.intake;
    let started = Instant::now();
    let threads: Vec<_> = (0..NATIVE_CLIENTS)
        .map(|lane| {
            let parcels: Vec<native::Parcel> = (0..FILES)
                .filter(|at| *at as usize % NATIVE_CLIENTS == lane)
                .map(|at| native_parcel(at, at.is_multiple_of(2)))
                .collect();
            std::thread::spawn(move || {
                let delivered = native::forward(server, &format!("gateway-{lane}"), 1, &parcels);
                delivered.map(|(delivered, sent)| (parcels, delivered, sent))
            })
        })
        .collect();
    let (mut files, mut duplicates, mut bytes, mut sent) = (0, 0, 0, 0);
    for thread in threads {
        let ended = thread.join().map_err(|_| Failure::No("a client of the native protocol ended badly".to_owned()))?;
        let (parcels, delivered, left) = ended.map_err(|error| Failure::No(format!("native protocol: {error}")))?;
        sent += left;
        for one in delivered {
            let parcel = &parcels[one.parcel];
            stage.truth.acked(one.item.0, parcel.digest, parcel.content.len() as u64);
            files += 1;
            bytes += parcel.content.len() as u64;
            duplicates += u64::from(one.outcome == model::wire::Outcome::Duplicate);
        }
    }
    let elapsed = started.elapsed();
    told(stage, "native", files, duplicates, (bytes, sent), elapsed)
}

/// File `at` over the native protocol.
pub fn native_parcel(at: u64, offer_first: bool) -> native::Parcel {
    let content = corpus::file(native_file(at));
    let digest = corpus::digest(&content);
    native::Parcel { name: format!("/var/spool/suspect/{at}.eml"), content, digest, offer_first }
}

fn told(
    stage: &mut Stage,
    door: &str,
    files: u64,
    duplicates: u64,
    (bytes, sent): (u64, u64),
    elapsed: std::time::Duration,
) -> Result<(), Failure> {
    let rate = files as f64 / elapsed.as_secs_f64();
    stage.narrator.tell(&format!(
        "{door:<7} {} files, {}, in {}: {}/s, each synced; {} duplicates, {} sent",
        grouped(files),
        short_bytes(bytes),
        short_span(elapsed),
        grouped(rate as u64),
        grouped(duplicates),
        short_bytes(sent)
    ))?;
    stage.narrator.check(files == FILES, &format!("all {} files over {door} are acked", grouped(FILES)))
}
