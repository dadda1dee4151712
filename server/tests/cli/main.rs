//! The command line through the built binary: what it prints, what it writes, how it exits.
//!
//! [`offline`] and [`scan`] need no server; [`live`] and [`defs`] start real ones on loopback, [`hands`] decides for
//! them, [`kills`] and [`loop_kills`] end them; [`secured`] those with tokens and TLS.

mod centre;
mod defs;
mod hands;
mod kills;
mod live;
mod loop_kills;
mod offline;
mod proxy;
mod rubbish;
mod scan;
mod secured;
mod support;
mod thousand;
