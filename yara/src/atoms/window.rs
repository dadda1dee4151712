//! Which bytes of a string stand for it.

use super::Atom;
use super::shape::Part;
use crate::limits::{ATOM_BYTES_MAX, ATOM_BYTES_MIN, ATOMS_MAX};

/// Atoms of which every match has at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct AtomSet {
    pub atoms: Vec<Atom>,
    /// How many different bytes the weakest atom has.
    weakest: usize,
}

impl AtomSet {
    fn of(run: &[u8]) -> Option<AtomSet> {
        if run.len() < ATOM_BYTES_MIN {
            return None;
        }
        let window = run.windows(run.len().min(ATOM_BYTES_MAX)).max_by_key(|window| different(window))?;
        Some(AtomSet { atoms: vec![window.to_vec()], weakest: different(window) })
    }

    /// One of several is needed: the atoms of all. `None` when one has none, or there are too many.
    pub fn either(sets: impl IntoIterator<Item = Option<AtomSet>>) -> Option<AtomSet> {
        let mut all: Option<AtomSet> = None;
        for set in sets {
            let set = set?;
            let sum = all.get_or_insert(AtomSet { atoms: Vec::new(), weakest: usize::MAX });
            sum.weakest = sum.weakest.min(set.weakest);
            for atom in set.atoms {
                if !sum.atoms.contains(&atom) {
                    sum.atoms.push(atom);
                }
            }
            if sum.atoms.len() > ATOMS_MAX {
                return None;
            }
        }
        all
    }

    /// All are needed: the best of those that have any.
    pub fn best(sets: impl IntoIterator<Item = Option<AtomSet>>) -> Option<AtomSet> {
        sets.into_iter().flatten().max_by_key(AtomSet::rank)
    }

    /// Of sets of which only some are needed, the strong ones come first.
    pub fn rank(&self) -> (usize, std::cmp::Reverse<usize>) {
        (self.weakest, std::cmp::Reverse(self.atoms.len()))
    }
}

/// The atoms of a string that looks like this.
pub(super) fn choose(parts: &[Part]) -> Option<AtomSet> {
    let mut found = Vec::new();
    let mut run = Vec::new();
    for part in parts {
        if let Part::Byte(byte) = part {
            run.push(*byte);
            continue;
        }
        found.push(AtomSet::of(&run));
        run.clear();
        if let Part::Either(branches) = part {
            found.push(AtomSet::either(branches.iter().map(|branch| choose(branch))));
        }
    }
    found.push(AtomSet::of(&run));
    AtomSet::best(found)
}

fn different(bytes: &[u8]) -> usize {
    let mut seen = [false; 256];
    bytes.iter().for_each(|byte| seen[usize::from(*byte)] = true);
    seen.iter().filter(|seen| **seen).count()
}
