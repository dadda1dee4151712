//! What the lifecycle must be, written a second time: the status table as a literal, and what changes of status set.

#![allow(dead_code, reason = "each test file uses its part")]

pub mod attributes;
pub mod table;
