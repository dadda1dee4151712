//! The analysis centre: what it remembers, and how it finds what samples have in common.
//!
//! ```text
//! submission, answer, set   book       one SQLite file; each step of the centre is one transaction
//! samples -> signature      analysis   groups, byte strings that they have and goodware has not, recipes
//! ```
//!
//! Whoever joins the crates brings bytes, keys, packages and a scanner.

pub mod analysis;
pub mod book;
