//! The status table. Each row cites where it comes from: sections of the first seed by their titles, of the second as
//! "second seed", "ours" where neither says it.

use model::lifecycle::{Answer, Basis, Cause, Facts, Finding};
use model::{Sequence, Status};
use std::num::NonZeroU32;

use Status::{
    Attention, Available, Distribute, Distributed, Error, Held, Installed, Needed, NotInstalled, Quarantined, Released,
    Restart, Submitted, Unneeded,
};

/// One row: where a cause leads, from which statuses, under which condition. A cause that names a set names the one that
/// the table was made for, and the condition is asked about that set.
pub struct Row {
    pub from: &'static [Option<Status>],
    pub cause: Cause,
    pub when: fn(&Facts, Sequence) -> bool,
    pub to: Status,
    pub cites: &'static str,
}

macro_rules! table {
    ($($from:tt, $cause:expr, $when:expr => $to:expr, $cites:literal;)*) => {
        vec![$(Row { from: origins!($from), cause: $cause, when: $when, to: $to, cites: $cites }),*]
    };
}
macro_rules! origins {
    (nothing) => { &[None] };
    ($one:ident) => { &[Some($one)] };
    ([$($one:ident)*]) => { &[$(Some($one)),*] };
}

fn always(_: &Facts, _: Sequence) -> bool {
    true
}
fn behind(facts: &Facts, n: Sequence) -> bool {
    facts.client_sequence.0 < n.0
}
fn not_behind(facts: &Facts, n: Sequence) -> bool {
    facts.client_sequence.0 >= n.0
}
fn has_priority(facts: &Facts, _: Sequence) -> bool {
    facts.attributes.sample_priority != 0
}
fn no_priority(facts: &Facts, _: Sequence) -> bool {
    facts.attributes.sample_priority == 0
}
fn may_submit(facts: &Facts, _: Sequence) -> bool {
    let a = &facts.attributes;
    a.sample_priority == 0 && a.date_submitted.0 == 0 && a.date_analysis_finished.0 == 0
}
fn may_deliver(facts: &Facts, _: Sequence) -> bool {
    let a = &facts.attributes;
    a.signatures_priority == 0 && a.signatures_sequence.0 != 0 && a.date_sample_finished.0 == 0
}
fn never_rejected(facts: &Facts, _: Sequence) -> bool {
    facts.rejected_sequence.0 == 0 || facts.rejected_sequence.0 < facts.active_sequence.0
}
fn new_enough(facts: &Facts, n: Sequence) -> bool {
    facts.attributes.signatures_sequence.0 <= n.0
}
fn automatic(facts: &Facts, _: Sequence) -> bool {
    facts.attributes.signatures_priority != 0 && facts.managed
}

