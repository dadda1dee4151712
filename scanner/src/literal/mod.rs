//! Which of a large set of byte strings occur in a buffer, and where.
//!
//! `docs/matching.md` teaches the algorithm. In one breath: a literal is filed under windows of four to eight
//! of its bytes, the rarest it has; a scan looks at every first, second, fourth or eighth position of the
//! buffer, asks a small filter whether a window that begins there is filed, and compares the few that are.
//!
//! 1. A literal in a class of stride *s* is filed under exactly one window for each residue of offsets
//!    modulo *s*, so each of its occurrences is met at exactly one looked-at position: none is missed, none
//!    is told twice.
//! 2. The filter and the table only ever err by saying "perhaps"; every answer is the result of a compare.
//! 3. A compiled set never changes; any number of threads may scan with it.
//!
//! Reading order: [`texts`] holds the bytes, [`rarity`] knows what is common in ordinary files, [`shape`]
//! is what a class looks at, [`plan`] chooses classes and windows, [`filter`] and [`probe`] find candidates,
//! [`table`] and [`runs`] verify them, [`short`] carries what is too short for a window, [`set`] is the whole, [`split`] lets
//! several threads do it.

#[cfg(target_arch = "x86_64")]
mod avx2;
mod filter;
mod limits;
mod plan;
mod probe;
pub mod rarity;
mod report;
mod runs;
mod set;
mod shape;
mod short;
mod split;
mod table;
mod texts;
mod windows;

#[cfg(test)]
mod tests;

pub use limits::{CompileError, CompileLimits};
pub use probe::Instructions;
pub use report::{ClassReport, Report};
pub use set::LiteralSet;
pub use split::PART_BYTES;

/// A byte string to look for. Its [`LiteralId`] is its place in the slice that was compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Literal<'a> {
    /// What to look for, at least one byte.
    pub bytes: &'a [u8],
    /// Which letters count as the same.
    pub case: Case,
}

/// Which letters count as the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Case {
    /// Every byte stands for itself.
    Exact,
    /// `a` to `z` and `A` to `Z` are the same letters; every other byte stands for itself.
    AnyAscii,
}

/// Place of a literal in the slice that was compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LiteralId(pub u32);

impl<'a> Literal<'a> {
    /// A literal whose every byte stands for itself.
    pub fn exact(bytes: &'a [u8]) -> Self {
        Self { bytes, case: Case::Exact }
    }

    /// A literal whose ASCII letters match in either case.
    pub fn any_ascii(bytes: &'a [u8]) -> Self {
        Self { bytes, case: Case::AnyAscii }
    }
}
