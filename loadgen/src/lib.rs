//! Simulates whole estates of clients and measures what they would feel.

pub mod corpus;
pub mod draw;
pub mod limits;
pub mod profile;
pub mod schedule;
