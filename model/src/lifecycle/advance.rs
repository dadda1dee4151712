//! The status table as one pure function: where a cause leads, from which statuses, under which conditions.
//!
//! The seed names the statuses and what they mean ("Viewing a list of quarantined items"); its table of alerts
//! ("Configuring alerting") gives their order; the rows follow from both. `docs/lifecycle.md` cites them one by one.

use super::cause::{Answer, Cause, Finding};
use super::facts::{Basis, Facts};
use super::refused::{Refused, Rule};
use crate::eligibility;
use crate::id::Sequence;
use crate::status::Status;

/// How often a sample is sent again because the centre asked for it; after that a person has to look. Three tries
/// outlast a broken transfer, a centre that asks for more is at fault itself.
pub const SEND_AGAIN_COUNT_MAX: u32 = 3;

/// One row of the table: the status that follows `from` (`None` before reception) by `cause`.
///
/// # Errors
/// There is no such row, or a condition of the row does not hold; both statuses are named, and the rule.
pub fn advance(from: Option<Status>, cause: &Cause, facts: &Facts) -> Result<Status, Refused> {
    let to = aim(cause, facts);
    let words = cause.words();
    let row = match from {
        None => *cause == Cause::Received,
        Some(status) => origins(cause, to).contains(&status),
    };
    if !row {
        return Err(Refused::NoRow { from, to, cause: words });
    }
    match condition(from, cause, facts) {
        Ok(()) => Ok(to),
        Err(rule) => Err(Refused::Rule { from, to, cause: words, rule }),
    }
}

/// Where a cause leads, whatever the item's status is.
fn aim(cause: &Cause, facts: &Facts) -> Status {
    match cause {
        Cause::Received | Cause::RestartTaken => Status::Quarantined,
        Cause::Scanned(Finding::Nothing) => unknown(facts),
        Cause::Scanned(Finding::Detected(sequence)) | Cause::NewlyDetected(sequence) => known(*sequence, facts),
        Cause::Scanned(Finding::Unrepairable(sequence)) if facts.is_behind(*sequence) => Status::Needed,
        Cause::Scanned(Finding::Unrepairable(_)) => unknown(facts),
        Cause::QueuedForSubmission | Cause::PriorityRaised(_) | Cause::WizardOverridden => Status::Submitted,
        Cause::GatewayAccepted => Status::Released,
        Cause::CannotBeStripped => Status::Held,
        Cause::GatewayRefused | Cause::Answered(Answer::Failed) | Cause::ProcessingFault => Status::Error,
        Cause::Answered(Answer::NotInfected) => Status::Unneeded,
        Cause::Answered(Answer::Definitions(_)) => Status::Needed,
        Cause::Answered(Answer::SendAgain) if facts.send_again_count < SEND_AGAIN_COUNT_MAX => Status::Restart,
        Cause::Answered(Answer::SendAgain | Answer::NeedsPerson) => Status::Attention,
        Cause::Answered(Answer::NotKnown) => Status::Restart,
        Cause::NeededDetected(_) if facts.managed && facts.attributes.signatures_priority > 0 => Status::Distribute,
        Cause::NeededDetected(_) => Status::Available,
        Cause::NeededNotDetected(_) => Status::Attention,
        Cause::QueuedForDelivery
        | Cause::PolicySelects
        | Cause::TargetLostSet
        | Cause::TargetIsBack
        | Cause::NewerSetHere => Status::Distribute,
        Cause::TargetHolds => Status::Distributed,
        Cause::DeliveryTimedOut | Cause::ClientIsNonmanaged | Cause::InstallFailed => Status::NotInstalled,
        Cause::InstallConfirmed | Cause::SequenceConfirmed(_) | Cause::DeclaredApplied => Status::Installed,
        Cause::SignatureWithdrawn | Cause::RestartedByHand => Status::Restart,
    }
}

/// A sample that nothing detects goes out by itself only with a priority above 0.
fn unknown(facts: &Facts) -> Status {
    if facts.attributes.sample_priority > 0 { Status::Submitted } else { Status::Held }
}

/// A sample that definitions detect needs them on its client, unless the client has them.
fn known(sequence: Sequence, facts: &Facts) -> Status {
    if facts.is_behind(sequence) { Status::Needed } else { Status::Unneeded }
}

