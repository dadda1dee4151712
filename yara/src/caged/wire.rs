//! Which frames a pool and a worker exchange.

use cage::frame::FIRST_KIND;
use serde::{Deserialize, Serialize};

/// To the worker, first and once: [`Sources`], the texts one after the other.
pub(super) const SOURCES: u8 = FIRST_KIND;
/// From the worker: [`Ready`], and the report as JSON where it was wanted.
pub(super) const READY: u8 = FIRST_KIND + 1;
/// To the worker: [`Time`] and a buffer.
pub(super) const BUFFER: u8 = FIRST_KIND + 2;
/// From the worker: [`Holds`].
pub(super) const HOLDS: u8 = FIRST_KIND + 3;

#[derive(Serialize, Deserialize)]
pub(super) struct Sources {
    /// Names, and how many bytes of the body are theirs.
    pub files: Vec<(String, usize)>,
    pub report_wanted: bool,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Ready {
    /// Why there are no rules.
    pub refused: Option<String>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Time {
    pub ms: u64,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Holds {
    pub rules: Vec<u32>,
    pub is_whole: bool,
}
