//! The daemon and the command line of `lazaret`: the only place where the engine, the words of the
//! product and the network meet.
//!
//! Reading order: [`daemon`] starts and stops everything.

pub mod daemon;
