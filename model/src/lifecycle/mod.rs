//! The way of an item through the loop: one table of statuses, one table of attributes.
//!
//! 1. [`advance`] is the only place that knows which change of status exists; what is not a row is refused.
//! 2. [`settle`] is the only place that knows what a change sets; a status never changes without its attributes.
//! 3. Nothing here reads a clock: the same arguments give the same answer, today and in a test.
//!
//! Reading order: [`Cause`] is all that can happen, [`Facts`] all that it may depend on, [`advance`] one row,
//! [`Moment`] what a row sets, [`settle`] a row with everything that follows at once. `docs/lifecycle.md` shows the
//! tables and says which rows are the seeds' and which are ours.

mod advance;
mod cause;
mod facts;
mod moment;
mod refused;
mod settle;

pub use advance::{SEND_AGAIN_COUNT_MAX, advance};
pub use cause::{Answer, Cause, Finding};
pub use facts::{Basis, Facts};
pub use moment::{Moment, priority_at_reception};
pub use refused::{Refused, Rule};
pub use settle::{Settled, settle};
