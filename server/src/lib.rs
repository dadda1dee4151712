//! The daemon and the command line of `lazaret`: the only place where the engine, the words of the
//! product and the network meet.
//!
//! Reading order: [`cli`] is what a person calls, [`config`] is what a person writes down, [`daemon`] starts
//! and stops everything; [`http`] and [`intake`] are its two doors, [`security`] decides who passes them,
//! [`metrics`] counts; [`definitions`] holds the sets, [`scanning`] tests samples, [`control`] makes statuses of what is
//! found, [`retest`] tests again when definitions change, [`exchange`] takes samples to the analysis centre and brings
//! answers and definitions back, [`alerts`] tells people, [`centre`] is an analysis centre of one's own.

pub mod alerts;
pub mod centre;
pub mod cli;
pub mod config;
pub mod control;
pub mod daemon;
pub mod definitions;
pub mod exchange;
pub mod http;
pub mod intake;
pub mod metrics;
pub mod retest;
pub mod scanning;
pub mod security;
