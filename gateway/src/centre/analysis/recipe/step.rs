//! One step of a recipe, its text, and what it does.

use super::super::literal::hexadecimal;
use std::ops::Range;

/// One step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Removes everything from a position on.
    Truncate {
        /// The first byte to go.
        at: Position,
    },
    /// Removes so many bytes from the end.
    Drop {
        /// How many.
        bytes: usize,
    },
    /// Removes a range.
    Cut {
        /// The first byte to go.
        from: Position,
        /// The first byte to stay.
        to: Position,
    },
    /// Overwrites.
    Write {
        /// The first byte to change.
        at: Position,
        /// What it and those behind it become.
        bytes: Box<[u8]>,
    },
    /// Copies back what was moved away.
    Copy {
        /// The first byte to copy.
        from: Position,
        /// How many.
        bytes: usize,
        /// Where they belong.
        to: Position,
    },
}

/// A place in the found file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// What it is measured from.
    pub base: Base,
    /// Bytes behind it; before it when negative.
    pub plus: i64,
}

/// What a position is measured from. The entry point is not among them: nothing here reads executables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    /// The first byte.
    Start,
    /// Behind the last byte.
    End,
    /// The first byte of the first match of a literal.
    Match(u8),
    /// Behind the last byte of it.
    Behind(u8),
}

impl Position {
    /// Bytes behind a base.
    #[must_use]
    pub fn new(base: Base, plus: i64) -> Position {
        Position { base, plus }
    }

    fn in_file(self, bytes: usize, matches: &[Option<Range<usize>>]) -> Option<usize> {
        let matched = |number: u8| matches.get(usize::from(number)).and_then(Option::as_ref);
        let base = match self.base {
            Base::Start => 0,
            Base::End => bytes,
            Base::Match(number) => matched(number)?.start,
            Base::Behind(number) => matched(number)?.end,
        };
        let place = i64::try_from(base).ok()?.checked_add(self.plus)?;
        usize::try_from(place).ok().filter(|place| *place <= bytes)
    }
}

/// Applies steps; none if a position is not in the file. What is cut is cut at the end. O(n).
pub(super) fn apply(steps: &[Step], found: &[u8], matches: &[Option<Range<usize>>]) -> Option<Vec<u8>> {
    let mut output = found.to_vec();
    let mut cuts: Vec<Range<usize>> = Vec::new();
    for step in steps {
        step.apply(found, matches, &mut output, &mut cuts)?;
    }
    cuts.sort_unstable_by_key(|cut| cut.start);
    let (mut kept, mut from) = (Vec::with_capacity(output.len()), 0);
    for cut in cuts {
        kept.extend_from_slice(&output[from..cut.start.max(from)]);
        from = from.max(cut.end);
    }
    kept.extend_from_slice(&output[from..]);
    Some(kept)
}

impl Step {
    /// Changes the output and adds to the cuts; none if a position or a range is not in the file. Nothing is clipped.
    fn apply(
        &self,
        found: &[u8],
        matches: &[Option<Range<usize>>],
        output: &mut [u8],
        cuts: &mut Vec<Range<usize>>,
    ) -> Option<()> {
        let place = |position: &Position| position.in_file(found.len(), matches);
        match self {
            Step::Truncate { at } => cuts.push(place(at)?..found.len()),
            Step::Drop { bytes } => cuts.push(found.len().checked_sub(*bytes)?..found.len()),
            Step::Cut { from, to } => {
                let cut = place(from)?..place(to)?;
                (cut.start <= cut.end).then(|| cuts.push(cut))?;
            }
            Step::Write { at, bytes } => {
                output.get_mut(place(at)?..)?.get_mut(..bytes.len())?.copy_from_slice(bytes);
            }
            Step::Copy { from, bytes, to } => {
                let source = found.get(place(from)?..)?.get(..*bytes)?;
                output.get_mut(place(to)?..)?.get_mut(..*bytes)?.copy_from_slice(source);
            }
        }
        Some(())
    }
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Step::Truncate { at } => write!(f, "truncate {at}"),
            Step::Drop { bytes } => write!(f, "drop {bytes}"),
            Step::Cut { from, to } => write!(f, "cut {from} {to}"),
            Step::Write { at, bytes } => write!(f, "write {at} {}", hexadecimal(bytes)),
            Step::Copy { from, bytes, to } => write!(f, "copy {from} {bytes} {to}"),
        }
    }
}

impl std::fmt::Display for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.base {
            Base::Start => f.write_str("start")?,
            Base::End => f.write_str("end")?,
            Base::Match(0) => f.write_str("match")?,
            Base::Match(number) => write!(f, "match{number}")?,
            Base::Behind(0) => f.write_str("behind")?,
            Base::Behind(number) => write!(f, "behind{number}")?,
        }
        if self.plus == 0 { Ok(()) } else { write!(f, "{:+}", self.plus) }
    }
}
