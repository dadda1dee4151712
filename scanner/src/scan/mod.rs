//! A sample through a ruleset: every buffer in it, and what its verdict is.
//!
//! 1. A verdict holds all matches, also those that an allowance suppresses: else nobody could say what removing the
//!    allowance changes.
//! 2. A verdict names what kept bytes from the scanner; "nothing found" is only as good as that list is empty.

mod scanner;
mod verdict;

pub use scanner::{Beside, Extent, scan, scan_beside};
pub use verdict::{Match, Verdict};