/// The statuses from which a cause may lead to `to`.
fn origins(cause: &Cause, to: Status) -> &'static [Status] {
    use Status::{
        Attention, Available, Distribute, Distributed, Error, Held, Installed, Needed, NotInstalled, Quarantined,
        Released, Restart, Submitted, Unneeded,
    };
    match cause {
        Cause::Received => &[],
        Cause::Scanned(_) => &[Quarantined],
        Cause::QueuedForSubmission | Cause::PriorityRaised(_) => &[Held, Error],
        Cause::WizardOverridden => &[Unneeded],
        Cause::GatewayAccepted | Cause::GatewayRefused | Cause::CannotBeStripped => &[Submitted],
        Cause::Answered(Answer::NotInfected | Answer::Definitions(_)) => &[Released, Attention],
        Cause::Answered(Answer::NeedsPerson | Answer::Failed | Answer::SendAgain | Answer::NotKnown) => {
            debug_assert!(matches!(to, Attention | Error | Restart));
            &[Released]
        }
        Cause::NeededDetected(_) | Cause::NeededNotDetected(_) => &[Needed],
        Cause::QueuedForDelivery | Cause::DeclaredApplied => &[Available, NotInstalled],
        Cause::PolicySelects => &[Available],
        Cause::TargetHolds | Cause::DeliveryTimedOut | Cause::ClientIsNonmanaged => &[Distribute],
        Cause::InstallConfirmed | Cause::InstallFailed | Cause::TargetLostSet => &[Distributed],
        Cause::TargetIsBack | Cause::NewerSetHere => &[NotInstalled],
        Cause::SequenceConfirmed(_) => &[Needed, Available, Distribute, Distributed, NotInstalled],
        Cause::NewlyDetected(_) => &[Held, Submitted, Released, Unneeded, Attention, Error],
        Cause::SignatureWithdrawn => &[Needed, Available, Distribute, Distributed, NotInstalled, Unneeded],
        Cause::RestartedByHand => &[
            Submitted,
            Released,
            Held,
            Unneeded,
            Needed,
            Available,
            Distribute,
            Distributed,
            Installed,
            Attention,
            Error,
            NotInstalled,
        ],
        Cause::RestartTaken => &[Restart],
        Cause::ProcessingFault => &[
            Quarantined,
            Submitted,
            Released,
            Held,
            Unneeded,
            Needed,
            Available,
            Distribute,
            Distributed,
            Attention,
            Error,
            NotInstalled,
            Restart,
        ],
    }
}

/// The conditions that a row has beside its status and its cause.
fn condition(from: Option<Status>, cause: &Cause, facts: &Facts) -> Result<(), Rule> {
    match cause {
        Cause::QueuedForSubmission => Ok(eligibility::manual_submission(&facts.attributes)?),
        Cause::QueuedForDelivery => {
            eligibility::manual_delivery(&facts.attributes)?;
            // A set that was never rejected may be tried; from Available nothing was tried yet.
            if from == Some(Status::NotInstalled) { not_rejected(facts) } else { Ok(()) }
        }
        Cause::TargetIsBack | Cause::NewerSetHere => not_rejected(facts),
        Cause::PolicySelects if !facts.managed => Err(Rule::ClientIsNonmanaged),
        Cause::Answered(Answer::Definitions(sequence)) => named(*sequence),
        Cause::NeededDetected(sequence) | Cause::NeededNotDetected(sequence) | Cause::SequenceConfirmed(sequence) => {
            named(*sequence)?;
            let needed = facts.attributes.signatures_sequence;
            if *sequence < needed {
                return Err(Rule::SequenceTooLow { needed, given: *sequence });
            }
            Ok(())
        }
        Cause::SignatureWithdrawn if from == Some(Status::Unneeded) && facts.basis != Basis::Detection => {
            Err(Rule::NotByDetection)
        }
        Cause::Received
        | Cause::Scanned(_)
        | Cause::PriorityRaised(_)
        | Cause::WizardOverridden
        | Cause::GatewayAccepted
        | Cause::GatewayRefused
        | Cause::CannotBeStripped
        | Cause::Answered(_)
        | Cause::PolicySelects
        | Cause::TargetHolds
        | Cause::DeliveryTimedOut
        | Cause::ClientIsNonmanaged
        | Cause::InstallConfirmed
        | Cause::InstallFailed
        | Cause::TargetLostSet
        | Cause::DeclaredApplied
        | Cause::NewlyDetected(_)
        | Cause::SignatureWithdrawn
        | Cause::RestartedByHand
        | Cause::RestartTaken
        | Cause::ProcessingFault => Ok(()),
    }
}

fn named(sequence: Sequence) -> Result<(), Rule> {
    if sequence == Sequence(0) { Err(Rule::SequenceIsZero) } else { Ok(()) }
}

/// The same rejected set is never tried again.
fn not_rejected(facts: &Facts) -> Result<(), Rule> {
    let (rejected, offered) = (facts.rejected_sequence, facts.active_sequence);
    if rejected > Sequence(0) && offered <= rejected {
        return Err(Rule::RejectedBefore { rejected, offered });
    }
    Ok(())
}
