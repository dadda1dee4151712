//! Where a gram stands in a layer: the rows it reads and the bit they must add up to.
//!
//! A layer adds at most one bit of evidence for each gram it keeps. There are two kinds:
//! - **Bitmap**: a gram sets one row. With rows = 1.44 grams half of the bits are set, so a gram that is absent
//!   passes half of the time: 1.44 bits of space for one of evidence (Bloom, 1970, with one hash function).
//! - **Fuse**: the bits of three rows, added without carry, equal the gram's own bit. A column is solved so that
//!   this holds for all its grams; for any other gram it holds half of the time: about 1.16 bits of space for one
//!   of evidence (the filters of Graf and Lemire, 2022, with a fingerprint of one bit and columns side by side).

use super::plan::Filter;

/// Rows of a layer at most: those of a whole block of distinct grams, twice over, with room.
pub(super) const ROWS_MAX: u32 = 1 << 18;
/// Zones of a fuse layer are at most this long, as a power of two.
pub(super) const ZONE_BITS_MAX: u32 = 10;
/// `keep` of a layer that holds every gram.
pub(super) const KEEP_ALL: u32 = 256;

/// What a reader must know to find a gram's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layer {
    pub filter: Filter,
    /// Of 256 grams the layer holds this many, chosen by hash.
    pub keep: u32,
    pub rows: u32,
    /// Rows a gram's position may span in each of its three zones, as a power of two; 0 for a bitmap.
    pub zone_bits: u32,
    pub seed: u32,
}

/// A gram in a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub rows: [u32; 3],
    pub bit: bool,
}

/// A permutation of 64 bits in which every bit of the input moves half of the output's (the finaliser of
/// MurmurHash3, public domain).
#[inline]
pub(super) fn scramble(mut number: u64) -> u64 {
    number ^= number >> 33;
    number = number.wrapping_mul(0xff51_afd7_ed55_8ccd);
    number ^= number >> 33;
    number = number.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    number ^ number >> 33
}

impl Layer {
    /// Where a gram stands, or nothing if the layer does not hold it.
    #[inline]
    pub fn place(&self, id: u32) -> Option<Place> {
        let mixed = scramble(u64::from(self.seed) << 32 | u64::from(id));
        (((mixed >> 56) as u32) < self.keep).then(|| self.place_kept(mixed))
    }

    #[inline]
    fn place_kept(&self, mixed: u64) -> Place {
        // The top byte chose whether to keep; what is drawn from here on must not depend on it.
        let fresh = mixed << 8;
        match self.filter {
            Filter::Bitmap => Place { rows: [scale(fresh, self.rows); 3], bit: true },
            Filter::Fuse => {
                let zone = 1_u32 << self.zone_bits;
                let start = scale(fresh, self.rows - 3 * zone + 1);
                let low = mixed as u32;
                let within = |shift: u32| low >> shift & (zone - 1);
                let rows = [start + within(0), start + zone + within(10), start + 2 * zone + within(20)];
                Place { rows, bit: bit_of(rows) }
            }
        }
    }
}

/// The bit a gram's rows add up to. Drawn from the rows, so that two grams with the same three never disagree.
#[inline]
fn bit_of([a, b, c]: [u32; 3]) -> bool {
    let mixed = a.wrapping_mul(0x9e37_79b1) ^ b.wrapping_mul(0x85eb_ca77) ^ c.wrapping_mul(0xc2b2_ae3d);
    (mixed ^ mixed << 11) >> 31 == 1
}

/// The top 32 bits of a number, spread evenly over 0..limit.
#[inline]
fn scale(fresh: u64, limit: u32) -> u32 {
    (((fresh >> 32) * u64::from(limit)) >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_lies_inside_the_layer_and_in_three_rows() {
        for (rows, zone_bits) in [(3, 0), (5, 0), (100, 4), (3072, 10), (40_000, 10)] {
            let layer = Layer { filter: Filter::Fuse, keep: KEEP_ALL, rows, zone_bits, seed: 9 };
            for id in 0..5000 {
                let [a, b, c] = layer.place(id).expect("all are kept").rows;
                assert!(a < b && b < c && c < rows, "{id}: {a} {b} {c} of {rows}");
            }
        }
    }

    #[test]
    fn a_layer_keeps_the_share_it_is_told_to() {
        let layer = Layer { filter: Filter::Bitmap, keep: 64, rows: 100, zone_bits: 0, seed: 1 };
        let kept = (0..10_000).filter(|id| layer.place(*id).is_some()).count();
        assert!((2300..2700).contains(&kept), "{kept} of 10,000");
    }
}
