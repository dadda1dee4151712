//! One workload for everything that is compared: which bytes are stored, how the writers are
//! driven, what is counted.
//!
//! The product's program and the peers' program both link this crate, so a difference between two
//! cells is never a difference of generators or clocks. Reading order: [`corpus`] makes the bytes,
//! [`drive`] runs closed-loop writers against a [`drive::Writer`], [`cell`] is the result, one JSON
//! line, [`absent`] says who cannot take part, [`disk`] reads what the kernel knows about bytes written. [`binaries`] and
//! [`haystack`] have what scanning needs: real files in disjoint parts, literals cut from them, inputs to look in.
//! [`clock`] is the time of one thread.

pub mod absent;
pub mod binaries;
pub mod cell;
pub mod clock;
pub mod corpus;
pub mod disk;
pub mod drive;
pub mod haystack;
pub mod postgres;

pub use absent::Absent;
pub use cell::Cell;
pub use corpus::Corpus;
pub use drive::{Load, Stored, Writer, drive};
