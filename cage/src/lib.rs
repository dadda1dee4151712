//! Hostile bytes are worked on in a cage: a process that can compute, answer, and nothing else.
//!
//! ```text
//! caller ── job ──> Crew ── socket pair ──> worker process      same binary, hidden subcommand
//!    ^               │                        │ confine          limits, landlock, seccomp, then the first byte
//!    └── answer ─────┴──── frames <───────────┘ serve            what the job is: its crate's business
//! ```
//!
//! 1. A worker reads no byte of a job before it is confined, and says in its first frame what confines it.
//! 2. One job at a time per worker; whatever happens to the worker is that job's answer and nobody else's.
//! 3. The caller waits with a deadline of its own, and believes no length that a worker sends.
//! 4. A kernel without one of the guards is reported by name, and refused where the settings say so.
//!
//! What the frames of a job mean is known to the crate that defines the job, at both ends; nothing here knows a sample.
#![cfg(target_os = "linux")]

mod confine;
mod crew;
pub mod frame;
mod process;
mod worker;

pub use confine::{Confinement, Guard, allow_cpu};
pub use crew::{Counts, Crew, Fault, Greeting, Settings, Unguarded};
pub use process::Line;
pub use worker::{Bounds, run};
