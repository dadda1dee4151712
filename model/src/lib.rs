//! The words of the product: what an item, a sample and a status are, how they are written on the
//! wire, and which changes of status exist.
//!
//! Nothing here does I/O, reads a clock or draws a random number; whatever depends on those comes
//! in as an argument, so every function can be tested by its inputs alone.
//!
//! Reading order: [`id`] and [`digest`] name things, [`size`] measures them, [`arrival`] says what
//! came in, [`wire`] carries it between computers, [`limits`] bounds what a stranger may send.

pub mod arrival;
mod bytes;
pub mod digest;
pub mod id;
pub mod limits;
pub mod size;
pub mod wire;

pub use arrival::{Arrival, Content, Kind, RetryKey};
pub use digest::{Blake3, Sha256};
pub use id::{ClientId, ItemId, SampleId, Sequence};
pub use size::{RawBytes, StoredBytes};
