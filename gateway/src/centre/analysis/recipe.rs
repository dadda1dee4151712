//! How the host is taken out of an infected file, for a whole group.
//!
//! 1. A recipe was applied here to every sample of the group, and its result holds no literal of the signature.
//! 2. Where a clean original is known, the result is that original, byte for byte.
//! 3. What cannot be told from the samples gives no recipe: a wrong repair is worse than none.

mod block;
mod jump;
mod originals;
mod pattern;
mod step;

use super::limits;
use super::name::SignatureName;
use super::search::Needle;
use std::ops::Range;

use originals::Reach;
pub use step::{Base, Position, Step};

/// Steps that undo an infection. Positions are those of the file as it was found (`docs/definitions.md`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipe {
    /// At least one.
    pub steps: Vec<Step>,
    /// What it rests on.
    pub evidence: Evidence,
}

/// What a recipe rests on, the weaker first. A centre may want a person to look at a recipe before it is certified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Evidence {
    /// The samples alone. A body that keeps the first bytes of its host under a constant key looks like one that
    /// keeps them as they were.
    Pattern,
    /// The samples, and one original that it restores.
    OneOriginal,
    /// Several different originals; or all of them, for a signature of digests.
    Originals,
}

/// An infected file and what it was before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair<'a> {
    /// As it was found.
    pub sample: &'a [u8],
    /// As it was.
    pub original: &'a [u8],
}

/// Derives the recipe of a group's signature; none if nothing is certain.
///
/// * `literals` are those of the signature in its order. Without any it is one of digests, and a recipe is for exactly
///   the samples of the pairs, which must be all.
/// * From two different originals on, what they have in common is the recipe. It has to hold for samples without one,
///   so bytes that are written must be equal in three, and bytes that are copied must lie at the same place in all.
/// * With fewer, the samples themselves must show it: one appended block, and a jump to it in place of first bytes
///   that the block keeps. One original says where the block begins; without one the jump has to.
///
/// O(n) for all samples and originals together, with a search for the patched bytes through a block of at most 1 MiB.
#[must_use]
pub fn derive(samples: &[&[u8]], pairs: &[Pair<'_>], literals: &[&[u8]]) -> Option<Recipe> {
    let are_writable = samples.iter().all(|sample| sample.len() <= limits::REPAIR_SAMPLE_BYTES_MAX);
    let (evidence, steps) = match (literals.is_empty(), different_originals(pairs)) {
        (true, _) if !samples.iter().all(|sample| pairs.iter().any(|pair| pair.sample == *sample)) => return None,
        (true, _) => (Evidence::Originals, originals::derive(pairs, literals, Reach::TheseFiles)),
        (false, 0) => (Evidence::Pattern, pattern::derive(samples, None)),
        (false, 1) => {
            let grown = pairs[0].sample.len().checked_sub(pairs[0].original.len())?;
            (Evidence::OneOriginal, pattern::derive(samples, Some(grown)))
        }
        (false, _) => (Evidence::Originals, originals::derive(pairs, literals, Reach::WholeFamily)),
    };
    let recipe = Recipe { steps: steps?, evidence };
    (are_writable && recipe.restores(samples, pairs, literals)).then_some(recipe)
}

fn different_originals(pairs: &[Pair<'_>]) -> usize {
    let mut originals: Vec<&[u8]> = pairs.iter().map(|pair| pair.original).collect();
    originals.sort_unstable();
    originals.dedup();
    originals.len()
}

/// Where each literal is first, as a scanner finds it.
pub(super) fn places(sample: &[u8], literals: &[&[u8]]) -> Vec<Option<Range<usize>>> {
    let first = |literal: &&[u8]| Needle::new(literal).first_in(sample).map(|at| at..at + literal.len());
    literals.iter().map(first).collect()
}

impl Recipe {
    /// Repairs a file, given the first match of each literal; none if a position is not in the file. O(n).
    ///
    /// The same as the scanner does with the recipe's line.
    #[must_use]
    pub fn apply(&self, found: &[u8], matches: &[Option<Range<usize>>]) -> Option<Vec<u8>> {
        step::apply(&self.steps, found, matches)
    }

    /// The line of `.repair`.
    #[must_use]
    pub fn line(&self, name: &SignatureName) -> String {
        let steps: Vec<String> = self.steps.iter().map(Step::to_string).collect();
        format!("{name};{}", steps.join(";"))
    }

    /// Invariants 1 and 2.
    fn restores(&self, samples: &[&[u8]], pairs: &[Pair<'_>], literals: &[&[u8]]) -> bool {
        let repaired = |sample: &[u8]| self.apply(sample, &places(sample, literals));
        let is_clean = |result: &[u8]| places(result, literals).iter().all(Option::is_none);
        (1..=limits::REPAIR_STEPS_MAX).contains(&self.steps.len())
            && samples.iter().all(|sample| repaired(sample).is_some_and(|result| is_clean(&result)))
            && pairs.iter().all(|pair| repaired(pair.sample).is_some_and(|result| result == pair.original))
    }
}

#[cfg(test)]
mod tests;
