//! Repair recipes: how a file that a signature was found in becomes what it was before.
//!
//! 1. Every position is one of the file as it was found: no step moves what another names.
//! 2. Steps that write do so in their order; what is cut is cut at the end.
//! 3. Bytes that are copied are those of the found file.
//! 4. The result is never longer than the found file.
//!
//! A repair is verified by whoever applies it: the result is scanned again.

mod apply;
mod read;

pub use apply::{Anchors, RecipeError, apply};
pub use read::RepairFault;

use super::signature::Origin;

/// How to repair what one signature finds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipe {
    /// The name of the signature.
    pub signature: Box<str>,
    /// What to do; at least one step.
    pub steps: Box<[Step]>,
    /// Where it was written.
    pub origin: Origin,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// `truncate at`: remove everything from a position on.
    Truncate {
        /// The first byte to go.
        at: Position,
    },
    /// `drop bytes`: remove an appended part of known length.
    Drop {
        /// How many bytes go from the end.
        bytes: u64,
    },
    /// `cut from to`: remove a range.
    Cut {
        /// The first byte to go.
        from: Position,
        /// The first byte to stay.
        to: Position,
    },
    /// `write at hex`: overwrite.
    Write {
        /// The first byte to change.
        at: Position,
        /// What it and those behind it become.
        bytes: Box<[u8]>,
    },
    /// `copy from bytes to`: copy back what was moved away.
    Copy {
        /// The first byte to copy.
        from: Position,
        /// How many.
        bytes: u64,
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

/// What a position is measured from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    /// `start`: the first byte.
    Start,
    /// `end`: behind the last byte.
    End,
    /// `entry`: the file offset of the entry point.
    Entry,
    /// `match`, `match2`: the first byte of the match of the signature, or of one of its sub-signatures.
    Match(u8),
    /// `behind`, `behind2`: the first byte behind that match.
    Behind(u8),
}
