//! The dedupe index: from a digest to the sample's place, 16 bytes a sample.
//!
//! 1. A slot keeps 44 bits of the digest; a hit is a candidate until the full digest has been compared.
//! 2. Only durable samples are in it.
//! 3. It is rebuilt from the segments' footers; nothing else depends on it.

use crate::segment::{Place, RECORD_ALIGN, SEGMENTS_MAX, SegmentId};
use hashbrown::HashTable;
use model::SampleId;
use parking_lot::RwLock;

/// Shards, so that lookups of the packers seldom wait for the lane's inserts.
const SHARDS: usize = 64;

/// Copies of one sample that a look considers: the newest few are enough.
const CANDIDATES_MAX: usize = 8;

/// Sequences that a slot can hold: at 100,000 arrivals a second they last five years short of six.
pub const SEQUENCE_MAX: u64 = (1 << 44) - 1;

/// Sequence 44 bits and fingerprint 20; segment 24, offset in 64-byte units 22, fingerprint 18.
#[derive(Debug, Clone, Copy)]
struct Slot(u64, u64);

const _: () = assert!(size_of::<Slot>() == 16 && SEGMENTS_MAX as u64 == 1 << 24);

impl Slot {
    fn new(print: u64, sample: SampleId, place: Place) -> Self {
        debug_assert!(sample.0 <= SEQUENCE_MAX && place.segment.0 < SEGMENTS_MAX);
        let unit = place.offset / RECORD_ALIGN as u64;
        debug_assert!(unit < 1 << 22, "a record starts within 256 MiB of its segment");
        Self(sample.0 << 20 | print >> 18, u64::from(place.segment.0) << 40 | unit << 18 | print & 0x3_ffff)
    }

    fn print(self) -> u64 {
        (self.0 & 0xf_ffff) << 18 | self.1 & 0x3_ffff
    }

    fn sample(self) -> SampleId {
        SampleId(self.0 >> 20)
    }

    fn place(self) -> Place {
        let unit = self.1 >> 18 & 0x3f_ffff;
        Place { segment: SegmentId((self.1 >> 40) as u32), offset: unit * RECORD_ALIGN as u64 }
    }

    /// Spreads the fingerprint over the 64 bits that the table wants.
    fn hash(self) -> u64 {
        spread(self.print())
    }
}

