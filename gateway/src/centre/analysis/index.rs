//! Which groups have something in common with a sample, without looking at each group.
//!
//! 1. Every key of a representative leads to its group.
//! 2. The answer depends on what is in the index, not on the order it came in.

use super::features::Features;
use super::gram::mix;
use super::limits;
use std::collections::BTreeSet;

/// Of a sketch's hashes the lowest so many are keys. Two samples that share hashes share low ones as likely as others.
const WHOLE_KEYS: usize = 64;
const EDGE_KEYS: usize = 48;
/// Characters of a TLSH text before its code, and of one band of the code: 16 bands of 8 buckets.
const TLSH_HEAD: usize = 8;
const TLSH_BAND: usize = 4;

/// Keys and the groups they lead to: twelve bytes each, at most 176 for each representative.
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    postings: BTreeSet<(u32, u32)>,
}

impl Index {
    /// Lets the keys of a representative lead to its group. O(k log n).
    pub fn add(&mut self, features: &Features, cluster: u32) {
        self.postings.extend(stored_keys(features).map(|key| (key, cluster)));
    }

    /// The groups that share most keys with a sample, at most [`limits::CANDIDATES_MAX`]; those with most first, then
    /// the older. O(k log n), whatever the number of groups.
    pub fn candidates(&self, features: &Features) -> Vec<u32> {
        let mut found: Vec<u32> = Vec::new();
        for key in all_keys(features) {
            let postings = self.postings.range((key, 0)..=(key, u32::MAX));
            found.extend(postings.take(limits::POSTINGS_MAX).map(|(_, cluster)| *cluster));
        }
        found.sort_unstable();
        let same = found.chunk_by(|a, b| a == b);
        let mut votes: Vec<(std::cmp::Reverse<usize>, u32)> =
            same.map(|votes| (std::cmp::Reverse(votes.len()), votes[0])).collect();
        votes.sort_unstable();
        votes.into_iter().take(limits::CANDIDATES_MAX).map(|(_, cluster)| cluster).collect()
    }
}

/// The keys that are stored: the lowest of each sketch, and the bands of the TLSH digest.
fn stored_keys(features: &Features) -> impl Iterator<Item = u32> + '_ {
    let parts = [(&features.whole, WHOLE_KEYS), (&features.head, EDGE_KEYS), (&features.tail, EDGE_KEYS)];
    let hashes = parts.into_iter().flat_map(|(sketch, max)| sketch.hashes().iter().take(max));
    hashes.map(|hash| key(*hash)).chain(bands(features))
}

/// The keys that are asked for: all hashes, since what is low in one sketch need not be in the other.
fn all_keys(features: &Features) -> impl Iterator<Item = u32> + '_ {
    let parts = [&features.whole, &features.head, &features.tail];
    let hashes = parts.into_iter().flat_map(|sketch| sketch.hashes());
    hashes.map(|hash| key(*hash)).chain(bands(features))
}

/// Hashes of a sketch are low numbers, so the low half tells them apart. One that is mistaken for another costs a
/// comparison.
fn key(hash: u64) -> u32 {
    hash as u32
}

/// Two digests at a distance of 20 differ in at most 20 of 128 buckets, and once in 170 pairs in all 16 bands of 8. At
/// 40 that is once in four pairs: such a sample is found through another representative of its group, or opens one.
fn bands(features: &Features) -> impl Iterator<Item = u32> + '_ {
    let code = features.tlsh().and_then(|text| text.get(TLSH_HEAD..)).unwrap_or("");
    code.as_bytes().chunks_exact(TLSH_BAND).enumerate().map(|(band, text)| {
        let value = text.iter().fold(band as u64, |sum, character| sum << 8 | u64::from(*character));
        key(mix(value))
    })
}
