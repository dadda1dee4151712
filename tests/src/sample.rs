//! Samples as a pure function of their index: what the victim stores and the judge expects.
//! 1. Every fifth index repeats the content of the one before, which is likely still in flight then.
//! 2. Sizes lie around the borders that matter to the engine: blocks, batches, large samples.

use model::{Arrival, RetryKey};

/// Plain bytes from which a victim's engine keeps a sample in a file of its own: small, so that the
/// rare path is common.
pub const LARGE_BYTES_MIN: u64 = 192 << 10;

/// Names of clients; few, so that each has many items.
const CLIENTS: u64 = 3;

/// The bytes of a sample.
#[must_use]
pub fn content(index: u64) -> Vec<u8> {
    let source = if index % 5 == 4 { index - 1 } else { index };
    let mut bytes = vec![0; length(source)];
    let mut state = mix(source);
    for (at, chunk) in bytes.chunks_mut(8).enumerate() {
        // Runs of a repeated word make it compressible, as binaries are.
        if at % 4 == 0 {
            state = mix(state);
        }
        chunk.copy_from_slice(&state.to_le_bytes()[..chunk.len()]);
    }
    bytes
}

/// The arrival of a sample. The name holds the index, so a listed item tells which sample it is.
#[must_use]
pub fn arrival(index: u64) -> Arrival {
    let mut key = [0; 16];
    key[..8].copy_from_slice(&index.to_le_bytes());
    Arrival {
        received_at_ms: 1_767_312_245_000 + index as i64,
        retry_key: Some(RetryKey(key)),
        client: format!("client-{}", index % CLIENTS),
        name: format!("/samples/{index}"),
        ..Arrival::default()
    }
}

/// The index that an item's name holds.
#[must_use]
pub fn index_of(name: &str) -> Option<u64> {
    name.strip_prefix("/samples/")?.parse().ok()
}

fn length(index: u64) -> usize {
    let spread = mix(index ^ 0x5eed) as usize;
    match spread % 40 {
        0 => LARGE_BYTES_MIN as usize + spread / 64 % 200_000,
        1..=3 => 60_000 + spread / 64 % 12_000,
        4..=6 => spread / 64 % 3,
        _ => 100 + spread / 64 % 9_000,
    }
}

/// The finalizer of SplitMix64 (Steele, Lea, Flood 2014).
#[must_use]
pub fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contents_repeat_exactly_where_they_should() {
        assert_eq!(content(3), content(4));
        assert_ne!(content(4), content(5));
        assert_eq!(index_of(&arrival(77).name), Some(77));
    }
}
