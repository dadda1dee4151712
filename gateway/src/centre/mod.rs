//! The analysis centre.

pub mod analysis;
