//! From similar samples to a signature that finds them and nothing else (`docs/analysis.md`).
//!
//! ```text
//! gram      eight bytes in a row, and the number they go by
//! gram_set  a set of such numbers that may hold too much, never too little
//! goodware  all grams of files in which nothing may be found
//! features  what is kept of a sample so that it can be compared
//! cluster   groups of similar samples, found through an index
//! extract   byte strings that all samples of a group have and no goodware has
//! lines     the text of definitions
//! recipe    how the host is taken out of an infected file
//! proof     exact: in every sample, in no clean file
//! ```
//!
//! 1. The same input in the same order gives the same bytes out: no clock, no randomness, no order of a hash map.
//! 2. Samples are hostile: nothing panics, and memory and time have the bounds that `limits` names.
//! 3. A mistake in grouping costs a signature, never a false alarm: what leaves here is proved on exact bytes.

pub mod cluster;
pub mod extract;
pub mod features;
pub mod goodware;
pub mod limits;
pub mod lines;
pub mod proof;
pub mod recipe;

mod encoding;
#[cfg(test)]
mod families;
mod gram;
mod gram_set;
mod index;
mod literal;
mod name;
mod search;
mod shared;
mod similarity;

pub use cluster::{ClusterId, Clusters};
pub use encoding::FeaturesError;
pub use extract::{ExtractOptions, Extracted, extract};
pub use features::Features;
pub use goodware::{Goodware, GoodwareError};
pub use lines::Lines;
pub use literal::Literal;
pub use name::{NameError, SignatureName};
pub use proof::{Refuted, prove};
pub use recipe::{Evidence, Pair, Recipe, Step, derive};
pub use similarity::{Similarity, similarity};
