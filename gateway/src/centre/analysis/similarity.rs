//! How near two samples are.
//!
//! Three measures, because no single one sees all families. With *resemblance* two samples share a large part of all
//! they have: variants of one program. With *common edge grams* they share a few hundred bytes at their ends and
//! nothing else: hosts with the same virus. With *TLSH* they share few grams and yet the same mixture of bytes: the
//! same instructions in another order.

use super::features::Features;
use std::cmp::Ordering;
use std::str::FromStr;

/// Resemblance from which two samples are of one family, in thousandths of their grams.
///
/// As all three thresholds it lies between what families and strangers measure. In the tests of this module variants
/// of one program have 405 and more. Unrelated programs have up to 215 when what they were linked against is not in
/// goodware, and 2 when it is.
pub const RESEMBLANCE_PER_MILLE_MIN: u32 = 250;
/// Grams that an edge must have in common with the other sample: 200 bytes in a row, and six hashes of full edges.
/// The families of the tests have 695 and more, strangers none; unrelated programs for Linux, whose last bytes are
/// names and tables of sections, have up to 133. Where goodware lacks what programs are linked against, strangers have
/// as many as families.
pub const EDGE_GRAMS_MIN: u32 = 192;
/// TLSH distance up to which two samples are of one family. In the tests the same instructions in another order are
/// within 34, strangers beyond 110.
pub const TLSH_DISTANCE_MAX: u32 = 40;
/// Grams that must be in common for a resemblance to count: two tiny samples may share one string.
const RESEMBLING_GRAMS_MIN: u32 = 64;
/// Common hashes from which the number of common grams is estimated; from fewer it would be chance. A body of 512
/// bytes in an edge of 4,096 has 16 on average, and fewer than six once in 500 pairs.
const COMMON_HASHES_MIN: u32 = 6;

/// The lowest gram numbers of a part of a sample: a bottom-k sketch (Broder 1997).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sketch {
    /// Ascending, without repetition.
    hashes: Box<[u64]>,
    /// How many there may be; a sketch with fewer holds all grams of its part.
    max: usize,
}

/// What two sketches have in common, up to where both are complete.
struct Overlap {
    /// Hashes that both have.
    common: u32,
    /// Hashes that one of them has.
    either: u32,
    /// The highest hash that was looked at: of all grams such a part was.
    bound: u64,
}

/// How near two samples are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Similarity {
    /// Grams of the whole samples that both have, in thousandths of those that either has. An estimate.
    pub resemblance_per_mille: u32,
    /// How many grams that are. An estimate, 0 when it is too few to tell.
    pub common_grams: u32,
    /// The most grams that an edge of one has in common with an edge or the whole of the other. An estimate, 0 when
    /// it is too few to tell.
    pub common_edge_grams: u32,
    /// The TLSH distance, where both have a digest.
    pub tlsh_distance: Option<u32>,
}

/// Compares two samples. O(k): some microseconds whatever their length.
#[must_use]
pub fn similarity(a: &Features, b: &Features) -> Similarity {
    let whole = a.whole.overlap(&b.whole);
    let edges = [
        (&a.head, &b.head),
        (&a.tail, &b.tail),
        (&a.whole, &b.head),
        (&a.whole, &b.tail),
        (&a.head, &b.whole),
        (&a.tail, &b.whole),
    ];
    Similarity {
        resemblance_per_mille: (whole.common * 1000).checked_div(whole.either).unwrap_or(0),
        common_grams: whole.grams(),
        common_edge_grams: edges.iter().map(|(a, b)| a.overlap(b).grams()).max().unwrap_or(0),
        tlsh_distance: tlsh_distance(a, b),
    }
}

fn tlsh_distance(a: &Features, b: &Features) -> Option<u32> {
    let digest = |features: &Features| tlsh2::TlshDefault::from_str(features.tlsh()?).ok();
    u32::try_from(digest(a)?.diff(&digest(b)?, true)).ok()
}

impl Similarity {
    /// Whether the two samples are of one family.
    #[must_use]
    pub fn is_family(&self) -> bool {
        self.resembles() || self.common_edge_grams >= EDGE_GRAMS_MIN || self.is_near()
    }

    fn resembles(&self) -> bool {
        self.resemblance_per_mille >= RESEMBLANCE_PER_MILLE_MIN && self.common_grams >= RESEMBLING_GRAMS_MIN
    }

    fn is_near(&self) -> bool {
        self.tlsh_distance.is_some_and(|distance| distance <= TLSH_DISTANCE_MAX)
    }

    /// What is nearer compares greater: shared code before a similar mixture of bytes.
    #[must_use]
    pub fn rank(&self) -> (u32, u32, u32) {
        let near = self.tlsh_distance.map_or(0, |distance| u32::MAX - distance);
        (self.common_edge_grams.max(self.common_grams), self.resemblance_per_mille, near)
    }
}

impl Sketch {
    /// The `max` lowest of some numbers. O(n log k), and memory of 4 k numbers.
    pub fn lowest(numbers: impl Iterator<Item = u64>, max: usize) -> Sketch {
        let mut lowest: Vec<u64> = Vec::new();
        let mut bound = u64::MAX;
        for number in numbers.filter(|number| *number != u64::MAX) {
            if number >= bound {
                continue;
            }
            lowest.push(number);
            if lowest.len() == 4 * max {
                keep_lowest(&mut lowest, max);
                bound = if lowest.len() == max { lowest[max - 1] } else { u64::MAX };
            }
        }
        keep_lowest(&mut lowest, max);
        Sketch { hashes: lowest.into(), max }
    }

    /// A sketch that was stored; none if it is not one.
    pub fn stored(hashes: Vec<u64>, max: usize) -> Option<Sketch> {
        let ascending = hashes.windows(2).all(|pair| pair[0] < pair[1]);
        (ascending && hashes.len() <= max).then(|| Sketch { hashes: hashes.into(), max })
    }

    pub fn hashes(&self) -> &[u64] {
        &self.hashes
    }

    pub fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }

    fn overlap(&self, other: &Sketch) -> Overlap {
        let bound = self.complete_to().min(other.complete_to());
        let (mut a, mut b) = (below(&self.hashes, bound), below(&other.hashes, bound));
        let (mut common, mut either) = (0, 0);
        while let (Some(first), Some(second)) = (a.first(), b.first()) {
            let order = first.cmp(second);
            common += u32::from(order == Ordering::Equal);
            either += 1;
            a = &a[usize::from(order != Ordering::Greater)..];
            b = &b[usize::from(order != Ordering::Less)..];
        }
        Overlap { common, either: either + (a.len() + b.len()) as u32, bound }
    }

    /// Up to here all grams of its part are in it.
    fn complete_to(&self) -> u64 {
        let full = self.hashes.len() == self.max;
        self.hashes.last().copied().filter(|_| full).unwrap_or(u64::MAX)
    }
}

impl Overlap {
    /// How many grams both have, as far as the hashes tell.
    fn grams(&self) -> u32 {
        if self.common < COMMON_HASHES_MIN {
            return 0;
        }
        let grams = (u128::from(self.common) << 64) / (u128::from(self.bound) + 1);
        u32::try_from(grams).unwrap_or(u32::MAX)
    }
}

fn below(hashes: &[u64], bound: u64) -> &[u64] {
    &hashes[..hashes.partition_point(|hash| *hash <= bound)]
}

fn keep_lowest(numbers: &mut Vec<u64>, max: usize) {
    numbers.sort_unstable();
    numbers.dedup();
    numbers.truncate(max);
}

#[cfg(test)]
mod tests;
