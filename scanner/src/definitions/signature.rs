//! One signature: what it is called, what it looks for, and where it was written.

use super::{HashSignature, Logical, Offset, Pattern, Target};

/// The first 16 bytes of the BLAKE3 of a signature's canonical text, its name included.
///
/// Among 2^20 signatures two keys collide with a chance of 2^-89; content is trusted to differ when keys do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(pub [u8; 16]);

/// Where a line was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    /// An index into `Definitions::sources`.
    pub source: u32,
    /// The line, counted from 1.
    pub line: u32,
}

/// A signature that can be matched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The name a verdict shows. Several signatures may share one.
    pub name: Box<str>,
    /// What it looks for.
    pub kind: Kind,
    /// Where it was written; no part of its identity.
    pub origin: Origin,
    /// Its identity across definitions.
    pub key: Key,
}

/// What a signature looks for. Large kinds are boxed: most of a million signatures are hashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A byte pattern in a buffer (`.ndb`, `.db`).
    Body(Box<Body>),
    /// The digest of a whole file (`.hdb`, `.hsb`).
    Hash(HashSignature),
    /// The digest of one section of a PE file; the size is the section's (`.mdb`, `.msb`).
    SectionHash(HashSignature),
    /// The MD5 of a PE file's sorted import table; the size is the table's text (`.imp`).
    ImportHash(HashSignature),
    /// Several patterns under a condition (`.ldb`).
    Logical(Box<Logical>),
}

/// A byte pattern with the files and places it is looked for in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body {
    /// Which files.
    pub target: Target,
    /// Where in them the pattern starts.
    pub offset: Offset,
    /// What stands there.
    pub pattern: Pattern,
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Key({self})")
    }
}
