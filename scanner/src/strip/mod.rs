//! What of a sample leaves the house when user data may not: the part that can be infected, and nothing around it.
//!
//! ```text
//! bytes, Found -> Sieve      sieve       which buffers of a walk are kept, and in which form
//! bytes -> Nature            nature      what a file is to the sieve; scripts, mail bodies, office archives by name
//! program -> program         program     headers and sections; resources zeroed, appended bytes cut
//! sector -> sector           boot        boot code; serial numbers, labels and partitions zeroed
//! bytes, range -> bytes      window      what lies around a match
//! parts -> bytes             archive     several parts as one ZIP
//! ```
//!
//! 1. What is kept is named; all else stays. A kind that no rule names is not kept, and no error sends a sample whole.
//! 2. The same sample gives the same parts. Time running out gives none.
//! 3. All parts together have at most `Limits::file_bytes_max` bytes.
//!
//! The rules for people stand in `docs/stripping.md`. Containers are opened by [`file::walk()`], so what the scanner can
//! look into can be stripped, and nothing else.

mod archive;
mod boot;
mod fault;
mod found;
mod nature;
mod program;
mod sieve;
mod stripped;
mod window;

pub use fault::NotStripped;
pub use found::{Found, Match};
pub use stripped::{Kept, PARTS_MAX, Part, Stripped};
pub use window::{MATCH_BYTES_MAX, WINDOW_BYTES};

use crate::file::{self, Limits};
use sieve::Sieve;

/// Strips a sample of what is nobody's business.
///
/// `found` says where a known signature matched; without it only what can be infected by its kind is kept.
/// `time_is_up` is asked as [`file::walk()`] asks it. Nothing panics on hostile bytes. The bytes are opened here, in this
/// process: a server calls [`cage::Pool::strip`](crate::cage::Pool::strip) instead.
///
/// # Errors
/// Why nothing of the sample may leave.
pub fn strip(
    bytes: &[u8],
    found: Option<Found>,
    limits: &Limits,
    time_is_up: &dyn Fn() -> bool,
) -> Result<Stripped, NotStripped> {
    if bytes.len() as u64 > limits.file_bytes_max {
        return Err(NotStripped::TooLarge { bytes_max: limits.file_bytes_max });
    }
    // Asked of the clock, not of the outcome, which keeps only the first troubles.
    let is_late = std::cell::Cell::new(false);
    let clock = || {
        is_late.set(is_late.get() || time_is_up());
        is_late.get()
    };
    let mut sieve = Sieve::new(found, limits);
    let outcome = file::walk(bytes, limits, &clock, &mut |member| sieve.see(&member));
    if is_late.get() {
        return Err(NotStripped::Time);
    }
    let parts = sieve.finish(&outcome)?;
    Ok(Stripped { parts, sample_bytes: bytes.len() as u64 })
}
