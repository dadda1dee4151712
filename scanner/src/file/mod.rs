//! What a file is, and the buffers in it that signatures look at.
//!
//! ```text
//! bytes -> Kind            kind         magic numbers, then whether it reads as text
//! Kind  -> Executable      executable   entry point, sections, version information
//! Kind  -> Normalised      normalise    text and HTML as signature writers see them
//! Kind  -> members         container    archives, mail, compound documents; each member is walked again
//! all   -> Member, Member  walk         every buffer once, under one set of `Limits`
//! ```
//!
//! The buffers are those that ClamAV's target types define, because its signatures are what is matched on them;
//! what was found by experiment with `clamscan` is said where it is used. Nothing here reads a clock, a file or
//! the network: the caller says when time is up.

pub mod container;
pub mod executable;
pub mod kind;
pub mod limits;
pub mod member;
pub mod normalise;
pub mod outcome;
pub mod walk;

pub use executable::{Executable, Section};
pub(crate) use executable::{Held, Place};
pub use kind::{KIND_BYTES_MIN, Kind, Target};
pub use limits::Limits;
pub use member::{Digests, Flow, Form, Member, Targets};
pub use outcome::{Limit, Outcome, Trouble, TroubleKind};
pub use walk::walk;
