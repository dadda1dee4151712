//! Signatures as people write them: the text databases of ClamAV, their containers, and repair recipes.
//!
//! ```text
//! Source {name, bytes} -> files     container   .cvd .cld .cud unpacked, bounded
//! files                -> lines     text        every line is accounted for
//! lines                -> values    signature   typed and validated
//! values               -> text      writer      the canonical line, whose hash is the content key
//! old, new             -> Difference diff       what a re-test has to look at
//! Source..., Source... -> Parts     parts       lines that differ: all that need be read to know it
//! ```
//!
//! Reading order: [`signature`] and what it is made of ([`target`], [`offset`], [`pattern`], [`logical`], [`hash`]),
//! then [`load()`].
//!
//! Invariants:
//! 1. Every line of every source is a signature, an allowance, an ignore, an unsupported or a rejected line: none
//!    disappears without a word.
//! 2. A signature that stands here can be matched: whatever cannot be is in `unsupported`, with its reason.
//! 3. Equal keys mean equal signatures: the key digests the canonical text, and that text parses to the same value.

pub mod container;
pub mod diff;
mod extended;
pub mod fault;
mod field;
pub mod hash;
mod ignore;
pub mod limits;
mod load;
pub mod logical;
pub mod offset;
pub mod outcome;
mod parts;
pub mod pattern;
pub mod repair;
pub mod signature;
pub mod target;

pub use diff::{Difference, diff};
pub use fault::{Fault, LineError, Why};
pub use hash::{FileDigest, HashSignature, Size};
pub use load::{LoadError, Options, PotentiallyUnwanted, Strictness, load};
pub use logical::{Expression, Logical, Subsignature};
pub use offset::{Anchor, Offset};
pub use outcome::{Allow, Definitions, Ignored, Reason, Rejected, Source, SourceSummary, Unsupported};
pub use parts::Parts;
pub use pattern::{Part, Pattern};
pub use signature::{Body, Key, Kind, Origin, Signature};
pub use target::Target;
