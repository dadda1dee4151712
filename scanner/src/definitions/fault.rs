//! What can be wrong with a line, and where in it.

use super::outcome::Reason;

/// Why a line gives no value, at a byte of it counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LineError {
    /// The byte at which reading failed.
    pub column: u32,
    /// Why.
    pub why: Why,
}

/// Whether the line is wrong, or right and of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum Why {
    /// It is not well formed.
    #[error(transparent)]
    Malformed(#[from] Fault),
    /// It is well formed and cannot be used.
    #[error(transparent)]
    Unsupported(#[from] Reason),
}

/// What is not well formed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum Fault {
    /// An empty line; a file may end with one line end.
    #[error("the line is empty")]
    EmptyLine,
    /// See `limits`.
    #[error("the line is longer than {bytes_max} bytes")]
    LongLine {
        /// The most its language allows.
        bytes_max: usize,
    },
    /// See `limits`.
    #[error("there are more than {lines_max} lines in all")]
    ManyLines {
        /// The most.
        lines_max: u64,
    },
    /// See `limits`.
    #[error("the files have more than {bytes_max} bytes in all")]
    ManyBytes {
        /// The most.
        bytes_max: u64,
    },
    /// A zero byte.
    #[error("a zero byte")]
    ZeroByte,
    /// Too few or too many fields.
    #[error("{found} fields where {min} to {max} are expected")]
    Fields {
        /// How many there are.
        found: usize,
        /// The fewest.
        min: usize,
        /// The most.
        max: usize,
    },
    /// No name.
    #[error("the name is empty")]
    EmptyName,
    /// Not a number.
    #[error("a decimal number is expected")]
    Number,
    /// A size of zero or of 2^32-1 and beyond.
    #[error("a size is a number from 1 to 4294967294, or *")]
    Size,
    /// `*` without the level that introduced it.
    #[error("a size of * needs a minimum functionality level of at least 73")]
    AnySizeLevel,
    /// A digest of another length, or not of hexadecimal digits.
    #[error("a digest has 32, 40 or 64 hexadecimal digits")]
    Digest,
    /// An unknown anchor.
    #[error("an offset is *, n, EOF-n, EP+n, EP-n, Sx+n, SL+n, SEx or VI, and ,shift behind any but *")]
    Offset,
    /// `EP`, `S` and `VI` need an executable.
    #[error("this offset needs a target of PE, ELF or Mach-O")]
    OffsetTarget,
    /// A macro group beyond the last.
    #[error("macro groups are numbered from 0 to 31")]
    MacroGroup,
    /// More patterns than a group may have.
    #[error("a macro group has at most 256 members")]
    MacroMembers,
    /// Not a hexadecimal digit where one is expected.
    #[error("hexadecimal digits in pairs are expected")]
    Hexadecimal,
    /// A segment without two known bytes side by side.
    #[error("a segment between * and {{}} needs two known bytes side by side")]
    NoStaticPair,
    /// A pattern without wildcards that is too short to be searched for.
    #[error("a pattern without wildcards needs three bytes")]
    ShortPattern,
    /// A segment without bytes.
    #[error("a pattern neither starts nor ends with * or a range, and two never meet")]
    EmptySegment,
    /// Not `{n}`, `{n-}`, `{-n}` or `{n-m}`.
    #[error("a range is {{n}}, {{n-}}, {{-n}} or {{n-m}}")]
    Range,
    /// Not `[n]` or `[n-m]` within its bounds.
    #[error("an anchored range is [n-m] with n <= m <= 32")]
    AnchoredRange,
    /// `[n-m]` without a single byte beside it.
    #[error("an anchored range has one single byte at one end of its segment")]
    AnchoredByte,
    /// A parenthesis without its other half.
    #[error("a parenthesis is not closed")]
    OpenParenthesis,
    /// `()` or `(|aa)`.
    #[error("an alternate needs a first member")]
    EmptyAlternate,
    /// See `limits`.
    #[error("alternates are nested more than 16 deep")]
    DeepAlternates,
    /// `*`, a range or a class within alternates.
    #[error("alternates hold bytes, ??, nibbles, {{n}} below 128 and alternates only")]
    AlternateContent,
    /// A negation of more than plain strings of one length.
    #[error("only plain strings of one length, without modifiers, can be negated")]
    Negation,
    /// A class within a segment, before its first two known bytes.
    #[error("a boundary stands at the start of a segment or behind two known bytes side by side")]
    BoundaryPlace,
    /// An attribute that is not `Name:Value`.
    #[error("an attribute is Name:Value")]
    Attribute,
    /// An attribute's value.
    #[error("this attribute's value is not well formed")]
    AttributeValue,
    /// `Engine` behind another attribute.
    #[error("Engine comes first")]
    EnginePlace,
    /// An attribute of a later version without `Engine:51-`.
    #[error("this attribute needs Engine with a minimum of at least 51 in the first place")]
    AttributeLevel,
    /// No `Target`.
    #[error("no Target is named")]
    NoTarget,
    /// An attribute of executables only.
    #[error("this attribute needs a target with an entry point and sections")]
    AttributeTarget,
    /// See `limits`.
    #[error("more than 16 intermediates")]
    ManyIntermediates,
    /// The expression.
    #[error("a sub-signature's number or a parenthesis is expected")]
    Expression,
    /// An operator without its right side.
    #[error("an operator lacks its right side")]
    ExpressionOperand,
    /// A comparison without a number.
    #[error("a number is expected behind the comparison")]
    ExpressionCount,
    /// Anything behind the end of an expression.
    #[error("an operator is expected")]
    ExpressionOperator,
    /// See `limits`.
    #[error("an expression is nested more than 64 deep")]
    DeepExpression,
    /// The highest number in the expression and the count of sub-signatures disagree.
    #[error("the expression numbers {named} sub-signatures, the line has {written}")]
    SubsignatureCount {
        /// The highest number and one.
        named: usize,
        /// How many there are.
        written: usize,
    },
    /// See `limits`.
    #[error("more than 64 sub-signatures")]
    ManySubsignatures,
    /// Not one of i, w, f, a.
    #[error("a modifier is one of i, w, f, a")]
    Modifier,
    /// Not `${min-max}group$`.
    #[error("a macro is ${{min-max}}group$")]
    Macro,
    /// Not `trigger(offset#options#comparisons)`.
    #[error("a byte comparison is trigger(>>offset#options#comparisons)")]
    ByteCompare,
    /// Its middle field.
    #[error("the options of a byte comparison are one of h d a i, one of l b, e, and a length")]
    ByteCompareOptions,
    /// Its last field.
    #[error("one or two comparisons are expected, each <, > or = and a number")]
    ByteCompareComparison,
    /// Not `trigger/expression/flags`.
    #[error("a regular expression is trigger/expression/flags")]
    Pcre,
    /// A trigger that names itself or a later sub-signature.
    #[error("a trigger names earlier sub-signatures only")]
    PcreTrigger,
    /// An unknown flag.
    #[error("a flag of a regular expression is one of g r e i s m x A E U")]
    PcreFlag,
    /// Not 16 hexadecimal digits.
    #[error("a fuzzy image hash has 16 hexadecimal digits and a distance of 0")]
    FuzzyImage,
    /// A container that is not one.
    #[error("{0}")]
    Container(#[from] super::container::ContainerFault),
    /// A repair recipe.
    #[error("{0}")]
    Repair(#[from] super::repair::RepairFault),
}

impl LineError {
    /// At the byte with this index, counted from 0.
    pub(crate) fn at(index: usize, why: impl Into<Why>) -> LineError {
        let column = u32::try_from(index).unwrap_or(u32::MAX - 1) + 1;
        LineError { column, why: why.into() }
    }
}
