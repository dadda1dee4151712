//! A change of status with all it sets and all that follows at once.
//!
//! 1. The status and the attributes change together or not at all.
//! 2. What follows at once needs no new knowledge: Restart becomes Quarantined, and a detection proves that the needed
//!    definitions are here and detect the sample, so Needed moves on to Distribute or Available.

use super::advance::advance;
use super::cause::{Answer, Cause};
use super::facts::{Basis, Facts};
use super::moment;
use super::refused::Refused;
use crate::attributes::Attributes;
use crate::id::Sequence;
use crate::status::Status;
use crate::timestamp::Timestamp;

/// What an item has become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settled {
    /// The status that the cause led to; it is recorded even when another follows at once.
    pub to: Status,
    /// The status that followed at once.
    pub then: Option<Status>,
    /// The attributes at the end.
    pub attributes: Attributes,
    /// The submission priority that a person chose, kept through a restart.
    pub priority_override: Option<u32>,
    /// What settled the item.
    pub basis: Basis,
}

impl Settled {
    /// The status at the end.
    pub fn status(&self) -> Status {
        self.then.unwrap_or(self.to)
    }
}

/// Takes an item through `cause` at `now`.
///
/// # Errors
/// As [`advance`]; nothing changes then.
pub fn settle(from: Option<Status>, cause: &Cause, facts: &Facts, now: Timestamp) -> Result<Settled, Refused> {
    let (to, mut facts) = enter(from, cause, facts, now)?;
    let then = match follows(to, cause) {
        Some(next) => {
            let (then, after) = enter(Some(to), &next, &facts, now)?;
            facts = after;
            Some(then)
        }
        None => None,
    };
    Ok(Settled {
        to,
        then,
        attributes: facts.attributes,
        priority_override: facts.priority_override,
        basis: facts.basis,
    })
}

/// One row with what it sets.
fn enter(from: Option<Status>, cause: &Cause, facts: &Facts, now: Timestamp) -> Result<(Status, Facts), Refused> {
    let to = advance(from, cause, facts)?;
    let mut after = *facts;
    after.priority_override = chosen(cause, facts);
    after.basis = basis(cause, facts);
    for moment in [
        moment::of_cause(cause, to),
        moment::of_status(to, cause, facts, needed(cause, facts), after.priority_override),
    ]
    .into_iter()
    .flatten()
    {
        after.attributes = moment.set(after.attributes, now);
    }
    Ok((to, after))
}

/// The cause that follows at once on entering `to`.
fn follows(to: Status, cause: &Cause) -> Option<Cause> {
    if to == Status::Restart {
        return Some(Cause::RestartTaken);
    }
    if to == Status::Needed { cause.detection().map(Cause::NeededDetected) } else { None }
}

/// The set that a client needs after `cause`.
fn needed(cause: &Cause, facts: &Facts) -> Sequence {
    if let Cause::Answered(Answer::Definitions(sequence)) = cause {
        return *sequence;
    }
    cause.detection().unwrap_or(facts.attributes.signatures_sequence)
}

/// The submission priority that a person has chosen; submitting by hand chooses one.
fn chosen(cause: &Cause, facts: &Facts) -> Option<u32> {
    if let Cause::PriorityRaised(priority) = cause {
        return Some(priority.get());
    }
    let by_hand = matches!(cause, Cause::QueuedForSubmission | Cause::WizardOverridden);
    if by_hand { Some(facts.priority_override.unwrap_or(0).max(1)) } else { facts.priority_override }
}

/// What settles the item after `cause`.
fn basis(cause: &Cause, facts: &Facts) -> Basis {
    if cause.detection().is_some() || matches!(cause, Cause::NeededDetected(_)) {
        return Basis::Detection;
    }
    let anew = matches!(cause, Cause::Answered(_) | Cause::Received | Cause::RestartTaken);
    if anew { Basis::Answer } else { facts.basis }
}
