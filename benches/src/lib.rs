//! What benches and load programs share: a store in a folder that vanishes, and samples to put.
//!
//! `benches/` holds one criterion file for each stage of the data path, each with its roof in the same
//! group; `src/bin/` holds programs that `perf` starts and compares with the peers.

pub mod product;
pub mod rows;
