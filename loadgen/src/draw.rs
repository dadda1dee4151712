//! Numbers that are a pure function of their seed: nothing here remembers anything, so the n-th
//! draw of a run can be repeated without the n-1 before it.

/// Mixes a seed, a stream and an index into 64 bits (the finaliser of SplitMix64; Steele, Lea and
/// Flood 2014). Streams keep draws for different purposes apart.
pub fn draw(seed: u64, stream: u64, index: u64) -> u64 {
    let keyed = mix(seed ^ mix(stream.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
    mix(keyed.wrapping_add(index.wrapping_mul(0x9e37_79b9_7f4a_7c15)))
}

/// A number below `limit`. The bias is below `limit / 2^64`.
pub fn below(seed: u64, stream: u64, index: u64, limit: u64) -> u64 {
    ((u128::from(draw(seed, stream, index)) * u128::from(limit)) >> 64) as u64
}

/// A number in (0, 1], so that its logarithm exists.
pub fn unit(seed: u64, stream: u64, index: u64) -> f64 {
    ((draw(seed, stream, index) >> 11) + 1) as f64 / (1u64 << 53) as f64
}

/// Where `place` (below [`BLOCK`]) goes in a shuffle of 0..BLOCK that belongs to (seed, block): a
/// four-round Feistel network over 10 bits, walked until it lands inside. Shares of a thousand that
/// are read off a shuffle are exact in every whole block, not only on average.
pub fn shuffled(seed: u64, block: u64, place: u64) -> u64 {
    assert!(place < BLOCK, "place {place} is not in a block of {BLOCK}");
    let mut at = place;
    loop {
        let (mut left, mut right) = (at >> 5, at & 31);
        for round in 0..4 {
            (left, right) = (right, left ^ (draw(seed, block * 4 + round, right) & 31));
        }
        at = left << 5 | right;
        if at < BLOCK {
            return at;
        }
    }
}

/// Places in a shuffle, and the unit of every share in a profile.
pub const BLOCK: u64 = 1000;

fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shuffle_holds_every_place_once() {
        for block in 0..20 {
            let mut places: Vec<u64> = (0..BLOCK).map(|place| shuffled(7, block, place)).collect();
            places.sort_unstable();
            assert!(places.iter().copied().eq(0..BLOCK));
        }
    }

    #[test]
    fn shuffles_of_two_blocks_differ() {
        let of = |block| (0..BLOCK).map(|place| shuffled(7, block, place)).collect::<Vec<_>>();
        assert_ne!(of(0), of(1));
    }

    #[test]
    fn units_average_one_half_and_never_reach_zero() {
        let units: Vec<f64> = (0..10_000).map(|index| unit(1, 2, index)).collect();
        let mean = units.iter().sum::<f64>() / units.len() as f64;
        assert!((mean - 0.5).abs() < 0.02, "the mean is {mean}");
        assert!(units.iter().all(|unit| *unit > 0.0 && *unit <= 1.0));
    }
}
