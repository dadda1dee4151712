//! Definitions become a compiled ruleset, and a ruleset says what it finds in bytes.
//!
//! ```text
//! text databases -> Definitions   definitions   parsed, every line accounted for
//! Definitions -> Ruleset          ruleset       compiled off to the side, immutable
//! bytes -> Buffers                file          type, sections, normalised forms, members
//! Buffers -> Verdict              scan          literals first, exact verification behind
//! bytes -> Buffers in a cage   cage          the same, in a process that can do nothing else
//! blocks -> candidates            grams         which stored blocks a new signature can be in
//! ```
//!
//! The scanner knows bytes and rules only: no store, no status, no network. Whoever has bytes hands them in.

#[cfg(target_os = "linux")]
pub mod cage;
pub mod definitions;
pub mod file;
pub mod grams;
pub mod literal;
pub mod ruleset;
