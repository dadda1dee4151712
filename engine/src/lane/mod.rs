//! The lane: puts records into the active segment, makes them durable in batches, and answers. One thread at a time
//! serves it: its own, or a caller that found it free.
//!
//! 1. Records are durable in the order of their sequence; answers come in that order, after the sync.
//! 2. A batch is whatever is ready when the lane is free; there is no timer.
//! 3. After a failed write nothing more is answered with yes until the store is opened again.
//! 4. Only the lane makes arrivals, so only the lane decides that a sample may be dropped.

mod active;
mod batch;
pub(crate) mod growing;
mod reserve;
mod settle;
mod writer;

pub(crate) use batch::{Coming, Content, Doomed, LargeContent, Work};
pub use batch::{Done, Outcome, Stored};
pub(crate) use writer::Lane;

/// Arrivals and other work that may wait for the lane: every arrival holds a permit, and the rest is a few callers.
pub(crate) const WORK_MAX: usize = crate::quota::PERMITS_MAX as usize + 256;
