//! What each arrival brings: a pure function of (seed, profile, index).
//! 1. In every whole block of 1000 arrivals exactly `duplicates_per_mille` bring content that
//!    another arrival of this block or the one before brings as its own.
//! 2. In every 1000 distinct contents each share of sizes is exact, and in another shuffle each
//!    share of kinds.
//! 3. Two contents of different numbers differ.

mod files;
mod material;

pub use files::{Files, FilesError};

use crate::draw::{BLOCK, below, shuffled, unit};
use crate::profile::{CorpusShape, Profile};
use material::Material;
use std::sync::Arc;

const DUPLICATES: u64 = 0x11;
const SIZES: u64 = 0x12;
const KINDS: u64 = 0x13;
const SIZE_IN_SHARE: u64 = 0x14;
const SOURCE: u64 = 0x15;

/// Makes the contents of a run, or takes them from files.
#[derive(Debug, Clone)]
pub struct Corpus {
    seed: u64,
    shape: CorpusShape,
    material: Arc<Material>,
    files: Option<Arc<Files>>,
}

/// What a content is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContentKind {
    /// A program.
    Binary,
    /// A script or a mail.
    Text,
    /// Packed or encrypted.
    Incompressible,
}

impl Corpus {
    /// The corpus of a profile and seed; `files` replaces made contents by real ones.
    pub fn new(profile: &Profile, seed: u64, files: Option<Files>) -> Self {
        Self {
            seed,
            shape: profile.corpus.clone(),
            material: Arc::new(Material::new(seed)),
            files: files.map(Arc::new),
        }
    }

    /// The number of the content that an arrival brings.
    pub fn content(&self, index: u64) -> u64 {
        let originals = BLOCK - self.shape.duplicates_per_mille;
        let block = index / BLOCK;
        let place = shuffled(self.seed ^ DUPLICATES, block, index % BLOCK);
        if place < originals {
            return block * originals + place;
        }
        // A duplicate of the block before, so that its first copy was most likely acked; in the
        // first block of its own.
        block.saturating_sub(1) * originals + below(self.seed, SOURCE, index, originals)
    }

    /// Plain bytes of a content.
    pub fn bytes_of(&self, content: u64) -> u64 {
        match &self.files {
            Some(files) => files.bytes_of(content),
            None => self.made_bytes(content),
        }
    }

    /// A content, whole.
    pub fn body(&self, content: u64) -> Vec<u8> {
        match &self.files {
            Some(files) => files.body(content),
            None => self.material.body(self.seed, content, self.kind(content), self.made_bytes(content)),
        }
    }

    /// What a made content is like.
    pub fn kind(&self, content: u64) -> ContentKind {
        let place = shuffled(self.seed ^ KINDS, content / BLOCK, content % BLOCK);
        let kinds = &self.shape.kinds;
        if place < kinds.binary {
            ContentKind::Binary
        } else if place < kinds.binary + kinds.text {
            ContentKind::Text
        } else {
            ContentKind::Incompressible
        }
    }

    fn made_bytes(&self, content: u64) -> u64 {
        let mut place = shuffled(self.seed ^ SIZES, content / BLOCK, content % BLOCK);
        for share in &self.shape.sizes {
            if place < share.per_mille {
                let (min, max) = (share.bytes_min as f64, share.bytes_max as f64);
                let bytes = min * (max / min).powf(unit(self.seed, SIZE_IN_SHARE, content));
                return (bytes as u64).clamp(share.bytes_min, share.bytes_max);
            }
            place -= share.per_mille;
        }
        unreachable!("the shares of a checked profile add up to {BLOCK}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn corpus(seed: u64) -> Corpus {
        Corpus::new(&Profile::named("steady").unwrap(), seed, None)
    }

    #[test]
    fn duplicates_are_exact_over_whole_blocks() {
        let corpus = corpus(7);
        let distinct: HashSet<u64> = (0..5000).map(|index| corpus.content(index)).collect();
        assert_eq!(distinct.len(), 3500);
        assert_eq!(distinct.iter().max(), Some(&3499));
    }

    #[test]
    fn size_and_kind_shares_are_exact_over_a_thousand_contents() {
        let corpus = corpus(7);
        for block in 0..3 {
            let contents = || block * BLOCK..(block + 1) * BLOCK;
            let of = |min, max| contents().filter(|at| (min..max).contains(&corpus.bytes_of(*at))).count();
            // A size on the border of two shares is counted with the upper one: none is that large.
            assert_eq!(of(1024, 16384) + of(16384, 131_072), 950);
            assert_eq!(of(131_072, 1_048_577), 50);
            let kind = |kind| contents().filter(|at| corpus.kind(*at) == kind).count();
            assert_eq!(
                [kind(ContentKind::Binary), kind(ContentKind::Text), kind(ContentKind::Incompressible)],
                [700, 150, 150]
            );
        }
    }

    #[test]
    fn a_body_is_a_pure_function_of_seed_and_number() {
        assert_eq!(corpus(7).body(41), corpus(7).body(41));
        assert_ne!(corpus(7).body(41), corpus(8).body(41));
        assert_eq!(corpus(7).body(41).len() as u64, corpus(7).bytes_of(41));
    }

    #[test]
    fn different_numbers_are_different_bytes() {
        let corpus = corpus(7);
        let bodies: HashSet<Vec<u8>> = (0..300).map(|content| corpus.body(content)).collect();
        assert_eq!(bodies.len(), 300);
    }
}
