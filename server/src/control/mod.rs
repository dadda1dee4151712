//! The control loop: the one owner of statuses. It touches no sample byte.
//!
//! ```text
//! Event  -> State      owner      next, apply: what has happened
//! State  -> Own        settle     what follows for items: causes, then the status table
//! Own    -> catalogue  owner      in batches, durable before they are announced
//! State  -> Job        owner      what is to be scanned next
//! ```
//!
//! 1. Every change of a status that a scan or a re-test causes is made on this thread, so none is made from a verdict
//!    that another change has overtaken.
//! 2. An item is Quarantined until its verdict and its status are durable together; a kill before that repeats the scan.
//! 3. A sample is scanned once however many items share it.

mod cause;
mod event;
mod owner;
mod settle;

pub use event::{Bell, Control, Event, Figures};
pub use settle::Moved;
