//! What a change of definitions can have changed about stored samples, without their bytes.
//!
//! ```text
//! buffers of a sample -> Facts       facts       digests, sections, grams: kept when it is scanned
//! Facts of samples    -> shelf       shelf       one byte string, read where it lies
//! old, new            -> Delta       delta       what is new, what is gone, what has to be looked at
//! signature           -> literals    required    of which every buffer that matches contains one
//! Delta, shelf        -> Answer      answer      certain matches, samples and blocks to look at
//! ```
//!
//! Samples are named by a number that never changes, so a shelf outlives every rewriting of the store's own files.
//!
//! 1. Whatever the new set finds and the old one did not is among the certain matches or the candidates of an answer, or
//!    is found by what the delta says must be swept.
//! 2. A certain match is a digest's; all others are found by scanning.
//! 3. What is damaged or cut is an error; no input makes reading panic.

mod answer;
mod delta;
mod digests;
mod facts;
mod required;
mod shelf;

pub use answer::{Answer, Candidate};
pub use delta::{Delta, Literal};
pub use facts::{Facts, FactsBuilder};
pub use shelf::{Shelf, ShelfBuilder, ShelfError};
