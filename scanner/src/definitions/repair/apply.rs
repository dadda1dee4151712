//! A recipe applied to bytes.

use super::{Base, Position, Recipe, Step};
use std::ops::Range;

/// Where in the found file a recipe's positions are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Anchors<'a> {
    /// The first match of each sub-signature, as byte ranges of the file; the one match of a signature without any.
    pub matches: &'a [Option<(u64, u64)>],
    /// The file offset of the entry point.
    pub entry_point: Option<u64>,
}

/// Why a recipe cannot be applied to a file. The file is unchanged then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecipeError {
    /// The file has no entry point, or the sub-signature did not match.
    #[error("step {step}: {position} is not known for this file")]
    NoAnchor {
        /// Which step, from 1.
        step: usize,
        /// Which position.
        position: Position,
    },
    /// A position or a range outside the file, or one that ends before it starts.
    #[error("step {step}: bytes {from} to {to} are not within the file's {bytes}")]
    Outside {
        /// Which step, from 1.
        step: usize,
        /// The first byte.
        from: i128,
        /// Behind the last byte.
        to: i128,
        /// The length of the file.
        bytes: usize,
    },
}

/// Repairs `input`, giving a new file.
///
/// # Errors
/// A position that the file does not have. Nothing is clipped: a recipe that does not fit was made for another file.
pub fn apply(recipe: &Recipe, input: &[u8], anchors: Anchors<'_>) -> Result<Vec<u8>, RecipeError> {
    let mut output = input.to_vec();
    let mut cuts: Vec<Range<usize>> = Vec::new();
    for (index, step) in recipe.steps.iter().enumerate() {
        let found = Found { step: index + 1, len: input.len(), anchors };
        let len = input.len() as i128;
        match step {
            Step::Truncate { at } => cuts.push(found.range(found.place(*at)?, len)?),
            Step::Drop { bytes } => cuts.push(found.range(len - i128::from(*bytes), len)?),
            Step::Cut { from, to } => cuts.push(found.range(found.place(*from)?, found.place(*to)?)?),
            Step::Write { at, bytes } => {
                let at = found.place(*at)?;
                output[found.range(at, at + bytes.len() as i128)?].copy_from_slice(bytes);
            }
            Step::Copy { from, bytes, to } => {
                let (from, to) = (found.place(*from)?, found.place(*to)?);
                let source = found.range(from, from + i128::from(*bytes))?;
                output[found.range(to, to + i128::from(*bytes))?].copy_from_slice(&input[source]);
            }
        }
    }
    Ok(without(output, cuts))
}

/// The bytes outside all ranges, which may overlap.
fn without(bytes: Vec<u8>, mut cuts: Vec<Range<usize>>) -> Vec<u8> {
    cuts.sort_unstable_by_key(|cut| cut.start);
    let mut kept = Vec::with_capacity(bytes.len());
    let mut from = 0;
    for cut in cuts {
        if cut.start > from {
            kept.extend_from_slice(&bytes[from..cut.start]);
        }
        from = from.max(cut.end);
    }
    kept.extend_from_slice(&bytes[from..]);
    kept
}

struct Found<'a> {
    step: usize,
    len: usize,
    anchors: Anchors<'a>,
}

impl Found<'_> {
    fn place(&self, position: Position) -> Result<i128, RecipeError> {
        let matched = |number: u8| self.anchors.matches.get(usize::from(number)).copied().flatten();
        let base = match position.base {
            Base::Start => Some(0),
            Base::End => Some(self.len as u64),
            Base::Entry => self.anchors.entry_point,
            Base::Match(number) => matched(number).map(|(from, _)| from),
            Base::Behind(number) => matched(number).map(|(_, to)| to),
        };
        let base = base.ok_or(RecipeError::NoAnchor { step: self.step, position })?;
        Ok(i128::from(base) + i128::from(position.plus))
    }

    fn range(&self, from: i128, to: i128) -> Result<Range<usize>, RecipeError> {
        let within = usize::try_from(from).ok().zip(usize::try_from(to).ok());
        let within = within.filter(|(from, to)| from <= to && *to <= self.len);
        within.map(|(from, to)| from..to).ok_or(RecipeError::Outside { step: self.step, from, to, bytes: self.len })
    }
}
