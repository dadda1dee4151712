//! The daemon and the command line of `lazaret`: the only place where the engine, the words of the
//! product and the network meet.
//!
//! Reading order: [`cli`] is what a person calls, [`config`] is what a person writes down, [`daemon`] starts
//! and stops everything; [`http`] and [`intake`] are its two doors, [`security`] decides who passes them,
//! [`metrics`] counts.

pub mod cli;
pub mod config;
pub mod daemon;
pub mod http;
pub mod intake;
pub mod metrics;
pub mod security;
