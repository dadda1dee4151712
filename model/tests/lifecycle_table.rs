//! The status table, written out a second time as a literal and compared with `advance` for every status, every cause
//! and every combination of conditions. Each row cites where it comes from: sections of the first seed by their
//! titles, of the second as "second seed", "ours" where neither says it.

use model::attributes::Attributes;
use model::lifecycle::{Answer, Basis, Cause, Facts, Finding, Refused, advance};
use model::{Sequence, Status, Timestamp};
use std::num::NonZeroU32;

use Status::{
    Attention, Available, Distribute, Distributed, Error, Held, Installed, Needed, NotInstalled, Quarantined, Released,
    Restart, Submitted, Unneeded,
};

/// The set that the examples need.
const N: Sequence = Sequence(5);

struct Row {
    from: &'static [Option<Status>],
    cause: Cause,
    when: fn(&Facts) -> bool,
    to: Status,
    cites: &'static str,
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

fn always(_: &Facts) -> bool {
    true
}
fn behind(facts: &Facts) -> bool {
    facts.client_sequence.0 < N.0
}
fn not_behind(facts: &Facts) -> bool {
    facts.client_sequence.0 >= N.0
}
fn has_priority(facts: &Facts) -> bool {
    facts.attributes.sample_priority != 0
}
fn no_priority(facts: &Facts) -> bool {
    facts.attributes.sample_priority == 0
}
fn may_submit(facts: &Facts) -> bool {
    let a = &facts.attributes;
    a.sample_priority == 0 && a.date_submitted.0 == 0 && a.date_analysis_finished.0 == 0
}
fn may_deliver(facts: &Facts) -> bool {
    let a = &facts.attributes;
    a.signatures_priority == 0 && a.signatures_sequence.0 != 0 && a.date_sample_finished.0 == 0
}
fn never_rejected(facts: &Facts) -> bool {
    facts.rejected_sequence.0 == 0 || facts.rejected_sequence.0 < facts.active_sequence.0
}
fn new_enough(facts: &Facts) -> bool {
    facts.attributes.signatures_sequence.0 <= N.0
}
fn automatic(facts: &Facts) -> bool {
    facts.attributes.signatures_priority != 0 && facts.managed
}

#[rustfmt::skip]
fn table() -> Vec<Row> {
    let found = Cause::Scanned(Finding::Detected(N));
    let no_recipe = Cause::Scanned(Finding::Unrepairable(N));
    let nothing = Cause::Scanned(Finding::Nothing);
    let answer = Cause::Answered;
    table![
        nothing, Cause::Received, always => Quarantined, "Viewing a list of quarantined items";
        Quarantined, found, behind => Needed, "Viewing a list of quarantined items; Managing virus definitions updates";
        Quarantined, found, not_behind => Unneeded, "Viewing a list of quarantined items";
        Quarantined, no_recipe, behind => Needed, "Viewing a list of quarantined items";
        Quarantined, no_recipe, |f| not_behind(f) && has_priority(f) => Submitted, "ours: Setting a sample submission policy, carried on";
        Quarantined, no_recipe, |f| not_behind(f) && no_priority(f) => Held, "ours: Setting a sample submission policy, carried on";
        Quarantined, nothing, has_priority => Submitted, "Setting a sample submission policy";
        Quarantined, nothing, no_priority => Held, "Setting a sample submission policy; Configuring alerting, 'held for manual submission'";
        [Held Error], Cause::QueuedForSubmission, may_submit => Submitted, "Submitting files manually";
        [Held Error], Cause::PriorityRaised(NonZeroU32::MIN), always => Submitted, "Overriding automatic operation; Submitting files manually";
        Unneeded, Cause::WizardOverridden, always => Submitted, "Submitting files for analysis; Sending files to SARC";
        Submitted, Cause::GatewayAccepted, always => Released, "Configuring alerting, 'too long with Submitted status'";
        Submitted, Cause::GatewayRefused, always => Error, "Reviewing submission errors";
        Submitted, Cause::CannotBeStripped, always => Held, "ours: Setting a sample submission policy, 'Strip user data', carried on";
        [Released Attention], answer(Answer::NotInfected), always => Unneeded, "Repairing and restoring quarantined files; Viewing a list of quarantined items";
        [Released Attention], answer(Answer::Definitions(N)), always => Needed, "Using Internet-based Scan and Deliver; Viewing a list of quarantined items";
        Released, answer(Answer::NeedsPerson), always => Attention, "Configuring alerting, 'needs attention from Tech Support'";
        Released, answer(Answer::Failed), always => Error, "Viewing a list of quarantined items";
        Released, answer(Answer::SendAgain), |f| f.send_again_count < 3 => Restart, "ours: Viewing a list of quarantined items, 'Restart', carried on";
        Released, answer(Answer::SendAgain), |f| f.send_again_count >= 3 => Attention, "ours: a bound on the row before";
        Released, answer(Answer::NotKnown), always => Restart, "ours: Viewing a list of quarantined items, 'Restart', carried on";
        Needed, Cause::NeededDetected(N), |f| new_enough(f) && automatic(f) => Distribute, "Installing definitions; Viewing a list of quarantined items";
        Needed, Cause::NeededDetected(N), |f| new_enough(f) && !automatic(f) => Available, "Requesting virus definitions updates manually; Managed and nonmanaged products";
        Needed, Cause::NeededNotDetected(N), new_enough => Attention, "ours: Testing the virus definitions update, carried on";
        Available, Cause::QueuedForDelivery, may_deliver => Distribute, "Requesting virus definitions updates manually";
        Available, Cause::PolicySelects, |f| f.managed => Distribute, "Installing definitions";
        Distribute, Cause::TargetHolds, always => Distributed, "Viewing a list of quarantined items";
        Distribute, Cause::DeliveryTimedOut, always => NotInstalled, "Viewing a list of quarantined items; Configuring alerting, 'Cannot install definitions'";
        Distribute, Cause::ClientIsNonmanaged, always => NotInstalled, "Managed and nonmanaged products; Sending alerts";
        Distributed, Cause::InstallConfirmed, always => Installed, "Configuring alerting, 'too long with Distributed Status'";
        Distributed, Cause::InstallFailed, always => NotInstalled, "Configuring alerting, 'unable to install definitions'";
        Distributed, Cause::TargetLostSet, always => Distribute, "ours: Installing definitions, 'Retry interval', carried on";
        NotInstalled, Cause::TargetIsBack, never_rejected => Distribute, "ours: Installing definitions, 'Retry interval', carried on";
        NotInstalled, Cause::NewerSetHere, never_rejected => Distribute, "ours: Setting definition policy, carried on";
        NotInstalled, Cause::QueuedForDelivery, |f| may_deliver(f) && never_rejected(f) => Distribute, "Requesting virus definitions updates manually";
        [Needed Available Distribute Distributed NotInstalled], Cause::SequenceConfirmed(N), new_enough => Installed, "Managed and nonmanaged products, 'share the same set'";
        [Available NotInstalled], Cause::DeclaredApplied, always => Installed, "ours; second seed has the administrator apply them";
        [Held Submitted Released Unneeded Attention Error], Cause::NewlyDetected(N), behind => Needed, "ours: Updating Central Quarantine virus definitions, carried on";
        [Held Submitted Released Unneeded Attention Error], Cause::NewlyDetected(N), not_behind => Unneeded, "ours: Updating Central Quarantine virus definitions, carried on";
        [Needed Available Distribute Distributed NotInstalled], Cause::SignatureWithdrawn, always => Restart, "ours";
        Unneeded, Cause::SignatureWithdrawn, |f| f.basis == Basis::Detection => Restart, "ours";
        [Submitted Released Held Unneeded Needed Available Distribute Distributed Installed Attention Error NotInstalled],
            Cause::RestartedByHand, always => Restart, "ours: Viewing a list of quarantined items, 'Restart', by hand";
        Restart, Cause::RestartTaken, always => Quarantined, "Viewing a list of quarantined items, 'Restart'";
        [Quarantined Submitted Released Held Unneeded Needed Available Distribute Distributed Attention Error NotInstalled Restart],
            Cause::ProcessingFault, always => Error, "Viewing a list of quarantined items; Configuring alerting, 'processing error'";
    ]
}

/// One of each cause; a cause that names a set names `N`.
fn causes() -> Vec<Cause> {
    let mut causes = vec![Cause::Received, Cause::QueuedForSubmission, Cause::PriorityRaised(NonZeroU32::MIN)];
    causes.extend([Finding::Nothing, Finding::Detected(N), Finding::Unrepairable(N)].map(Cause::Scanned));
    causes.extend([Cause::WizardOverridden, Cause::GatewayAccepted, Cause::GatewayRefused, Cause::CannotBeStripped]);
    causes.extend(
        [
            Answer::NotInfected,
            Answer::Definitions(N),
            Answer::NeedsPerson,
            Answer::Failed,
            Answer::SendAgain,
            Answer::NotKnown,
        ]
        .map(Cause::Answered),
    );
    causes.extend([Cause::NeededDetected(N), Cause::NeededNotDetected(N), Cause::QueuedForDelivery]);
    causes.extend([Cause::PolicySelects, Cause::TargetHolds, Cause::DeliveryTimedOut, Cause::ClientIsNonmanaged]);
    causes.extend([Cause::InstallConfirmed, Cause::InstallFailed, Cause::TargetLostSet, Cause::TargetIsBack]);
    causes.extend([Cause::NewerSetHere, Cause::SequenceConfirmed(N), Cause::DeclaredApplied, Cause::NewlyDetected(N)]);
    causes.extend([Cause::SignatureWithdrawn, Cause::RestartedByHand, Cause::RestartTaken, Cause::ProcessingFault]);
    causes
}

/// Every combination of what a condition may look at.
fn combinations() -> Vec<Facts> {
    let mut all = Vec::new();
    for bits in 0..128_u32 {
        let bit = |at: u32| bits >> at & 1;
        for needed in [0, N.0, N.0 + 1] {
            for client in [0, N.0, N.0 + 1] {
                for (rejected, active) in [(0, N.0), (N.0, N.0), (N.0 + 1, N.0), (N.0, N.0 + 1)] {
                    for send_again_count in [0, 2, 3, 4] {
                        all.push(Facts {
                            attributes: Attributes {
                                sample_priority: bit(0),
                                date_submitted: Timestamp(i64::from(bit(1))),
                                date_analysis_finished: Timestamp(i64::from(bit(2))),
                                signatures_priority: bit(3),
                                signatures_sequence: Sequence(needed),
                                date_sample_finished: Timestamp(i64::from(bit(4))),
                            },
                            managed: bit(5) == 1,
                            basis: if bit(6) == 1 { Basis::Detection } else { Basis::Answer },
                            client_sequence: Sequence(client),
                            active_sequence: Sequence(active),
                            rejected_sequence: Sequence(rejected),
                            send_again_count,
                            ..Facts::default()
                        });
                    }
                }
            }
        }
    }
    all
}

fn statuses() -> impl Iterator<Item = Option<Status>> {
    std::iter::once(None).chain(Status::ALL.into_iter().map(Some))
}

#[test]
fn advance_is_the_table_for_every_status_cause_and_condition() {
    let (table, combinations) = (table(), combinations());
    for from in statuses() {
        for cause in causes() {
            let rows: Vec<&Row> = table.iter().filter(|row| row.cause == cause && row.from.contains(&from)).collect();
            for facts in &combinations {
                let mut holding = rows.iter().filter(|row| (row.when)(facts));
                let expected = holding.next();
                assert!(holding.next().is_none(), "two rows from {from:?} by {cause:?} with {facts:?}");
                match (advance(from, &cause, facts), expected) {
                    (Ok(to), Some(row)) => {
                        assert_eq!(to, row.to, "{from:?} by {cause:?}: {} with {facts:?}", row.cites)
                    }
                    (Err(Refused::NoRow { from: named, .. }), None) if rows.is_empty() => assert_eq!(named, from),
                    (Err(Refused::Rule { from: named, .. }), None) if !rows.is_empty() => assert_eq!(named, from),
                    (answer, _) => panic!("{from:?} by {cause:?} gives {answer:?} with {facts:?}"),
                }
            }
        }
    }
}

#[test]
fn every_row_can_happen_and_cites_its_source() {
    let combinations = combinations();
    for row in table() {
        assert!(!row.cites.is_empty());
        assert!(combinations.iter().any(row.when), "{:?} by {:?} never happens", row.from, row.cause);
    }
}

#[test]
fn every_status_can_be_reached_and_left() {
    let table = table();
    for status in Status::ALL {
        assert!(table.iter().any(|row| row.to == status), "nothing leads to {status}");
        assert!(table.iter().any(|row| row.from.contains(&Some(status))), "nothing leads away from {status}");
    }
}

#[test]
fn a_refusal_names_both_statuses_and_the_rule() {
    let refused = advance(Some(Installed), &Cause::ProcessingFault, &Facts::default()).unwrap_err();
    assert_eq!(refused.to_string(), "an item that is Installed cannot become Error by 'processing fault'");
    let busy = Facts { attributes: Attributes { sample_priority: 2, ..Attributes::default() }, ..Facts::default() };
    assert_eq!(
        advance(Some(Held), &Cause::QueuedForSubmission, &busy).unwrap_err().to_string(),
        "an item that is Held cannot become Submitted by 'queued for submission by hand': \
         it is submitted automatically already: X-Sample-Priority is 2 where 0 is required"
    );
    assert_eq!(
        advance(None, &Cause::GatewayAccepted, &busy).unwrap_err().to_string(),
        "an item that was never received cannot become Released by 'gateway accepted'"
    );
}

#[test]
fn a_sequence_of_zero_names_no_definitions() {
    for (from, cause) in [
        (Released, Cause::Answered(Answer::Definitions(Sequence(0)))),
        (Needed, Cause::NeededDetected(Sequence(0))),
        (Available, Cause::SequenceConfirmed(Sequence(0))),
    ] {
        let refused = advance(Some(from), &cause, &Facts::default()).unwrap_err().to_string();
        assert!(refused.ends_with("0 is not the number of a definitions set"), "{refused}");
    }
}
