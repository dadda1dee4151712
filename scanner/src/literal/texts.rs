//! The bytes of all literals in one piece, and which of them are copies of one another.
//!
//! ```text
//! record: id (4) | length (4) | bytes      at `Place`, so that a compare misses the cache once
//! ```
//! Only the first of several equal literals has a record; the others hang behind it in a chain, so a hundred
//! thousand copies of one string cost a scan nothing until it is found.

use super::{Case, Literal};
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

/// Bytes of a record before those of the literal.
pub(super) const HEAD_BYTES: usize = 8;
/// No further copy.
const NONE: u32 = u32::MAX;

/// Where a record begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place(pub(super) u32);

/// All distinct literals, lower case where their case does not count.
pub(super) struct Texts {
    records: Vec<u8>,
    /// `copies[id]` is the next literal equal to `id`; empty where no two are equal.
    copies: Vec<u32>,
}

impl Texts {
    /// Copies the literals. Returned with them are the places of the records, exact ones first, then those of
    /// any case.
    pub(super) fn new(literals: &[Literal<'_>]) -> (Self, [Vec<Place>; 2]) {
        let lower: Vec<Option<Vec<u8>>> = literals
            .iter()
            .map(|literal| (literal.case == Case::AnyAscii).then(|| literal.bytes.to_ascii_lowercase()))
            .collect();
        let text = |id: u32| lower[id as usize].as_deref().unwrap_or(literals[id as usize].bytes);
        let (firsts, copies) = chain_copies(literals, text);
        let bytes: usize = firsts.iter().map(|&id| HEAD_BYTES + text(id).len()).sum();
        let mut records = Vec::with_capacity(bytes);
        let mut places = [Vec::new(), Vec::new()];
        for id in firsts {
            places[usize::from(literals[id as usize].case == Case::AnyAscii)].push(Place(records.len() as u32));
            records.extend_from_slice(&id.to_le_bytes());
            records.extend_from_slice(&(text(id).len() as u32).to_le_bytes());
            records.extend_from_slice(text(id));
        }
        (Self { records, copies }, places)
    }

    #[inline]
    fn number(&self, at: usize) -> u32 {
        u32::from_le_bytes(self.records[at..at + 4].try_into().expect("four bytes"))
    }

    /// The bytes of a literal.
    #[inline]
    pub(super) fn get(&self, place: Place) -> &[u8] {
        let start = place.0 as usize + HEAD_BYTES;
        &self.records[start..start + self.number(start - 4) as usize]
    }

    /// Asks for a record before it is needed, so that the misses of several overlap. The result is only there
    /// to be used.
    #[inline]
    pub(super) fn touch(&self, place: Place) -> u32 {
        self.number(place.0 as usize + 4)
    }

    /// Calls for a literal and for every other that equals it.
    #[inline]
    pub(super) fn each_copy(&self, place: Place, mut call: impl FnMut(u32)) {
        let first = self.number(place.0 as usize);
        call(first);
        if self.copies.is_empty() {
            return;
        }
        let mut next = self.copies[first as usize];
        while next != NONE {
            call(next);
            next = self.copies[next as usize];
        }
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.records.capacity() + 4 * self.copies.capacity()
    }
}

/// The ids that come first among their equals, and the chains of the others. Sorting by hash rather than by
/// bytes keeps long equal beginnings from making it slow.
fn chain_copies<'a>(literals: &[Literal<'_>], text: impl Fn(u32) -> &'a [u8]) -> (Vec<u32>, Vec<u32>) {
    let state = RandomState::new();
    let key = |id: u32| (literals[id as usize].case, text(id));
    let mut order: Vec<(u64, u32)> = (0..literals.len() as u32).map(|id| (state.hash_one(key(id)), id)).collect();
    order.sort_unstable();
    let (mut firsts, mut chained) = (Vec::with_capacity(order.len()), Vec::new());
    for same_hash in order.chunk_by(|a, b| a.0 == b.0) {
        if let [(_, alone)] = same_hash {
            firsts.push(*alone);
            continue;
        }
        let mut last_of = HashMap::new();
        for &(_, id) in same_hash {
            match last_of.insert(key(id), id) {
                Some(before) => chained.push((before, id)),
                None => firsts.push(id),
            }
        }
    }
    let mut copies = Vec::new();
    if !chained.is_empty() {
        copies = vec![NONE; literals.len()];
        for (before, id) in chained {
            copies[before as usize] = id;
        }
    }
    firsts.sort_unstable();
    (firsts, copies)
}
