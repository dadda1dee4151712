//! The parts kept until now, within their bounds.

use std::collections::HashSet;

use crate::strip::{Kept, NotStripped, PARTS_MAX, Part};

/// Parts, and what they come to.
pub(super) struct Keeper {
    parts: Vec<Part>,
    bytes: u64,
    bytes_max: u64,
    /// Digests of the parts: a file that two readers find in one container is kept once.
    digests: HashSet<blake3::Hash>,
}

impl Keeper {
    pub(super) fn new(bytes_max: u64) -> Self {
        Self { parts: Vec::new(), bytes: 0, bytes_max, digests: HashSet::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Keeps a part, unless it has no bytes or the same as one before.
    pub(super) fn keep(&mut self, path: &[String], what: Kept, bytes: Vec<u8>) -> Result<(), NotStripped> {
        if bytes.is_empty() || !self.digests.insert(blake3::hash(&bytes)) {
            return Ok(());
        }
        self.bytes += bytes.len() as u64;
        if self.bytes > self.bytes_max || self.parts.len() >= PARTS_MAX {
            return Err(NotStripped::TooMuch { parts_max: PARTS_MAX, bytes_max: self.bytes_max });
        }
        self.parts.push(Part { path: path.to_vec(), what, bytes });
        Ok(())
    }

    pub(super) fn into_parts(self) -> Vec<Part> {
        self.parts
    }
}
