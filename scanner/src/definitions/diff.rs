//! What changed between two sets of definitions, by content keys.

use super::outcome::Definitions;
use super::signature::Key;
use std::collections::HashMap;

/// Indices of what differs. A signature that was only moved to another line or file is in none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// Signatures of the new set whose name is not among those that left.
    pub added: Vec<u32>,
    /// Signatures under the same name with another content: old index, new index.
    pub changed: Vec<(u32, u32)>,
    /// Signatures of the old set that are gone, and whose name no new one took.
    pub removed: Vec<u32>,
    /// Allowances of the new set that the old one lacks.
    pub allow_added: Vec<u32>,
    /// Allowances of the old set that are gone.
    pub allow_removed: Vec<u32>,
}

impl Difference {
    /// What a re-test has to look for: signatures of the new set, ascending.
    #[must_use]
    pub fn to_scan(&self) -> Vec<u32> {
        let mut indices: Vec<u32> =
            self.added.iter().copied().chain(self.changed.iter().map(|(_, new)| *new)).collect();
        indices.sort_unstable();
        indices
    }

    /// Whose detections have to be looked at again: signatures of the old set, ascending.
    #[must_use]
    pub fn to_revoke(&self) -> Vec<u32> {
        let mut indices: Vec<u32> =
            self.removed.iter().copied().chain(self.changed.iter().map(|(old, _)| *old)).collect();
        indices.sort_unstable();
        indices
    }
}

/// Compares two sets: O(n log n) in time, 24 bytes for each signature of either in memory.
#[must_use]
pub fn diff(old: &Definitions, new: &Definitions) -> Difference {
    let keys = |definitions: &Definitions| sorted(definitions.signatures.iter().map(|signature| signature.key));
    let (gone, come) = difference(&keys(old), &keys(new));
    let mut by_name: HashMap<&str, Vec<u32>> = HashMap::new();
    for index in gone.iter().rev() {
        by_name.entry(&old.signatures[*index as usize].name).or_default().push(*index);
    }
    let mut difference_found = Difference::default();
    for index in come {
        let name = &*new.signatures[index as usize].name;
        match by_name.get_mut(name).and_then(Vec::pop) {
            Some(before) => difference_found.changed.push((before, index)),
            None => difference_found.added.push(index),
        }
    }
    difference_found.removed = by_name.into_values().flatten().collect();
    difference_found.removed.sort_unstable();
    let allow = |definitions: &Definitions| sorted(definitions.allow.iter().map(|allow| allow.key));
    let (allow_removed, allow_added) = difference(&allow(old), &allow(new));
    Difference { allow_added, allow_removed, ..difference_found }
}

/// Each different key with the first index that has it, ascending by key.
fn sorted(keys: impl Iterator<Item = Key>) -> Vec<(Key, u32)> {
    let mut sorted: Vec<(Key, u32)> = keys.zip(0..).collect();
    sorted.sort_unstable();
    sorted.dedup_by_key(|(key, _)| *key);
    sorted
}

/// Indices that only the one has and that only the other has, each ascending.
fn difference(one: &[(Key, u32)], other: &[(Key, u32)]) -> (Vec<u32>, Vec<u32>) {
    let (mut only_one, mut only_other) = (Vec::new(), Vec::new());
    let (mut left, mut right) = (one.iter().peekable(), other.iter().peekable());
    loop {
        let order = match (left.peek(), right.peek()) {
            (Some((one, _)), Some((other, _))) => one.cmp(other),
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (None, None) => break,
        };
        if order.is_le() {
            let index = left.next().map(|(_, index)| *index);
            only_one.extend(index.filter(|_| order.is_lt()));
        }
        if order.is_ge() {
            let index = right.next().map(|(_, index)| *index);
            only_other.extend(index.filter(|_| order.is_gt()));
        }
    }
    only_one.sort_unstable();
    only_other.sort_unstable();
    (only_one, only_other)
}
