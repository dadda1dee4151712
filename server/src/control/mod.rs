//! The control loop: the one owner of statuses. It touches no sample byte.
//!
//! ```text
//! Event  -> State      owner      next, apply: what has happened
//! Answer -> changes    scans      what the scanner said, what it gets next
//! stage  -> changes    telling    what the gateway or the centre said, told to each item of a sample by `spread`
//! Ask    -> changes    asking     what a person wants, and what stands against it, which `request` says
//! time   -> alerts     timers     who has waited too long
//! ground -> changes    review     policy, clients, definitions changed: who waits no longer
//! cause  -> Own        settle     what follows for one item, through the status table
//! Own    -> catalogue  owner      in batches, durable before they are announced
//! Moved  -> alerts     notice     what a change is news of
//! ```
//!
//! 1. Every change of a status is made on this thread, so none is made from what another change has overtaken.
//! 2. An item is Quarantined until its verdict and its status are durable together; a kill before that repeats the scan.
//! 3. A sample is scanned once and submitted once however many items share it.
//! 4. What happens to many items is first written as one thing that happened, then told to each: a kill repeats the
//!    telling.

mod asking;
mod cause;
mod event;
mod notice;
mod owner;
mod request;
mod review;
mod scans;
mod settle;
mod spread;
mod telling;
mod timers;

pub use event::{Bell, Control, Event, Figures};
pub use request::{Ask, Request};
pub use settle::Moved;
