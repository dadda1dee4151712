//! What the tests that cross crates share.
//!
//! Reading order: [`capability`] says what this kernel can do and what happens where it cannot,
//! [`sample`] makes seeded samples, [`victim`] runs the program that is killed and hears its acks,
//! [`ledger`] holds every ack and judges a store by it, [`image`] is a file system that can lose its
//! power, [`kernel`] the few calls that have no safe form.

pub mod capability;
pub mod image;
pub mod kernel;
pub mod ledger;
pub mod sample;
pub mod victim;
