//! What a change of status sets in the attributes.

use super::cause::{Answer, Cause, Finding};
use super::facts::Facts;
use crate::attributes::Attributes;
use crate::id::Sequence;
use crate::status::Status;
use crate::timestamp::Timestamp;

/// X-Sample-Priority of an item that comes in: the override, else 1 with automatic submission, else 0
/// (first seed, "Setting a sample submission policy").
pub fn priority_at_reception(priority_override: Option<u32>, automatic_submission: bool) -> u32 {
    priority_override.unwrap_or(u32::from(automatic_submission))
}

/// A moment at which attributes are set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Moment {
    /// The item came in with this X-Sample-Priority.
    Received(u32),
    /// It becomes Submitted, with at least this X-Sample-Priority.
    Submitted(u32),
    /// A scan, a re-test or an answer settled what it is.
    Analysed,
    /// The gateway refused it, it cannot leave the house stripped, or the analysis failed.
    SubmissionFailed,
    /// It becomes Needed: its client needs this set, and the install policy selects the client or not.
    Needed(Sequence, bool),
    /// Delivery is queued.
    QueuedForDelivery,
    /// It becomes Available or Not installed: nothing is delivered by itself any more.
    DeliveryStopped,
    /// It becomes Attention or Error.
    Stopped,
    /// It becomes Installed or Unneeded.
    Finished,
    /// It becomes Restart, with this X-Sample-Priority.
    Restarted(u32),
}

impl Moment {
    /// The attributes after this moment, at `now`.
    #[must_use]
    pub fn set(self, before: Attributes, now: Timestamp) -> Attributes {
        let mut after = before;
        match self {
            Self::Received(priority) | Self::Restarted(priority) => {
                after = Attributes { sample_priority: priority, ..Attributes::default() };
            }
            Self::Submitted(priority) => {
                after.sample_priority = before.sample_priority.max(priority).max(1);
                after.date_submitted = now;
            }
            Self::Analysed => after.date_analysis_finished = now,
            Self::SubmissionFailed => {
                after.sample_priority = 0;
                after.date_submitted = Timestamp::NEVER;
                after.date_analysis_finished = Timestamp::NEVER;
            }
            Self::Needed(sequence, selected) => {
                after.signatures_sequence = sequence;
                after.signatures_priority = u32::from(selected);
                after.date_sample_finished = Timestamp::NEVER;
            }
            Self::QueuedForDelivery => after.signatures_priority = before.signatures_priority.max(1),
            Self::DeliveryStopped => after.signatures_priority = 0,
            Self::Stopped => {
                after.sample_priority = 0;
                after.signatures_priority = 0;
                after.signatures_sequence = Sequence(0);
            }
            Self::Finished => after.date_sample_finished = now,
        }
        after
    }
}

/// The moment that the cause brings by itself, before the status is entered.
pub(super) fn of_cause(cause: &Cause, to: Status) -> Option<Moment> {
    match cause {
        // A detection that counts as unknown settles nothing: the sample goes out, or is held, as if not detected.
        Cause::Scanned(Finding::Unrepairable(_)) if to == Status::Submitted || to == Status::Held => None,
        Cause::Scanned(Finding::Detected(_) | Finding::Unrepairable(_))
        | Cause::NewlyDetected(_)
        | Cause::NeededDetected(_)
        | Cause::Answered(Answer::NotInfected | Answer::Definitions(_)) => Some(Moment::Analysed),
        Cause::GatewayRefused | Cause::CannotBeStripped | Cause::Answered(Answer::Failed) => {
            Some(Moment::SubmissionFailed)
        }
        Cause::Received
        | Cause::Scanned(Finding::Nothing)
        | Cause::QueuedForSubmission
        | Cause::PriorityRaised(_)
        | Cause::WizardOverridden
        | Cause::GatewayAccepted
        | Cause::Answered(Answer::NeedsPerson | Answer::SendAgain | Answer::NotKnown)
        | Cause::NeededNotDetected(_)
        | Cause::QueuedForDelivery
        | Cause::PolicySelects
        | Cause::TargetHolds
        | Cause::DeliveryTimedOut
        | Cause::ClientIsNonmanaged
        | Cause::InstallConfirmed
        | Cause::InstallFailed
        | Cause::TargetLostSet
        | Cause::TargetIsBack
        | Cause::NewerSetHere
        | Cause::SequenceConfirmed(_)
        | Cause::DeclaredApplied
        | Cause::SignatureWithdrawn
        | Cause::RestartedByHand
        | Cause::RestartTaken
        | Cause::ProcessingFault => None,
    }
}

/// The moment that entering `to` brings; `needed` is the set a client needs that becomes Needed, and `priority_override`
/// what a person chose, this cause included.
pub(super) fn of_status(
    to: Status,
    cause: &Cause,
    facts: &Facts,
    needed: Sequence,
    priority_override: Option<u32>,
) -> Option<Moment> {
    match to {
        Status::Quarantined if *cause == Cause::Received => Some(Moment::Received(facts.received_priority)),
        Status::Quarantined | Status::Released | Status::Held | Status::Distributed => None,
        Status::Submitted => {
            let raised = if let Cause::PriorityRaised(priority) = cause { priority.get() } else { 1 };
            Some(Moment::Submitted(raised))
        }
        Status::Needed => Some(Moment::Needed(needed, facts.selected)),
        Status::Available | Status::NotInstalled => Some(Moment::DeliveryStopped),
        Status::Distribute => Some(Moment::QueuedForDelivery),
        Status::Attention | Status::Error => Some(Moment::Stopped),
        Status::Installed | Status::Unneeded => Some(Moment::Finished),
        Status::Restart => Some(Moment::Restarted(priority_override.unwrap_or(facts.received_priority))),
    }
}
