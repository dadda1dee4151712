//! A delta asked of a shelf.

use super::delta::Delta;
use super::facts::WITHIN;
use super::shelf::Shelf;
use std::collections::{BTreeMap, BTreeSet};

/// A block in which a new signature's literal may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Candidate {
    /// The block's number in the stored sample; `None` for another buffer of it, which only a scan can show.
    pub block: Option<u32>,
    /// Whose literals, for [`Delta::literal`].
    pub literal: u32,
}

/// What a delta may have changed about the samples of a shelf. Samples are named by their place in [`Shelf::samples`].
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// Names of digests that are certain to match, by sample; no bytes need be read, and no allowance names the sample.
    pub joined: BTreeMap<u32, BTreeSet<String>>,
    /// Samples to be scanned with the whole new set: an allowance that came or went names a file of theirs, or a new digest
    /// matches and an allowance may keep it from counting, or a buffer that is not stored as it is may hold what is watched.
    pub rescan: BTreeSet<u32>,
    /// Blocks in which a literal may be, by sample. A sample in which one is has to be scanned with [`Delta::ruleset`], or
    /// with the whole new set where the literal [is watched](Delta::is_watched).
    pub candidates: BTreeMap<u32, Vec<Candidate>>,
    /// Rows of gram indexes that were read.
    pub rows_read: u64,
}

impl Delta {
    /// Asks a shelf what this delta may have changed.
    #[must_use]
    pub fn ask(&self, shelf: &Shelf<'_>) -> Answer {
        let mut answer = Answer::default();
        if !self.queries.is_empty() {
            let cost = shelf.grams().pairs(&self.queries, |literal, block| {
                let (place, block) = ((block >> 32) as u32, block as u32);
                let (block, literal) = (Some(block).filter(|block| block & WITHIN == 0), literal as u32);
                if block.is_none() && self.is_watched(literal) {
                    answer.rescan.insert(place);
                    return;
                }
                let candidate = Candidate { block, literal };
                answer.candidates.entry(place).or_default().push(candidate);
            });
            answer.rows_read = cost.rows;
        }
        for candidates in answer.candidates.values_mut() {
            candidates.sort_unstable();
            candidates.dedup();
        }
        let mut joined: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
        if !self.sections.is_empty() {
            for (place, fact) in shelf.sections() {
                self.sections.find(&fact, &mut |owner| {
                    joined.entry(place).or_default().insert(owner);
                });
            }
        }
        if !self.files.is_empty() {
            for (place, fact) in shelf.files() {
                self.files.find(&fact, &mut |owner| {
                    joined.entry(place).or_default().insert(owner);
                });
            }
        }
        if !self.allow_changed.is_empty() || (!joined.is_empty() && !self.allowed.is_empty()) {
            for (place, fact) in shelf.files() {
                let mut named = false;
                self.allow_changed.find(&fact, &mut |_| named = true);
                if joined.contains_key(&place) {
                    self.allowed.find(&fact, &mut |_| named = true);
                }
                if named {
                    answer.rescan.insert(place);
                }
            }
        }
        for (place, owners) in joined {
            if !answer.rescan.contains(&place) {
                let names = owners.into_iter().map(|owner| self.ruleset().name(owner).to_owned());
                answer.joined.insert(place, names.collect());
            }
        }
        answer.candidates.retain(|place, _| !answer.rescan.contains(place));
        answer
    }
}
