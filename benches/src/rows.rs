//! Rows for the catalogue, as a busy estate makes them.

use engine::catalogue::{Change, Entry};
use model::{Arrival, Blake3, ItemId, RawBytes, SampleId, Sha256, StoredBytes};

/// Clients of the estate: the smallest real one.
const CLIENTS: u64 = 10_000;

/// Arrivals with sequences from `first` on; one in three is of a known sample.
#[must_use]
pub fn arrivals(first: u64, count: u64) -> Vec<Change> {
    (first..first + count).map(|sequence| Change::Arrived(entry(sequence))).collect()
}

/// The name of a client by its number.
#[must_use]
pub fn client(number: u64) -> String {
    format!("client-{:05}.example", number % CLIENTS)
}

fn entry(sequence: u64) -> Entry {
    let repeats = sequence % 3 == 2 && sequence > 1;
    let sample = if repeats { sequence - 1 } else { sequence };
    let mut digest = [0; 32];
    digest[..8].copy_from_slice(&sample.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes());
    digest[8..16].copy_from_slice(&sample.to_le_bytes());
    Entry {
        item: ItemId(sequence),
        sample: SampleId(sample),
        blake3: Blake3(digest),
        sha256: Sha256(digest),
        raw: RawBytes(16 << 10),
        stored: StoredBytes(8 << 10),
        arrival: Arrival {
            received_at_ms: 1_767_312_245_000 + sequence as i64,
            client: client(sequence.wrapping_mul(7919)),
            name: format!("C:\\Users\\someone\\Downloads\\invoice-{sequence}.exe"),
            reason: "suspicious packer".to_owned(),
            platform: "windows-11".to_owned(),
            ..Arrival::default()
        },
        brings_sample: !repeats,
    }
}
