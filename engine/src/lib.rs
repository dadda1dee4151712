//! stub
pub mod disk;
mod pack;
mod segment;
