//! The status table as it is written a second time in `reference`, compared with `advance` for every status, every cause
//! and every combination of conditions.

mod reference;

use model::attributes::Attributes;
use model::lifecycle::{Answer, Basis, Cause, Facts, Finding, Refused, advance};
use model::{Sequence, Status, Timestamp};
use reference::table::{Row, table};
use std::num::NonZeroU32;

use Status::{Available, Held, Installed, Needed, Released};

/// The set that the examples need.
const N: Sequence = Sequence(5);

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
    let (table, combinations) = (table(N), combinations());
    for from in statuses() {
        for cause in causes() {
            let rows: Vec<&Row> = table.iter().filter(|row| row.cause == cause && row.from.contains(&from)).collect();
            for facts in &combinations {
                let mut holding = rows.iter().filter(|row| (row.when)(facts, N));
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
    for row in table(N) {
        assert!(!row.cites.is_empty());
        assert!(
            combinations.iter().any(|facts| (row.when)(facts, N)),
            "{:?} by {:?} never happens",
            row.from,
            row.cause
        );
    }
}

#[test]
fn every_status_can_be_reached_and_left() {
    let table = table(N);
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
