//! The same files again: an item each, and not a byte of content.

use super::estate::{FILES, http_file, native_parcel};
use super::stage::{Parcel, Stage};
use super::{corpus, native};
use crate::cli::Failure;
use crate::config::amount::{grouped, short_bytes, short_span};
use std::time::Instant;

/// More than an item's record and its share of the quota can be.
const ITEM_BYTES_MAX: u64 = 4096;

/// The step.
///
/// # Errors
/// A check does not hold.
pub fn run(stage: &mut Stage) -> Result<(), Failure> {
    let (samples_before, bytes_before) = (stage.quota("used_samples")?, stage.quota("used_bytes")?);
    let started = Instant::now();
    let parcels: Vec<Parcel> = (0..FILES)
        .map(|at| Parcel {
            client: format!("desk-{:04}", 100 + at % 97),
            name: format!("E:\\backup\\suspect-{at}.exe"),
            content: corpus::file(http_file(at)),
            key: format!("again-{at}"),
        })
        .collect();
    let client = stage.client()?;
    let (acks, failure) = stage.forward(&client, parcels, 8);
    if let Some(failure) = failure {
        return Err(failure);
    }
    let mut sent: u64 = acks.iter().map(|ack| ack.sent).sum();
    let mut duplicates = acks.iter().filter(|ack| ack.outcome == "duplicate").count() as u64;
    for ack in &acks {
        stage.truth.acked(ack.item, ack.digest, ack.bytes);
    }
    let parcels: Vec<native::Parcel> = (0..FILES).map(|at| native_parcel(at, true)).collect();
    let (delivered, left) = native::forward(stage.server()?.intake, "gateway-again", 2, &parcels)
        .map_err(|error| Failure::No(format!("native protocol: {error}")))?;
    sent += left;
    for one in &delivered {
        let parcel = &parcels[one.parcel];
        stage.truth.acked(one.item.0, parcel.digest, parcel.content.len() as u64);
        duplicates += u64::from(one.outcome == model::wire::Outcome::Duplicate);
    }
    let elapsed = started.elapsed();
    let offered: u64 = acks.iter().map(|ack| ack.bytes).sum::<u64>()
        + parcels.iter().map(|parcel| parcel.content.len() as u64).sum::<u64>();
    stage.narrator.tell(&format!(
        "{} files ({}) offered by digest in {}, half over each door",
        grouped(2 * FILES),
        short_bytes(offered),
        short_span(elapsed)
    ))?;
    stage.narrator.check(
        duplicates == 2 * FILES && sent == 0,
        &format!("all {} became items, {sent} bytes of content were sent", grouped(duplicates)),
    )?;
    let samples = stage.quota("used_samples")?;
    let grown = stage.quota("used_bytes")?.saturating_sub(bytes_before);
    let each = grown / (2 * FILES);
    stage.narrator.check(
        samples == samples_before && each <= ITEM_BYTES_MAX,
        &format!("{} samples as before; an item costs {} bytes", grouped(samples), grouped(each)),
    )
}
