//! Logical signatures: patterns under a condition on a file and on how often each of them matched.

mod block;
mod compare;
mod expression;
mod forms;
mod read;
mod subsignature;

use super::offset::Offset;
use super::pattern::Pattern;
use super::target::Target;

pub use forms::{Form, Neighbours};
pub(crate) use read::read_logical;

/// A logical signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logical {
    /// What the file must be.
    pub block: TargetBlock,
    /// How often its sub-signatures must match.
    pub expression: Expression,
    /// At most 64, referred to by index.
    pub subsignatures: Box<[Subsignature]>,
}

/// Conditions on the file as a whole. A range is inclusive at both ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetBlock {
    /// Which files.
    pub target: Target,
    /// The functionality levels of engines that may use it. Already applied at load; kept for the canonical text.
    pub engine: Option<Range>,
    /// The size of the buffer.
    pub file_size: Option<Range>,
    /// The file offset of the entry point.
    pub entry_point: Option<Range>,
    /// How many sections the executable has.
    pub sections: Option<Range>,
    /// The type of the immediate container (`CL_TYPE_*`, without that prefix); `ANY` for none at all.
    pub container: Option<Box<str>>,
    /// The types of the containers, outermost first, the last being the immediate one; `ANY` stands for any of them.
    pub intermediates: Box<[Box<str>]>,
}

/// `min ..= max`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Range {
    /// The least.
    pub min: u32,
    /// The most.
    pub max: u32,
}

/// A condition on the numbers of matches of sub-signatures.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Expression {
    /// Sub-signature `index` matched at least once.
    Matched(u8),
    /// All of them hold.
    All(Box<[Expression]>),
    /// At least one of them holds.
    AnyOf(Box<[Expression]>),
    /// `of` under a condition on the sum of the matches of its sub-signatures.
    Count {
        /// What is counted.
        of: Box<Expression>,
        /// How the sum compares.
        compare: Compare,
        /// With what.
        matches: u32,
        /// At least so many different sub-signatures must have matched; 0 when the text names none.
        distinct_min: u32,
    },
}

/// How a number compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Compare {
    /// `=`
    Equal,
    /// `>`
    Greater,
    /// `<`
    Less,
}

/// One sub-signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subsignature {
    /// A pattern.
    Body {
        /// Where.
        offset: Offset,
        /// What.
        pattern: Pattern,
        /// In which forms.
        modifiers: Modifiers,
    },
    /// `${min-max}group$`: a member of the group `min ..= max` bytes behind the *start* of the last match of the
    /// sub-signature before it.
    Macro {
        /// How far behind that start.
        distance: Range,
        /// Which group, below 32.
        group: u8,
        /// The patterns of the group, from `.ndb` lines whose offset is `$group`.
        members: Box<[Pattern]>,
    },
    /// A number read from the buffer near a match of another sub-signature.
    ByteCompare(ByteCompare),
}

/// The forms in which a pattern is looked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Modifiers {
    /// `i`: ASCII letters match in either case.
    pub case_insensitive: bool,
    /// `w`: each byte is followed by a zero byte.
    pub wide: bool,
    /// `f`: neither neighbour of the match is a letter or a digit.
    pub full_word: bool,
    /// `a`: as written; what is meant when `w` is absent.
    pub ascii: bool,
}

/// `trigger(offset#options#comparisons)`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteCompare {
    /// The sub-signature whose match is the origin.
    pub trigger: u8,
    /// Bytes from the start of that match; negative for `<<`.
    pub offset: i64,
    /// How the bytes are written.
    pub notation: Notation,
    /// Which byte comes first. Big for decimal text.
    pub order: ByteOrder,
    /// Whether fewer than `length` usable bytes are no match. Always for [`Notation::Binary`].
    pub exact: bool,
    /// How many bytes: 1, 2, 4 or 8 for [`Notation::Binary`].
    pub length: u32,
    /// One or two; all must hold.
    pub comparisons: Box<[(Compare, u64)]>,
}

/// How a number is written in a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Notation {
    /// `h`: hexadecimal digits.
    Hexadecimal,
    /// `d`: decimal digits.
    Decimal,
    /// `a`: hexadecimal after `0x`, else decimal.
    Automatic,
    /// `i`: raw bytes.
    Binary,
}

/// Which byte of a number comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ByteOrder {
    /// The lowest.
    Little,
    /// The highest.
    Big,
}

impl Logical {
    /// Appends the canonical line of `.ldb`.
    pub(crate) fn write(&self, out: &mut Vec<u8>, name: &str, spelling: super::pattern::Spelling) {
        out.extend_from_slice(name.as_bytes());
        out.push(b';');
        self.block.write(out);
        out.push(b';');
        self.expression.write(out);
        for subsignature in &self.subsignatures {
            out.push(b';');
            subsignature.write(out, spelling);
        }
    }
}
