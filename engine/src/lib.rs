//! stub
pub mod disk;
