//! The words of the product: what an item, a sample and a status are, how they are written on the
//! wire, and which changes of status exist.
//!
//! Nothing here does I/O, reads a clock or draws a random number; whatever depends on those comes
//! in as an argument, so every function can be tested by its inputs alone.
//!
//! Reading order: [`id`] and [`digest`] name things, [`size`] measures them, [`arrival`] says what
//! came in, [`wire`] carries it between computers, [`limits`] bounds what a stranger may send; [`status`],
//! [`attributes`], [`eligibility`] and [`lifecycle`] are an item's way through the loop, [`event`] what people are told
//! about, [`submission`] how far a sample has come at the centre, [`item`] what programs see.

pub mod arrival;
pub mod attributes;
mod bytes;
pub mod digest;
pub mod eligibility;
pub mod event;
pub mod id;
pub mod item;
pub mod lifecycle;
pub mod limits;
pub mod size;
pub mod status;
pub mod submission;
pub mod timestamp;
pub mod wire;

pub use arrival::{Arrival, Content, Kind, RetryKey};
pub use attributes::Attributes;
pub use digest::{Blake3, Sha256};
pub use event::Event;
pub use id::{ClientId, ItemId, SampleId, Sequence};
pub use item::Item;
pub use size::{RawBytes, StoredBytes};
pub use status::Status;
pub use timestamp::Timestamp;