fn spread(print: u64) -> u64 {
    print.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// Shard and fingerprint of a digest's first eight bytes.
fn split(prefix: [u8; 8]) -> (usize, u64) {
    let bits = u64::from_le_bytes(prefix);
    ((bits >> 58) as usize, bits & ((1 << 38) - 1))
}

/// All samples of a store.
pub(crate) struct Index {
    shards: [RwLock<HashTable<Slot>>; SHARDS],
}

impl Index {
    pub(crate) fn new() -> Self {
        Self { shards: std::array::from_fn(|_| RwLock::new(HashTable::new())) }
    }

    /// The newest candidate that `same` confirms: a second copy was stored because the first did not read.
    pub(crate) fn find<T>(&self, prefix: [u8; 8], mut same: impl FnMut(SampleId, Place) -> Option<T>) -> Option<T> {
        let (shard, print) = split(prefix);
        // Candidates are copied out: `same` may read the disk, and no lock is held across that.
        let mut candidates = [None; CANDIDATES_MAX];
        {
            let table = self.shards[shard].read();
            let hits = table.iter_hash(spread(print)).filter(|slot| slot.print() == print);
            for (candidate, slot) in candidates.iter_mut().zip(hits) {
                *candidate = Some(*slot);
            }
        }
        if candidates[1].is_some() {
            candidates.sort_unstable_by_key(|slot| std::cmp::Reverse(slot.map(Slot::sample)));
        }
        candidates.into_iter().flatten().find_map(|slot| same(slot.sample(), slot.place()))
    }

    /// All samples under these eight bytes, oldest first: copies of one, and seldom another with the same fingerprint.
    pub(crate) fn samples_of(&self, prefix: [u8; 8]) -> Vec<SampleId> {
        let (shard, print) = split(prefix);
        let table = self.shards[shard].read();
        let hits = table.iter_hash(spread(print)).filter(|slot| slot.print() == print);
        let mut samples: Vec<_> = hits.map(|slot| slot.sample()).collect();
        samples.sort_unstable();
        samples
    }

    /// Where this very sample lies, without a look at the disk.
    pub(crate) fn place_of(&self, prefix: [u8; 8], sample: SampleId) -> Option<Place> {
        let (shard, print) = split(prefix);
        let table = self.shards[shard].read();
        table.find(spread(print), |slot| slot.print() == print && slot.sample() == sample).map(|slot| slot.place())
    }

    /// Adds a sample, or moves it when it is there already. `true` when it is new.
    pub(crate) fn put(&self, prefix: [u8; 8], sample: SampleId, place: Place) -> bool {
        let (shard, print) = split(prefix);
        let slot = Slot::new(print, sample, place);
        let mut table = self.shards[shard].write();
        match table.find_mut(slot.hash(), |other| other.print() == print && other.sample() == sample) {
            Some(old) => {
                *old = slot;
                false
            }
            None => {
                table.insert_unique(slot.hash(), slot, |slot| slot.hash());
                true
            }
        }
    }

    /// Moves a sample, if it still lies where `from` says.
    pub(crate) fn repoint(&self, prefix: [u8; 8], sample: SampleId, from: Place, to: Place) -> bool {
        let (shard, print) = split(prefix);
        let mut table = self.shards[shard].write();
        let same = |slot: &Slot| slot.print() == print && slot.sample() == sample && slot.place() == from;
        match table.find_mut(spread(print), same) {
            Some(slot) => {
                *slot = Slot::new(print, sample, to);
                true
            }
            None => false,
        }
    }

    /// Takes a sample out.
    pub(crate) fn remove(&self, prefix: [u8; 8], sample: SampleId) -> bool {
        let (shard, print) = split(prefix);
        let mut table = self.shards[shard].write();
        match table.find_entry(spread(print), |slot| slot.print() == print && slot.sample() == sample) {
            Ok(entry) => {
                entry.remove();
                true
            }
            Err(_) => false,
        }
    }

    /// Samples in it.
    pub(crate) fn len(&self) -> u64 {
        self.shards.iter().map(|shard| shard.read().len() as u64).sum()
    }

    /// Bytes it occupies.
    pub(crate) fn memory_bytes(&self) -> u64 {
        self.shards.iter().map(|shard| shard.read().allocation_size() as u64).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    proptest! {
        #[test]
        fn it_answers_as_a_plain_map_does(steps in proptest::collection::vec((0_u64..40, 0_u8..4, 0_u32..100, 0_u64..1000), 1..400)) {
            let index = Index::new();
            let mut plain: HashMap<u64, Place> = HashMap::new();
            for (sample, step, segment, unit) in steps {
                // Few distinct digests, so that fingerprints collide among samples.
                let prefix = (sample % 7).to_le_bytes();
                let place = Place { segment: SegmentId(segment), offset: unit * 64 };
                match step {
                    0 | 1 => prop_assert_eq!(index.put(prefix, SampleId(sample), place), plain.insert(sample, place).is_none()),
                    2 => prop_assert_eq!(index.remove(prefix, SampleId(sample)), plain.remove(&sample).is_some()),
                    _ => {
                        if let Some(from) = plain.get(&sample).copied() {
                            prop_assert!(index.repoint(prefix, SampleId(sample), from, place));
                            plain.insert(sample, place);
                        }
                    }
                }
            }
            prop_assert_eq!(index.len(), plain.len() as u64);
        }

        #[test]
        fn every_field_of_a_slot_reads_back(print in 0_u64..1 << 38, sample in 0..=SEQUENCE_MAX, segment in 0..SEGMENTS_MAX, unit in 0_u64..1 << 22) {
            let place = Place { segment: SegmentId(segment), offset: unit * 64 };
            let slot = Slot::new(print, SampleId(sample), place);
            prop_assert_eq!((slot.print(), slot.sample(), slot.place()), (print, SampleId(sample), place));
        }
    }

    #[test]
    fn a_million_samples_are_found_and_take_less_than_forty_bytes_each() {
        let index = Index::new();
        let prefix = |n: u64| n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes();
        let place = |n: u64| Place { segment: SegmentId((n >> 12) as u32), offset: (n & 0xfff) * 64 };
        for n in 0..1_000_000 {
            index.put(prefix(n), SampleId(n), place(n));
        }
        for n in 0..1_000_000 {
            assert_eq!(index.place_of(prefix(n), SampleId(n)), Some(place(n)));
        }
        assert!(index.memory_bytes() < 40_000_000, "{}", index.memory_bytes());
    }
}
