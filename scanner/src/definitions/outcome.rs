//! What loading gives: signatures, and an account of every line that became none.

use super::fault::Fault;
use super::hash::HashSignature;
use super::repair::Recipe;
use super::signature::{Key, Origin, Signature};

/// A file of definitions as handed in: its name decides its language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source<'a> {
    /// A file name; everything up to the last `/` is ignored.
    pub name: &'a str,
    /// Its content.
    pub bytes: &'a [u8],
}

/// A set of definitions, ready to be compiled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Definitions {
    /// In the order of their sources and lines.
    pub signatures: Vec<Signature>,
    /// Files that must not be reported (`.fp`, `.sfp`). A verdict keeps what they suppress.
    pub allow: Vec<Allow>,
    /// Names whose signatures were left out (`.ign`, `.ign2`).
    pub ignored: Vec<Ignored>,
    /// What is well formed and cannot be used, by name and reason.
    pub unsupported: Vec<Unsupported>,
    /// What is not well formed: the first `limits::REJECTED_MAX` lines.
    pub rejected: Vec<Rejected>,
    /// How many more lines are not well formed.
    pub rejected_beyond: u64,
    /// How to repair what signatures find (`.repair`).
    pub repairs: Vec<Recipe>,
    /// The files it was read from; members of containers have entries of their own.
    pub sources: Vec<SourceSummary>,
}

/// A file that must not be reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allow {
    /// The name of the allowance.
    pub name: Box<str>,
    /// The file.
    pub hash: HashSignature,
    /// Where it was written.
    pub origin: Origin,
    /// Its identity across definitions.
    pub key: Key,
}

/// A name whose signatures are left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ignored {
    /// The signatures' name.
    pub name: Box<str>,
    /// Only the signature whose line has this MD5.
    pub line_md5: Option<[u8; 16]>,
    /// How many signatures it kept out.
    pub removed: u32,
    /// Where it was written.
    pub origin: Origin,
}

/// A well-formed line that gives no signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsupported {
    /// The signature's name, or the file's when it is refused as a whole.
    pub name: Box<str>,
    /// Why.
    pub reason: Reason,
    /// Where it was written; line 0 for a whole file.
    pub origin: Origin,
}

/// Why a well-formed line gives no signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum Reason {
    /// A PCRE sub-signature.
    #[error("a regular expression (PCRE) is not supported")]
    Pcre,
    /// A `fuzzy_img#` sub-signature.
    #[error("a fuzzy image hash is not supported")]
    FuzzyImage,
    /// `IconGroup1` or `IconGroup2`.
    #[error("icon groups are not supported")]
    IconGroup,
    /// `HandlerType`.
    #[error("changing a file's type by signature (HandlerType) is not supported")]
    HandlerType,
    /// An attribute that ClamAV does not know either, and skips the signature for.
    #[error("an unknown attribute")]
    UnknownAttribute,
    /// A file type that ClamAV does not know either.
    #[error("an unknown file type")]
    UnknownFileType,
    /// A target type above 14, which ClamAV skips too.
    #[error("an unknown target type")]
    UnknownTarget,
    /// An attribute named twice.
    #[error("an attribute is named twice")]
    RepeatedAttribute,
    /// ClamAV loads it and can never find it.
    #[error("loads in ClamAV and can never match")]
    CannotMatch,
    /// `[n-m]` beside a byte with a wildcard, or under `w`.
    #[error("an anchored range beside a wildcard byte or under w does not mean what it says in ClamAV")]
    AnchoredWildcard,
    /// Text that only a lenient scanner of numbers takes.
    #[error("a number with blanks, signs, more than 32 bits or something behind it")]
    LooseNumber,
    /// A count over an expression that has counts itself.
    #[error("a count over counts")]
    NestedCount,
    /// See `limits`.
    #[error("expanding macros takes more memory than allowed")]
    MacroMemory,
    /// A file in a language this loader does not read.
    #[error("this kind of file is not supported")]
    FileKind,
    /// For engines older or newer than the one emulated: left out by the language's own rule.
    #[error("meant for other functionality levels of the engine")]
    FunctionalityLevel,
    /// Potentially unwanted applications, which were not asked for.
    #[error("potentially unwanted applications were not asked for")]
    PotentiallyUnwanted,
}

/// A line that is not well formed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// Where it was written; line 0 for a whole file.
    pub origin: Origin,
    /// The byte at which reading failed, counted from 1.
    pub column: u32,
    /// What was wrong there.
    pub why: Fault,
}

/// One file that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceSummary {
    /// Its name, behind that of its container and a `/` if it has one.
    pub name: Box<str>,
    /// Lines that are no comment.
    pub lines: u32,
    /// Signatures, before ignores.
    pub signatures: u32,
}

impl Reason {
    /// Whether the language's own rules leave such a signature out, so that it is nothing to complain of.
    #[must_use]
    pub fn is_by_design(self) -> bool {
        matches!(self, Reason::FunctionalityLevel | Reason::PotentiallyUnwanted)
    }
}
