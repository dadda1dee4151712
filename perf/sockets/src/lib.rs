//! Programs that put load on a running server over real sockets, and what they share.
//!
//! A server is started as a child of the program, on loopback or a Unix socket, in a folder of its own,
//! and never outlives it. Reading order: [`child`] is a process that must not be left behind, [`lazaret`]
//! is ours, [`native`] and [`http`] are its two doors, [`clamd`] and [`mwdb`] are peers, [`figures`] reads `/metrics`,
//! [`usage`] what the kernel knows about the time that each thread took. `src/bin/` holds the programs
//! that `perf` starts.

pub mod child;
pub mod clamd;
pub mod figures;
pub mod http;
pub mod lazaret;
pub mod mwdb;
pub mod native;
pub mod usage;
