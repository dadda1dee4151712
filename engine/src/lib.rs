//! Durable, deduplicated, compressed, encrypted storage of samples, and the catalogue of their items.
//!
//! The data path, each step consumed to make the next:
//!
//! ```text
//! Ask -> Permit            quota      decided before a byte of the body is read
//! Submission -> Packed     pack       hashed, compressed, sealed, on a packer's thread
//! Packed -> Placed         lane       in a batch, not yet durable
//! Placed -> Stored         lane       after the batch's sync; only this answers the client
//! Stored -> Entry          catalogue  fed from the log, never in the way of an answer
//! ```
//!
//! Reading order: [`disk`] is the seam to the operating system; `quota`, `pack`, `segment` and `lane` are the path in;
//! `recovery` is the way back after a crash; `sample` reads; `housekeeping` cleans up; [`Engine`] is what users hold.
//!
//! The engine knows no signature, no gateway and no meaning of a status.

pub mod catalogue;
mod check;
pub mod counters;
pub mod disk;
mod engine;
mod error;
mod housekeeping;
mod index;
mod key;
mod lane;
mod large;
mod offline;
mod pack;
mod pool;
mod priority;
mod quota;
mod recovery;
mod reply;
mod retry;
mod sample;
pub mod segment;
mod settings;
mod shared;
mod suspects;
mod torn;

pub use catalogue::Catalogue;
pub use disk::{IoMode, ReadMode, disk};
pub use engine::{Ask, Engine, Health, Submission};
pub use error::{Damage, OpenError, ReadError, SubmitError};
pub use lane::{Done, Outcome, Stored};
pub use large::LargeWriter;
pub use offline::{Progress, RebuildReport, VerifyReport, rebuild, verify};
pub use pack::{BLOCK_BYTES, CodecPolicy, Effort};
pub use pool::Buffer;
pub use priority::run_in_background;
pub use quota::{FullReason, Level, Permit, QuotaState, Refusal, SlowReason};
pub use recovery::Recovery;
pub use sample::{READ_BYTES_MAX, Sample};
pub use settings::{FullPolicy, Settings};
pub use torn::TornTail;
