//! A byte pattern as a sequence of parts.
//!
//! 1. Two neighbours are never both [`Part::Bytes`], both [`Part::Masked`] or both [`Part::Gap`]: equal patterns have
//!    one form, so that they have one canonical text.
//! 2. A pattern neither starts nor ends with a gap of more than one length.
//! 3. `??` and `{n}` are both the gap `n ..= n`, as they match the same bytes; but under the modifier `w` `??` is a
//!    [`MaskedByte`] of mask 0, as only it is followed by a zero byte.

mod build;
mod read;
mod runs;
mod write;

pub(crate) use build::Builder;
pub(crate) use read::{Demands, Negation, Width};
pub use runs::Length;
pub(crate) use write::Spelling;

/// Consecutive parts, each starting where the one before ended.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pattern {
    /// Empty only as a choice of alternates.
    pub parts: Box<[Part]>,
}

/// One element of a pattern.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// Exactly these bytes.
    Bytes(Box<[u8]>),
    /// Bytes of which only some bits are known (`a?`, `?a`). Never a mask of 0xff.
    Masked(Box<[MaskedByte]>),
    /// Any bytes, as many as the gap allows.
    Gap(Gap),
    /// One of several strings, or any string but them.
    Alternates(Box<Alternates>),
    /// A condition on the bytes around this place.
    Boundary(Boundary),
}

/// Matches `byte` when `byte & mask == value`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MaskedByte {
    /// The known bits; zero where the mask is.
    pub value: u8,
    /// Which bits are known: 0xf0 or 0x0f as written, 0 for `??` under `w`; any but 0xff in a form that was made.
    pub mask: u8,
}

/// `min ..= max` arbitrary bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Gap {
    /// At least so many.
    pub min: u32,
    /// At most so many; `None` for as many as there are.
    pub max: Option<u32>,
}

/// A choice of strings.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Alternates {
    /// Whether a member must or must not stand here.
    pub polarity: Polarity,
    /// At least one. Plain strings of one length when the polarity is negative; then exactly that many bytes are
    /// consumed, whatever they are.
    pub choices: Box<[Pattern]>,
}

/// Whether a condition must hold or must not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Polarity {
    /// It must hold.
    Positive,
    /// It must not: written with a leading `!`.
    Negative,
}

/// A boundary of words or lines.
///
/// At the start or the end of a segment it looks at the byte beside it and takes none; between two bytes of a segment
/// it takes the byte (or the line end) it describes: `aabb(W)ccdd` is found in `aa bb 20 cc dd`, not in `aa bb cc dd`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Boundary {
    /// What kind.
    pub kind: BoundaryKind,
    /// Whether it must be one.
    pub polarity: Polarity,
}

/// The character classes of the language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BoundaryKind {
    /// `(B)`: a word boundary or an end of the buffer.
    Word,
    /// `(L)`: CR, LF, CR LF, or an end of the buffer.
    Line,
    /// `(W)`: a byte that is neither letter nor digit.
    NonAlphanumeric,
}

/// A maximal run of known bytes that every match contains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run<'a> {
    /// The bytes.
    pub bytes: &'a [u8],
    /// How many bytes a match has at least before the run.
    pub before_min: u64,
    /// How many at most; `None` when a gap before it is unbounded.
    pub before_max: Option<u64>,
    /// Which part of the pattern it is.
    pub part: usize,
}