/// The table for causes that name the set `n`.
#[rustfmt::skip]
pub fn table(n: Sequence) -> Vec<Row> {
    let found = Cause::Scanned(Finding::Detected(n));
    let no_recipe = Cause::Scanned(Finding::Unrepairable(n));
    let nothing = Cause::Scanned(Finding::Nothing);
    let answer = Cause::Answered;
    table![
        nothing, Cause::Received, always => Quarantined, "Viewing a list of quarantined items";
        Quarantined, found, behind => Needed, "Viewing a list of quarantined items; Managing virus definitions updates";
        Quarantined, found, not_behind => Unneeded, "Viewing a list of quarantined items";
        Quarantined, no_recipe, behind => Needed, "Viewing a list of quarantined items";
        Quarantined, no_recipe, |f, n| not_behind(f, n) && has_priority(f, n) => Submitted, "ours: Setting a sample submission policy, carried on";
        Quarantined, no_recipe, |f, n| not_behind(f, n) && no_priority(f, n) => Held, "ours: Setting a sample submission policy, carried on";
        Quarantined, nothing, has_priority => Submitted, "Setting a sample submission policy";
        Quarantined, nothing, no_priority => Held, "Setting a sample submission policy; Configuring alerting, 'held for manual submission'";
        [Held Error], Cause::QueuedForSubmission, may_submit => Submitted, "Submitting files manually";
        [Held Error], Cause::PriorityRaised(NonZeroU32::MIN), always => Submitted, "Overriding automatic operation; Submitting files manually";
        Unneeded, Cause::WizardOverridden, always => Submitted, "Submitting files for analysis; Sending files to SARC";
        Submitted, Cause::GatewayAccepted, always => Released, "Configuring alerting, 'too long with Submitted status'";
        Submitted, Cause::GatewayRefused, always => Error, "Reviewing submission errors";
        Submitted, Cause::CannotBeStripped, always => Held, "ours: Setting a sample submission policy, 'Strip user data', carried on";
        [Released Attention], answer(Answer::NotInfected), always => Unneeded, "Repairing and restoring quarantined files; Viewing a list of quarantined items";
        [Released Attention], answer(Answer::Definitions(n)), always => Needed, "Using Internet-based Scan and Deliver; Viewing a list of quarantined items";
        Released, answer(Answer::NeedsPerson), always => Attention, "Configuring alerting, 'needs attention from Tech Support'";
        Released, answer(Answer::Failed), always => Error, "Viewing a list of quarantined items";
        Released, answer(Answer::SendAgain), |f, _| f.send_again_count < 3 => Restart, "ours: Viewing a list of quarantined items, 'Restart', carried on";
        Released, answer(Answer::SendAgain), |f, _| f.send_again_count >= 3 => Attention, "ours: a bound on the row before";
        Released, answer(Answer::NotKnown), always => Restart, "ours: Viewing a list of quarantined items, 'Restart', carried on";
        Needed, Cause::NeededDetected(n), |f, n| new_enough(f, n) && automatic(f, n) => Distribute, "Installing definitions; Viewing a list of quarantined items";
        Needed, Cause::NeededDetected(n), |f, n| new_enough(f, n) && !automatic(f, n) => Available, "Requesting virus definitions updates manually; Managed and nonmanaged products";
        Needed, Cause::NeededNotDetected(n), new_enough => Attention, "ours: Testing the virus definitions update, carried on";
        Available, Cause::QueuedForDelivery, may_deliver => Distribute, "Requesting virus definitions updates manually";
        Available, Cause::PolicySelects, |f, _| f.managed => Distribute, "Installing definitions";
        Distribute, Cause::TargetHolds, always => Distributed, "Viewing a list of quarantined items";
        Distribute, Cause::DeliveryTimedOut, always => NotInstalled, "Viewing a list of quarantined items; Configuring alerting, 'Cannot install definitions'";
        Distribute, Cause::ClientIsNonmanaged, always => NotInstalled, "Managed and nonmanaged products; Sending alerts";
        Distributed, Cause::InstallConfirmed, always => Installed, "Configuring alerting, 'too long with Distributed Status'";
        Distributed, Cause::InstallFailed, always => NotInstalled, "Configuring alerting, 'unable to install definitions'";
        Distributed, Cause::TargetLostSet, always => Distribute, "ours: Installing definitions, 'Retry interval', carried on";
        NotInstalled, Cause::TargetIsBack, never_rejected => Distribute, "ours: Installing definitions, 'Retry interval', carried on";
        NotInstalled, Cause::NewerSetHere, never_rejected => Distribute, "ours: Setting definition policy, carried on";
        NotInstalled, Cause::QueuedForDelivery, |f, n| may_deliver(f, n) && never_rejected(f, n) => Distribute, "Requesting virus definitions updates manually";
        [Needed Available Distribute Distributed NotInstalled], Cause::SequenceConfirmed(n), new_enough => Installed, "Managed and nonmanaged products, 'share the same set'";
        [Available NotInstalled], Cause::DeclaredApplied, always => Installed, "ours; second seed has the administrator apply them";
        [Held Submitted Released Unneeded Attention Error], Cause::NewlyDetected(n), behind => Needed, "ours: Updating Central Quarantine virus definitions, carried on";
        [Held Submitted Released Unneeded Attention Error], Cause::NewlyDetected(n), not_behind => Unneeded, "ours: Updating Central Quarantine virus definitions, carried on";
        [Needed Available Distribute Distributed NotInstalled], Cause::SignatureWithdrawn, always => Restart, "ours";
        Unneeded, Cause::SignatureWithdrawn, |f, _| f.basis == Basis::Detection => Restart, "ours";
        [Submitted Released Held Unneeded Needed Available Distribute Distributed Installed Attention Error NotInstalled],
            Cause::RestartedByHand, always => Restart, "ours: Viewing a list of quarantined items, 'Restart', by hand";
        Restart, Cause::RestartTaken, always => Quarantined, "Viewing a list of quarantined items, 'Restart'";
        [Quarantined Submitted Released Held Unneeded Needed Available Distribute Distributed Attention Error NotInstalled Restart],
            Cause::ProcessingFault, always => Error, "Viewing a list of quarantined items; Configuring alerting, 'processing error'";
    ]
}
