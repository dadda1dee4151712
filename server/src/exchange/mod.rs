//! The gateway's task: samples go to the analysis centre, answers and definitions come back (first seed, "Using
//! Internet-based Scan and Deliver").
//!
//! ```text
//! queue, policy -> Parcel     parcel    the bytes that leave the house, stripped or whole
//! Parcel -> Staged            submit    one sample, resumed where it broke off
//! submissions -> Staged       answers   what the centre says about those it has
//! needed, interval -> set     sets      definitions fetched, verified, installed
//! all of it                   task      in turn
//! trouble -> a wait           lane      each kind of work on its own
//! ```
//!
//! 1. The key of a submission is durable before its first byte leaves, so that a kill sends nothing as two.
//! 2. Trouble on the way changes no status: only a signed answer does, and the control loop makes it so.
//! 3. One sample is submitted once however many items wait for it.

mod answers;
mod lane;
mod parcel;
mod sets;
mod state;
mod submit;
mod task;

pub use state::{Exchange, Told};
pub use task::Courier;
