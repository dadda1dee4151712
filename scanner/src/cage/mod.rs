//! Hostile bytes are unpacked in a cage: a process that can compute, answer, and nothing else.
//!
//! ```text
//! caller ── bytes ──> Pool ── socket pair ──> worker process     same binary, hidden subcommand
//!    ^                 │                        │ confine          limits, landlock, seccomp, then the first byte
//!    └── each buffer ──┴──── frames <───────────┘ file::walk
//! ```
//!
//! 1. A worker reads no byte of a sample before it is confined, and says in its first frame what confines it.
//! 2. One sample at a time per worker; whatever happens to the worker is that sample's answer and nobody else's.
//! 3. The caller waits with a deadline of its own, and believes no length that a worker sends.
//! 4. A kernel without one of the guards is reported by name, and refused where the settings say so.

pub mod confine;
pub mod pool;
mod wire;
pub mod worker;

pub use confine::{Confinement, Guard};
pub use pool::{Counts, Fault, Pool, Settings, Unguarded};
pub use worker::worker_main;
