//! The parts that say what definitions find in bytes.
//!
//! ```text
//! text databases -> Definitions   definitions   parsed, every line accounted for
//! bytes -> Buffers                file          type, sections, normalised forms, members
//! bytes -> Buffers                cage          the same, in a process that can do nothing else
//! byte strings -> places          literal       very many at once, the front of every scan
//! Definitions -> Ruleset          ruleset       compiled, and matched exactly against one buffer
//! sample, Ruleset -> Verdict      scan          every buffer of a sample, allowances applied
//! blocks -> candidates            grams         which stored blocks a new signature can be in
//! sample -> Stripped             strip         only what can be infected, for samples that leave the house
//! old, new -> what to look at     retest        what a change of definitions can change about stored samples
//! ```
//!
//! The scanner knows bytes and rules only: no store, no status, no network. Whoever has bytes hands them in.

#[cfg(target_os = "linux")]
pub mod cage;
pub mod definitions;
pub mod file;
pub mod grams;
pub mod literal;
pub mod retest;
pub mod ruleset;
pub mod scan;
pub mod strip;
