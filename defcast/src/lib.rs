//! Definitions on their way from whoever makes them to whoever uses them.
//!
//! ```text
//! files -> package    package   one numbered set, signed, that one file carries
//! key   -> signature  keys      who vouches for a set, and whom one believes
//! ```
//!
//! The crate knows packages and keys; it knows no sample, no signature language, no clock and no randomness: what it needs
//! of these comes in as arguments. Which number may follow which is for whoever installs to say.

pub mod keys;
pub mod package;
