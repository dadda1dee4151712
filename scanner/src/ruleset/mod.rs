//! Whether a signature's pattern stands in a buffer: the exact verification behind the literals.
//!
//! Only this one body at a time for now; compiled sets, hashes and logical signatures are still to come.

mod place;
mod spans;
mod verify;

use crate::definitions::Body;
use crate::file::Member;

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unanswered {
    /// The pattern has a word or line boundary.
    #[error("patterns with word or line boundaries are not verified yet")]
    Boundary,
    /// More places would have to be looked at than allowed.
    #[error("verifying the pattern takes more work than allowed")]
    Work,
}

/// Whether `body` is found in `member`. `work` is the number of places that may still be looked at; it is lowered by
/// those that were.
///
/// # Errors
/// The pattern has a boundary, or `work` does not suffice.
pub fn stands(body: &Body, member: &Member<'_>, work: &mut u64) -> Result<bool, Unanswered> {
    if !verify::is_verifiable(&body.pattern) {
        return Err(Unanswered::Boundary);
    }
    let own = member.targets.own.map(|target| target as u8);
    let number = body.target.number();
    if own != Some(number) && !(member.targets.any && number == 0) {
        return Ok(false);
    }
    let starts = place::places(body.offset, member.bytes.len(), member.executable);
    let ends = verify::ends(&body.pattern, member.bytes, starts, work).ok_or(Unanswered::Work)?;
    Ok(!ends.is_empty())
}
