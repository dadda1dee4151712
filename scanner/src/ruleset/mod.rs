//! A compiled set of definitions: what it finds in one buffer.
//!
//! ```text
//! Definitions -> Ruleset            compile     once, off to the side, its memory bounded
//! pattern     -> literals           choose      what every match contains, searched for in its stead
//! buffer      -> hits               literal     all literals of all patterns at once
//! hit         -> match              needle      verified exactly, by `place`, `spans` and `verify`
//! buffer      -> digests            digests     files, sections and allowances by value
//! matches     -> signatures         condition   logical expressions over how often each pattern matched
//! all         -> found              scan        one buffer through all of it
//! found       -> places             anchors     what a repair recipe's positions are measured from
//! ```
//!
//! 1. A ruleset never changes: any number of threads scan with it, and a new one takes its place as a whole.
//! 2. What is found is exact; literals only say where to look.
//! 3. The work on one buffer is bounded, and a bound that was reached is said.

mod anchors;
mod choose;
mod compile;
mod condition;
mod digests;
mod needle;
mod place;
mod scan;
mod spans;
mod verify;

use crate::definitions::Expression;
use crate::definitions::logical::{ByteCompare, TargetBlock};
use crate::literal::{self, LiteralSet};
use digests::DigestTable;
use needle::Needle;
use thiserror::Error;

pub use scan::{Scratch, WORK_MAX};

/// Bounds on a compiled set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Memory that the set and its making may hold.
    pub memory_bytes_max: u64,
}

impl Default for Limits {
    /// 1 GiB: some millions of signatures.
    fn default() -> Self {
        Self { memory_bytes_max: 1 << 30 }
    }
}

/// Why definitions do not become a ruleset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CompileError {
    /// The literals of its patterns.
    #[error(transparent)]
    Literals(literal::CompileError),
    /// All of it together.
    #[error("the definitions take {bytes} bytes when compiled, more than the {memory_bytes_max} allowed")]
    TooLarge {
        /// What they take.
        bytes: u64,
        /// What is allowed.
        memory_bytes_max: u64,
    },
}

/// A signature that loads and that this matcher cannot answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unusable {
    /// Its name.
    pub name: Box<str>,
    /// Why.
    pub why: UnusableWhy,
}

/// Why a signature cannot be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Error)]
pub enum UnusableWhy {
    /// The digest of an import table.
    #[error("digests of import tables are not supported")]
    ImportHash,
    /// A macro sub-signature.
    #[error("macro sub-signatures are not supported")]
    Macro,
    /// A number whose notation is found by looking at it, lowest byte first.
    #[error("byte comparisons of automatic notation with the lowest byte first are not supported")]
    ByteCompare,
}

/// Definitions, compiled. Signatures are known by their index in [`crate::definitions::Definitions::signatures`].
pub struct Ruleset {
    names: Box<[Box<str>]>,
    files: DigestTable,
    sections: DigestTable,
    allow: DigestTable,
    needles: Box<[Needle]>,
    literals: LiteralSet,
    /// For each literal, what its hits are for.
    hits: Box<[Hit]>,
    /// Needles that no literal leads to.
    swept: Box<[u32]>,
    logicals: Box<[LogicalRule]>,
    /// Logical signatures that may hold although nothing matched.
    unconditional: Box<[u32]>,
    tallies: u32,
    unusable: Box<[Unusable]>,
}

/// What a literal's hit says.
#[derive(Clone, Copy, Debug)]
struct Hit {
    needle: u32,
    /// How many bytes before it a match starts; `None` when that is not one number, and the buffer is searched once.
    before: Option<u32>,
}

/// A logical signature.
struct LogicalRule {
    signature: u32,
    block: TargetBlock,
    expression: Expression,
    first_tally: u32,
    tallies: u32,
    compares: Box<[(u8, ByteCompare)]>,
    holds_unmatched: bool,
}

impl Ruleset {
    /// The name of a signature.
    #[must_use]
    pub fn name(&self, signature: u32) -> &str {
        self.names.get(signature as usize).map_or("", |name| name)
    }

    /// Signatures, those that cannot be answered among them.
    #[must_use]
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether it finds nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Signatures that this matcher cannot answer.
    #[must_use]
    pub fn unusable(&self) -> &[Unusable] {
        &self.unusable
    }

    /// Patterns that no literal leads to and that every buffer of their target is searched for.
    #[must_use]
    pub fn swept(&self) -> usize {
        self.swept.len()
    }

    /// Bytes it holds, allocators' own left aside.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        let names = self.names.iter().map(|name| name.len() + size_of::<Box<str>>()).sum::<usize>();
        let needles =
            self.needles.iter().map(|needle| size_of::<Needle>() + needle.pattern.heap_bytes() as usize).sum::<usize>();
        names
            + needles
            + self.files.memory_bytes()
            + self.sections.memory_bytes()
            + self.allow.memory_bytes()
            + self.literals.memory_bytes()
            + size_of_val(&*self.hits)
            + size_of_val(&*self.logicals)
    }
}
