//! Rules in the cage: hostile sources are compiled there and hostile buffers tried there.
//!
//! ```text
//! sources ──> Pool ── each new worker, once it is confined ──> compile ──> Report
//! buffer  ──> Pool ── any worker ──────────────────────────> scan ─────> Found
//! ```

mod pool;
mod wire;
mod worker;

pub use pool::{Pool, StartError};
pub use worker::worker_main;
