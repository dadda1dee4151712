//! The bounds of the crate, in one place.

use std::time::Duration;

/// Bytes of all sources together. The largest public collections have some tens of megabytes.
pub const SOURCE_BYTES_MAX: usize = 64 << 20;
/// Rules of all sources together.
pub const RULES_MAX: usize = 100_000;
/// Complaints kept; more are counted.
pub const COMPLAINTS_MAX: usize = 1000;
/// Characters of one complaint: it quotes what strangers wrote.
pub const COMPLAINT_CHARS_MAX: usize = 300;
/// Time for one buffer, unless the caller says another.
pub const SCAN_TIME: Duration = Duration::from_secs(10);
/// Matches of one string in one buffer, as libyara bounds them.
pub const MATCHES_MAX: u32 = 1_000_000;
/// Bytes of an atom: shorter ones are in every buffer, longer ones say no more.
pub const ATOM_BYTES_MIN: usize = 5;
/// See [`ATOM_BYTES_MIN`].
pub const ATOM_BYTES_MAX: usize = 64;
/// Atoms of one rule; a rule that needs more is swept.
pub const ATOMS_MAX: usize = 256;
/// Bytes of a report as it crosses the socket: 2.6 KB for each of the most rules.
#[cfg(target_os = "linux")]
pub(crate) const REPORT_BYTES_MAX: u64 = 256 << 20;
