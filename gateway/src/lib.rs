//! The words between a quarantine and the analysis centre, and both of their ends.
//!
//! ```text
//! customer -> headers       customer   who asks, in every message
//! sample   -> Submission    message    what is submitted: the X- attributes of one request
//! bytes    -> Receipt       reply      what comes back, signed, bound to the request and the sample
//! seal                                 who signs and who vouches: the keys are somebody else's
//! Client                    client     the quarantine's end: HTTP(S), a proxy, bounds, no redirects
//! backoff                              when to try again
//! centre                               what the centre does with samples
//! ```
//!
//! 1. Only a signed reply that names the request and the sample changes anything; whatever else a wire says is weather.
//! 2. Nothing here knows where samples lie, how definitions are packaged, or what a status means: whoever joins the
//!    crates hands that in.
//!
//! `docs/gateway.md` shows every message.

pub mod backoff;
pub mod centre;
pub mod client;
mod customer;
mod message;
pub mod reply;
mod seal;

pub use client::{Client, Trouble};
pub use customer::{CUSTOMER_BYTES_MAX, Customer};
pub use message::{BadMessage, Submission, names};
pub use seal::{PURPOSE, Signs, Vouches};
