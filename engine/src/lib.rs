//! stub

pub mod catalogue;
