//! Which stored blocks can contain a byte string: a filter of n-grams per block, stored transposed.
//!
//! ```text
//! learned once     -> Rule           rule      which gram stands at each position
//! bytes of a block -> BlockGrams     block     the set of its grams
//! a segment's sets -> bytes          builder   widths from the budget, columns solved, rows laid out
//! literals         -> Query          query     the grams a block must have
//! bytes, queries   -> candidates     segment   an AND of rows, 512 blocks at a time
//! ```
//!
//! Invariants:
//! 1. No false negative: a window of at most 64 bytes that starts in a block, even if it ends up to 63 bytes
//!    beyond it, makes the block a candidate.
//! 2. A filter is read with the rule it was written with, or not at all.
//! 3. What is damaged or cut is an error; no input makes reading panic.
//!
//! `docs/grams.md` explains the choice and draws every byte.

mod block;
mod builder;
mod error;
mod format;
mod layer;
mod peel;
mod plan;
mod query;
mod rule;
mod segment;

pub use block::{BLOCK_BYTES, BlockGrams, Filler, REACH_BYTES};
pub use builder::SegmentGramsBuilder;
pub use error::{GramsError, Unindexable};
pub use plan::{Filter, Policy};
pub use query::{Query, WINDOW_BYTES_MAX, Window};
pub use rule::{GRAM_BYTES_MAX, GRAM_BYTES_MIN, Rule};
pub use segment::{Cost, SegmentGrams};
