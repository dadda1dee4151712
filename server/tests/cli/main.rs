//! The command line through the built binary: what it prints, what it writes, how it exits.
//!
//! [`offline`] and [`scan`] need no server; [`live`] starts real ones on loopback; [`secured`] those with tokens and TLS.

mod live;
mod offline;
mod scan;
mod secured;
mod support;
