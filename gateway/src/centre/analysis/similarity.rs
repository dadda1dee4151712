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
/// As all three thresholds it was set between what families and strangers measure in the tests of this module, where
/// variants of one program have 405 and more. Unrelated programs have up to 215 when what they were linked against is
/// not in goodware, and 2 when it is.
pub const RESEMBLANCE_PER_MILLE_MIN: u32 = 250;
/// Grams that the sketches of two edges must share. A body of 512 bytes in an edge of 4,096 shares 16 on average,
/// fewer than six once in 500 pairs. The families of the tests share 29 and more, strangers at most one; where
/// goodware lacks what programs are linked against, strangers share as much as families.
pub const EDGE_GRAMS_MIN: u32 = 6;
/// TLSH distance up to which two samples are of one family. In the tests the same instructions in another order are
/// within 34, strangers beyond 110.
pub const TLSH_DISTANCE_MAX: u32 = 40;
/// Resemblance that counts only when so many hashes are behind it: two tiny samples may share one string.
const RESEMBLING_GRAMS_MIN: u32 = 16;

/// The lowest gram numbers of a part of a sample: a bottom-k sketch (Broder 1997).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sketch {
    /// Ascending, without repetition.
    hashes: Box<[u64]>,
    /// How many there may be; a sketch with fewer holds all grams of its part.
    max: usize,
}

/// How near two samples are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Similarity {
    /// Grams of the whole samples that both have, in thousandths of those that either has. An estimate.
    pub resemblance_per_mille: u32,
    /// How many hashes that estimate rests on.
    pub common_grams: u32,
    /// The most hashes that an edge of one has in common with an edge or the whole of the other.
    pub common_edge_grams: u32,
    /// The TLSH distance, where both have a digest.
    pub tlsh_distance: Option<u32>,
}

/// Compares two samples. O(k): some microseconds whatever their length.
#[must_use]
pub fn similarity(a: &Features, b: &Features) -> Similarity {
    let (common_grams, either) = a.whole.common_and_either(&b.whole);
    let edges = [
        (&a.head, &b.head),
        (&a.tail, &b.tail),
        (&a.whole, &b.head),
        (&a.whole, &b.tail),
        (&a.head, &b.whole),
        (&a.tail, &b.whole),
    ];
    Similarity {
        resemblance_per_mille: (common_grams * 1000).checked_div(either).unwrap_or(0),
        common_grams,
        common_edge_grams: edges.iter().map(|(a, b)| a.common_and_either(b).0).max().unwrap_or(0),
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

    /// How many hashes both have and how many either has, up to where both are complete.
    fn common_and_either(&self, other: &Sketch) -> (u32, u32) {
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
        (common, either + (a.len() + b.len()) as u32)
    }

    /// Up to here all grams of its part are in it.
    fn complete_to(&self) -> u64 {
        let full = self.hashes.len() == self.max;
        self.hashes.last().copied().filter(|_| full).unwrap_or(u64::MAX)
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
