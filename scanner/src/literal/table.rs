//! From a window to the literals that are filed under it: open addressing, eight bytes a slot.
//!
//! ```text
//! bit 63      40 39    32 31                        0
//!     tag        offset   place of the literal         one literal under this window
//!     tag        255      first run                    several: see `runs`
//!     all ones                                         empty
//! ```
//! A tag is 24 bits of the hash that do not choose the slot, so a window that is not filed is hardly ever
//! compared. Windows that share slot and tag are filed as if they were one; the compare tells them apart.

use super::runs::{Filed, Runs, begins};
use super::shape::{SPAN_MAX, Shape, load};
use super::texts::{Place, Texts};
use std::hash::{BuildHasher, RandomState};
use std::hint::black_box;

const EMPTY: u64 = u64::MAX;
/// In place of an offset: the slot names a run.
const SEVERAL: u8 = u8::MAX;
/// Slots for three windows: chains stay short, an empty slot ends most searches at once.
const SLOTS_FOR_THREE: usize = 5;
/// Candidates whose misses overlap: more than a core can have under way, few enough for the stack.
const BATCH: usize = 64;

const _: () = assert!(SPAN_MAX - 4 < SEVERAL as usize, "an offset is never taken for the mark of a run");

/// A hash whose upper half depends on all of the window.
#[inline]
pub(super) fn hash(window: u64, seed: u64) -> u64 {
    let mixed = (window ^ seed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed ^ (mixed >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93)
}

#[inline]
fn tag(hash: u64) -> u64 {
    hash >> 24 & 0xff_ffff
}

fn slot(tag: u64, offset: u8, what: u32) -> u64 {
    tag << 40 | u64::from(offset) << 32 | u64::from(what)
}

/// A table that is being filled.
pub(super) struct TableBuilder {
    table: Table,
    /// What found its window's slot taken.
    crowded: Vec<Filed>,
}

/// All windows of a class.
pub(super) struct Table {
    slots: Vec<u64>,
    runs: Runs,
    mask: u64,
    folded: bool,
    /// Differs from set to set, so that no list of literals is slow to file for everybody.
    seed: u64,
}

impl TableBuilder {
    /// A table for at most so many windows.
    pub(super) fn new(keys: usize, shape: Shape) -> Self {
        let table = Table {
            slots: vec![EMPTY; Table::slots_for(keys)],
            runs: Runs::new(shape.folded),
            mask: shape.mask(),
            folded: shape.folded,
            seed: RandomState::new().hash_one(keys),
        };
        Self { table, crowded: Vec::new() }
    }

    /// Files a literal under a window, already masked.
    pub(super) fn insert(&mut self, window: u64, offset: u8, text: Place) {
        let hash = hash(window, self.table.seed);
        let mut place = self.table.place(hash);
        loop {
            let taken = self.table.slots[place];
            if taken == EMPTY {
                self.table.slots[place] = slot(tag(hash), offset, text.0);
                return;
            }
            if taken >> 40 == tag(hash) {
                self.crowded.push(Filed { slot: place as u32, offset, text });
                return;
            }
            place = self.table.after(place);
        }
    }

    /// What shared windows need so far, at most: a place in a list that grows by doubling, then in a run.
    pub(super) fn crowded_bytes(&self) -> u64 {
        self.crowded.len() as u64 * Runs::MAKING_BYTES
    }

    /// Sorts the literals of shared windows into runs.
    pub(super) fn finish(self, texts: &Texts) -> Table {
        let Self { mut table, mut crowded } = self;
        crowded.sort_unstable_by_key(|filed| filed.slot);
        let mut window = Vec::new();
        for others in crowded.chunk_by(|a, b| a.slot == b.slot) {
            let taken = &mut table.slots[others[0].slot as usize];
            window.clear();
            window.push(Filed { slot: others[0].slot, offset: (*taken >> 32) as u8, text: Place(*taken as u32) });
            window.extend_from_slice(others);
            *taken = slot(*taken >> 40, SEVERAL, table.runs.add(&mut window, texts));
        }
        table.runs.shrink();
        table
    }
}

impl Table {
    fn slots_for(keys: usize) -> usize {
        keys / 3 * SLOTS_FOR_THREE + SLOTS_FOR_THREE
    }

    /// Memory of a table for so many windows, without those that several literals share.
    pub(super) fn bytes_for(keys: usize) -> usize {
        8 * Self::slots_for(keys)
    }

    #[inline]
    fn place(&self, hash: u64) -> usize {
        ((u128::from(hash) * self.slots.len() as u128) >> 64) as usize
    }

    #[inline]
    fn after(&self, place: usize) -> usize {
        if place + 1 == self.slots.len() { 0 } else { place + 1 }
    }

    /// Calls for each literal that is in the buffer with its window at a candidate, counted from `piece`.
    ///
    /// A candidate costs two misses, one for its slot and one for the literal, and neither can be guessed. So
    /// a batch takes one step after the other for all its candidates, and the misses of a step overlap.
    pub(super) fn find(
        &self,
        texts: &Texts,
        haystack: &[u8],
        piece: usize,
        candidates: &[u16],
        mut found: impl FnMut(Place, usize),
    ) {
        for batch in candidates.chunks(BATCH) {
            let mut looked = [(0, EMPTY); BATCH];
            for (looked, &candidate) in looked.iter_mut().zip(batch) {
                let hash = hash(load(haystack, piece + usize::from(candidate)) & self.mask, self.seed);
                *looked = (hash, self.slots[self.place(hash)]);
            }
            let (mut hits, mut count) = ([(EMPTY, 0); BATCH], 0);
            for (&(hash, taken), &candidate) in looked.iter().zip(batch) {
                let taken = if taken == EMPTY || taken >> 40 == tag(hash) { taken } else { self.walk(hash) };
                hits[count] = (taken, candidate);
                count += usize::from(taken != EMPTY);
            }
            let touched =
                hits[..count].iter().fold(0_u32, |sum, &(taken, _)| sum.wrapping_add(self.touch(texts, taken)));
            black_box(touched);
            for &(taken, candidate) in &hits[..count] {
                self.compare(texts, haystack, piece + usize::from(candidate), taken, &mut found);
            }
        }
    }

    /// The slot of a window whose first slot holds another.
    #[inline]
    fn walk(&self, hash: u64) -> u64 {
        let mut place = self.after(self.place(hash));
        loop {
            let taken = self.slots[place];
            if taken == EMPTY || taken >> 40 == tag(hash) {
                return taken;
            }
            place = self.after(place);
        }
    }

    #[inline]
    fn touch(&self, texts: &Texts, taken: u64) -> u32 {
        if (taken >> 32) as u8 == SEVERAL { self.runs.touch(taken as u32) } else { texts.touch(Place(taken as u32)) }
    }

    #[inline]
    fn compare(&self, texts: &Texts, haystack: &[u8], at: usize, taken: u64, found: &mut impl FnMut(Place, usize)) {
        let (offset, what) = ((taken >> 32) as u8, taken as u32);
        if offset == SEVERAL {
            self.runs.find(what, texts, haystack, at, found);
        } else if let Some(start) = at.checked_sub(usize::from(offset))
            && begins(texts.get(Place(what)), &haystack[start..], self.folded)
        {
            found(Place(what), start);
        }
    }

    pub(super) fn runs(&self) -> &Runs {
        &self.runs
    }

    pub(super) fn memory_bytes(&self) -> usize {
        8 * self.slots.capacity() + self.runs.memory_bytes()
    }
}
