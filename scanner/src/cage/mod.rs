//! Hostile bytes are unpacked in a cage: a process that can compute, answer, and nothing else.
//!
//! ```text
//! caller ── bytes ──> Pool ── socket pair ──> worker process     same binary, hidden subcommand
//!    ^                 │                        │ confined         the crate `cage`
//!    └── each buffer ──┴──── frames <───────────┘ file::walk, strip
//! ```
//!
//! How workers are started, confined, timed and replaced is the crate `cage`'s; here stands what a sample's frames are.

mod pool;
mod strip;
mod wire;
mod worker;

pub use ::cage::{Confinement, Counts, Fault, Guard, Settings, Unguarded};
pub use pool::Pool;
pub use worker::worker_main;
