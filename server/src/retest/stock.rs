//! Which samples have been scanned, with which set, and where what was kept of them lies.
//!
//! 1. A sample with a verdict is on one shelf or loose. A loose one is scanned again whenever definitions change, so there
//!    are few: what makes a shelf is put on one.
//! 2. What was found in a sample holds for the newer of two sets: its verdict's and its shelf's.

use engine::catalogue::SampleVerdict;
use model::{Blake3, SampleId, Sequence};
use std::collections::{BTreeMap, HashMap};

/// A scanned sample that is on no shelf.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Loose {
    /// Its address.
    pub blake3: Blake3,
    /// Plain bytes.
    pub raw_bytes: u64,
    /// The set that its verdict is of.
    pub sequence: Sequence,
}

/// All scanned samples.
#[derive(Debug, Default)]
pub struct Stock {
    loose: BTreeMap<SampleId, Loose>,
    shelf_of: HashMap<SampleId, u64>,
    shelves: BTreeMap<u64, Sequence>,
}

impl Stock {
    /// A loose sample was scanned, and that is answered with true; of a shelved one only its verdict is newer.
    pub fn scanned(&mut self, sample: SampleId, loose: Loose) -> bool {
        let is_loose = !self.shelf_of.contains_key(&sample);
        if is_loose {
            self.loose.insert(sample, loose);
        }
        is_loose
    }

    /// A loose sample was answered for a set.
    pub fn answered_loose(&mut self, sample: SampleId, sequence: Sequence) {
        if let Some(loose) = self.loose.get_mut(&sample) {
            loose.sequence = sequence;
        }
    }

    /// The sample is gone.
    pub fn gone(&mut self, sample: SampleId) {
        self.loose.remove(&sample);
        self.shelf_of.remove(&sample);
    }

    /// A shelf holds these samples from now on.
    pub fn shelved(&mut self, number: u64, sequence: Sequence, samples: impl IntoIterator<Item = SampleId>) {
        self.shelves.insert(number, sequence);
        for sample in samples {
            self.loose.remove(&sample);
            self.shelf_of.insert(sample, number);
        }
    }

    /// A shelf has been answered for a set.
    pub fn answered(&mut self, number: u64, sequence: Sequence) {
        if let Some(watermark) = self.shelves.get_mut(&number) {
            *watermark = sequence;
        }
    }

    /// A shelf is no more: what is left of its samples is loose.
    pub fn dissolve(&mut self, number: u64, samples: &[SampleId], left: impl IntoIterator<Item = (SampleId, Loose)>) {
        let mark = self.shelves.remove(&number).unwrap_or_default();
        for sample in samples {
            self.shelf_of.remove(sample);
        }
        for (sample, loose) in left {
            self.loose.insert(sample, Loose { sequence: loose.sequence.max(mark), ..loose });
        }
    }

    /// Samples on no shelf whose verdict is of an older set than this, ascending.
    pub fn loose_behind(&self, sequence: Sequence) -> Vec<(SampleId, Loose)> {
        self.loose
            .iter()
            .filter(|(_, loose)| loose.sequence < sequence)
            .map(|(sample, loose)| (*sample, *loose))
            .collect()
    }

    /// Samples on no shelf, ascending.
    pub fn loose(&self) -> impl Iterator<Item = (SampleId, Loose)> {
        self.loose.iter().map(|(sample, loose)| (*sample, *loose))
    }

    /// Plain bytes on no shelf.
    pub fn loose_bytes(&self) -> u64 {
        self.loose.values().map(|loose| loose.raw_bytes).sum()
    }

    /// Shelves that were answered for an older set than this, with that set.
    pub fn shelves_behind(&self, sequence: Sequence) -> Vec<(u64, Sequence)> {
        self.shelves.iter().filter(|(_, at)| **at < sequence).map(|(number, at)| (*number, *at)).collect()
    }

    /// Numbers of the shelves.
    pub fn shelves(&self) -> impl Iterator<Item = u64> {
        self.shelves.keys().copied()
    }

    /// Whether the sample is on this shelf.
    pub fn is_on(&self, sample: SampleId, number: u64) -> bool {
        self.shelf_of.get(&sample) == Some(&number)
    }

    /// Scanned samples.
    pub fn samples(&self) -> u64 {
        (self.loose.len() + self.shelf_of.len()) as u64
    }

    /// The verdict with the newest set that it holds for.
    pub fn current(&self, mut verdict: SampleVerdict) -> SampleVerdict {
        let shelf = self.shelf_of.get(&verdict.sample).and_then(|number| self.shelves.get(number));
        verdict.sequence = shelf.map_or(verdict.sequence, |sequence| verdict.sequence.max(*sequence));
        verdict
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loose(sequence: u64) -> Loose {
        Loose { blake3: Blake3([0; 32]), raw_bytes: 10, sequence: Sequence(sequence) }
    }

    #[test]
    fn a_sample_is_loose_until_a_shelf_has_it_and_holds_for_the_newer_set() {
        let mut stock = Stock::default();
        stock.scanned(SampleId(1), loose(3));
        stock.scanned(SampleId(2), loose(4));
        assert_eq!(stock.loose_behind(Sequence(4)).len(), 1);
        stock.shelved(1, Sequence(3), [SampleId(1)]);
        assert_eq!((stock.loose_bytes(), stock.samples()), (10, 2));
        stock.scanned(SampleId(1), loose(9));
        assert_eq!(stock.loose_bytes(), 10, "a shelved sample does not become loose");
        let verdict = SampleVerdict { sample: SampleId(1), sequence: Sequence(2), findings: Vec::new() };
        assert_eq!(stock.current(verdict.clone()).sequence, Sequence(3));
        assert_eq!(stock.shelves_behind(Sequence(5)), [(1, Sequence(3))]);
        stock.answered(1, Sequence(5));
        assert_eq!(stock.shelves_behind(Sequence(5)), []);
        assert_eq!(stock.current(verdict).sequence, Sequence(5));
        stock.dissolve(1, &[SampleId(1)], [(SampleId(1), loose(2))]);
        assert!(!stock.is_on(SampleId(1), 1));
        assert_eq!(stock.loose_behind(Sequence(6)).len(), 2);
        assert_eq!(stock.loose_behind(Sequence(5)).len(), 1, "it holds for what its shelf held for");
        stock.gone(SampleId(1));
        assert_eq!(stock.samples(), 1);
    }
}
