//! How many rows each group of columns gets, so that the whole stays inside its budget.

use super::layer::{KEEP_ALL, ROWS_MAX, ZONE_BITS_MAX};

/// Columns side by side in a group: a row of one is 64 bytes, a cache line.
pub(super) const GROUP_COLUMNS: usize = 512;
/// Layers of a group at most: eight bits of evidence a gram make a literal of three grams one in 16 million.
pub(super) const LAYERS_MAX: usize = 8;
/// A last layer that would hold less than a sixteenth of the grams is not worth its reads.
const KEEP_MIN: u32 = 16;
/// Rows of a bitmap at least, so that a nearly empty block does not pass everything.
const BITMAP_ROWS_MIN: u32 = 64;

/// What a filter is made of (`docs/grams.md` compares them).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Filter {
    /// A gram sets one bit: quick to build, 1.44 bits of space for one of evidence.
    Bitmap,
    /// A gram solves an equation over three bits: slower to build, about 1.16 bits for one.
    Fuse,
}

/// How large an index may be and what it is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Policy {
    /// Bits of index for each KiB of plain bytes, all included: 512 are 6.25 % of plain size, 1,024 are 12.5 %.
    pub bits_per_kib: u32,
    /// The kind of every layer.
    pub filter: Filter,
}

impl Default for Policy {
    /// Bitmaps of 12.5 % of plain size: of the points measured, the only size that meets the bar for ten
    /// signatures; none meets the one for 1,000 (`docs/grams.md`).
    fn default() -> Self {
        Self { bits_per_kib: 1024, filter: Filter::Bitmap }
    }
}

/// What planning knows of a group.
#[derive(Debug, Clone, Copy)]
pub(super) struct GroupSize {
    /// Bytes of a row.
    pub stride: usize,
    /// Grams of its fullest column.
    pub grams_max: u32,
    /// Grams of a column on average.
    pub grams_mean: u32,
}

/// One layer of every group: its kind and the share of grams it keeps, in 256ths. For bitmaps also the rows for
/// each 1,024 grams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LayerPlan {
    pub keep: u32,
    pub bitmap_rows_per_1024: u64,
}

/// Splits a budget of bytes over layers.
pub(super) fn layers(filter: Filter, groups: &[GroupSize], budget_bytes: u64) -> Vec<LayerPlan> {
    match filter {
        Filter::Bitmap => {
            let grams: u64 = groups.iter().map(|group| u64::from(group.grams_mean.max(1)) * group.stride as u64).sum();
            vec![LayerPlan { keep: KEEP_ALL, bitmap_rows_per_1024: budget_bytes.saturating_mul(1024) / grams.max(1) }]
        }
        Filter::Fuse => {
            let mut left = budget_bytes;
            let mut plans = Vec::new();
            while plans.len() < LAYERS_MAX {
                let keep = (1..=KEEP_ALL).rev().find(|keep| layer_bytes(groups, *keep) <= left).unwrap_or(1);
                if keep < KEEP_MIN && !plans.is_empty() {
                    break;
                }
                plans.push(LayerPlan { keep, bitmap_rows_per_1024: 0 });
                if keep < KEEP_ALL {
                    break;
                }
                left -= layer_bytes(groups, keep).min(left);
            }
            plans
        }
    }
}

/// Bytes of a fuse layer that keeps `keep` of 256 grams, in all groups.
fn layer_bytes(groups: &[GroupSize], keep: u32) -> u64 {
    let bytes = |group: &GroupSize| {
        let mean = u64::from(group.grams_max) * u64::from(keep) / u64::from(KEEP_ALL);
        // The fullest of 512 columns lies about three deviations of a binomial above the mean.
        let above = if keep < KEEP_ALL { 3 * mean.isqrt() } else { 0 };
        (u64::from(fuse_shape((mean + above) as u32).0) + 1) * group.stride as u64 + 64
    };
    groups.iter().map(bytes).sum()
}

/// Rows and zone of a fuse layer whose fullest column has `grams`: as narrow as solving succeeded in all of 30 to
/// 300 columns of 500, 2,000, 5,000 and 28,000 grams (1.55, 1.40, 1.33 and 1.24 rows a gram; the ends of a narrow
/// column are thinly read, so small sets pay more).
pub(super) fn fuse_shape(grams: u32) -> (u32, u32) {
    let zone_bits = (grams.max(1).ilog2() / 2 + 2).min(ZONE_BITS_MAX);
    let ends = f64::from(grams).cbrt().powi(2) * 3.4;
    let rows = f64::from(grams) * 1.13 + ends + 16.0;
    ((rows as u32).clamp(3 << zone_bits, ROWS_MAX), zone_bits)
}

/// Rows of a bitmap of columns with `grams` on average.
pub(super) fn bitmap_rows(grams: u32, rows_per_1024: u64) -> u32 {
    let rows = u64::from(grams.max(1)).saturating_mul(rows_per_1024) / 1024;
    rows.clamp(u64::from(BITMAP_ROWS_MIN), u64::from(ROWS_MAX)) as u32
}
