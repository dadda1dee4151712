//! Bytes of which a buffer must have some for a rule to hold.
//!
//! ```text
//! string    -> Part...     shape      known bytes, gaps, alternatives; one sequence for each way it may be written
//! Part...   -> atoms       window     each match has at least one of them
//! condition -> atoms       condition  the strings that it cannot hold without
//! ```
//!
//! Whoever has an index of what stored bytes hold looks only where an atom is. Where nothing can be said the answer is
//! `None`, never a guess: a rule too many to try costs time, one too few costs a detection.

mod condition;
mod shape;
mod window;

pub(crate) use condition::Known;

/// Between [`crate::limits::ATOM_BYTES_MIN`] and [`crate::limits::ATOM_BYTES_MAX`] bytes.
pub type Atom = Vec<u8>;
