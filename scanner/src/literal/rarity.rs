//! How common four bytes in a row are in ordinary files.
//!
//! The table beside this file was learned by `examples/learn_grams.rs` from ELF files and text of a Debian
//! machine. It counts hashed 4-grams and keeps four bits of each count: level *n* means that the bucket holds
//! about 2^(-4n/3) of all positions. Two buckets in one byte, the even one in the low half.

/// Buckets of the table, as a power of two.
const BUCKETS_LOG2: u32 = 17;
/// Buckets of the table.
pub const BUCKETS: usize = 1 << BUCKETS_LOG2;
/// Levels for each halving of the frequency.
pub const LEVELS_PER_HALVING: f64 = 0.75;
/// The rarest level.
pub const LEVEL_MAX: u8 = 15;
/// Length of a gram, bytes.
pub const GRAM_BYTES: usize = 4;

static LEARNED: &[u8; BUCKETS / 2] = include_bytes!("rarity.bin");

/// The bucket of four bytes, read as a little-endian number.
#[inline]
pub fn bucket(gram: u32) -> usize {
    (gram.wrapping_mul(0x9e37_79b1) >> (32 - BUCKETS_LOG2)) as usize
}

/// The level of four bytes: 0 is in every file at every turn, 15 hardly ever.
#[inline]
pub fn level(gram: u32) -> u8 {
    let bucket = bucket(gram);
    (LEARNED[bucket / 2] >> (bucket % 2 * 4)) & 0xf
}

/// The level of a share of all positions, for the program that learns.
pub fn level_of_share(share: f64) -> u8 {
    // A bucket that was never seen is as rare as the scale goes.
    (-share.log2() * LEVELS_PER_HALVING).round().clamp(0.0, f64::from(LEVEL_MAX)) as u8
}

/// The share of positions that a level stands for.
pub fn share(level: u8) -> f32 {
    (-f32::from(level) / LEVELS_PER_HALVING as f32).exp2()
}

/// Halvings of the share of positions at which a window of 4 or of 8 bytes is found, by the level of its
/// rarest gram. Measured, as is how it lies between them: means over 300,000 windows of binaries in 64 MiB of
/// others. A level says more than [`share`] at the rare end, because a bucket is as full as its commonest gram,
/// and a window of 8 bytes is rarer than its rarest gram.
const HALVINGS: [[f32; 2]; LEVEL_MAX as usize + 1] = [
    [0.0, 0.0],
    [1.0, 1.5],
    [2.0, 3.0],
    [3.1, 4.6],
    [4.6, 5.6],
    [6.1, 6.6],
    [7.7, 7.6],
    [10.2, 10.6],
    [11.0, 12.4],
    [12.1, 12.9],
    [13.3, 13.8],
    [14.8, 15.9],
    [16.4, 17.5],
    [18.7, 20.2],
    [21.0, 23.1],
    [22.5, 24.9],
];

/// The shares of positions at which windows of some width are found, by the level of their rarest gram.
pub fn window_shares(width: u8) -> [f32; LEVEL_MAX as usize + 1] {
    HALVINGS.map(|[four, eight]| (-(four + (eight - four) * f32::from(width.saturating_sub(4)) / 4.0)).exp2())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(bytes: [u8; 4]) -> u8 {
        level(u32::from_le_bytes(bytes))
    }

    #[test]
    fn zeroes_are_common_and_noise_is_rare() {
        assert!(of([0; 4]) <= 3, "level {}", of([0; 4]));
        let noise: u32 = (1..=64_u32).map(|n| u32::from(level(n.wrapping_mul(0x2545_f491) | 0x8080))).sum();
        assert!(noise / 64 >= 11, "mean level {}", noise / 64);
    }

    #[test]
    fn a_level_stands_for_a_share_of_its_own_level() {
        for level in 0..=LEVEL_MAX {
            assert_eq!(level_of_share(f64::from(share(level))), level);
        }
        assert_eq!(level_of_share(0.0), LEVEL_MAX);
    }
}
