//! The status table, the table of attributes and both rules of eligibility hold together: over single moments, and
//! over long random orders of causes.

use model::attributes::Attributes;
use model::eligibility::{manual_delivery, manual_submission};
use model::lifecycle::{Answer, Basis, Cause, Facts, Finding, Moment, advance, priority_at_reception, settle};
use model::{Sequence, Status, Timestamp};
use proptest::prelude::*;
use std::num::NonZeroU32;

const NOW: Timestamp = Timestamp(1_000);

/// Every attribute set, none to a value that a moment would set.
fn full() -> Attributes {
    Attributes {
        sample_priority: 3,
        date_submitted: Timestamp(1),
        date_analysis_finished: Timestamp(2),
        signatures_priority: 4,
        signatures_sequence: Sequence(5),
        date_sample_finished: Timestamp(6),
    }
}

#[test]
fn each_moment_sets_what_the_table_of_attributes_says_and_nothing_else() {
    let (zero, full) = (Attributes::default(), full());
    let cases = [
        (Moment::Received(2), full, Attributes { sample_priority: 2, ..zero }),
        (Moment::Submitted(1), zero, Attributes { sample_priority: 1, date_submitted: NOW, ..zero }),
        (Moment::Submitted(1), full, Attributes { date_submitted: NOW, ..full }),
        (Moment::Submitted(9), full, Attributes { sample_priority: 9, date_submitted: NOW, ..full }),
        (Moment::Analysed, full, Attributes { date_analysis_finished: NOW, ..full }),
        (
            Moment::SubmissionFailed,
            full,
            Attributes {
                sample_priority: 0,
                date_submitted: Timestamp::NEVER,
                date_analysis_finished: Timestamp::NEVER,
                ..full
            },
        ),
        (
            Moment::Needed(Sequence(8), true),
            full,
            Attributes {
                signatures_sequence: Sequence(8),
                signatures_priority: 1,
                date_sample_finished: Timestamp::NEVER,
                ..full
            },
        ),
        (
            Moment::Needed(Sequence(8), false),
            full,
            Attributes {
                signatures_sequence: Sequence(8),
                signatures_priority: 0,
                date_sample_finished: Timestamp::NEVER,
                ..full
            },
        ),
        (Moment::QueuedForDelivery, zero, Attributes { signatures_priority: 1, ..zero }),
        (Moment::DeliveryStopped, full, Attributes { signatures_priority: 0, ..full }),
        (
            Moment::Stopped,
            full,
            Attributes { sample_priority: 0, signatures_priority: 0, signatures_sequence: Sequence(0), ..full },
        ),
        (Moment::Finished, full, Attributes { date_sample_finished: NOW, ..full }),
        (Moment::Restarted(7), full, Attributes { sample_priority: 7, ..zero }),
    ];
    for (moment, before, after) in cases {
        assert_eq!(moment.set(before, NOW), after, "{moment:?}");
    }
}

#[test]
fn the_priority_at_reception_is_the_override_else_the_policy() {
    assert_eq!(priority_at_reception(None, false), 0);
    assert_eq!(priority_at_reception(None, true), 1);
    assert_eq!(priority_at_reception(Some(0), true), 0);
    assert_eq!(priority_at_reception(Some(9), false), 9);
}

#[test]
fn a_detection_moves_on_at_once_because_its_definitions_are_here() {
    let facts = Facts { managed: true, selected: true, ..Facts::default() };
    let cause = Cause::Scanned(Finding::Detected(Sequence(5)));
    let settled = settle(Some(Status::Quarantined), &cause, &facts, NOW).unwrap();
    assert_eq!((settled.to, settled.then), (Status::Needed, Some(Status::Distribute)));
    assert_eq!(settled.basis, Basis::Detection);
    assert_eq!(settled.attributes.signatures_sequence, Sequence(5));

    let unselected = Facts { selected: false, ..facts };
    let settled = settle(Some(Status::Quarantined), &cause, &unselected, NOW).unwrap();
    assert_eq!(settled.status(), Status::Available);
    assert_eq!(manual_delivery(&settled.attributes), Ok(()));
}

#[test]
fn an_answer_waits_for_its_definitions() {
    let settled =
        settle(Some(Status::Released), &Cause::Answered(Answer::Definitions(Sequence(5))), &Facts::default(), NOW);
    assert_eq!(settled.map(|one| (one.to, one.then)), Ok((Status::Needed, None)));
}

#[test]
fn a_restart_clears_everything_but_the_priority_of_reception() {
    let facts = Facts { attributes: full(), received_priority: 1, ..Facts::default() };
    let settled = settle(Some(Status::Installed), &Cause::RestartedByHand, &facts, NOW).unwrap();
    assert_eq!((settled.to, settled.then), (Status::Restart, Some(Status::Quarantined)));
    assert_eq!(settled.attributes, Attributes { sample_priority: 1, ..Attributes::default() });
}

#[test]
fn an_override_outlives_a_restart_and_a_submission_by_hand_counts_as_one() {
    let held = Facts { received_priority: 0, ..Facts::default() };
    let submitted = settle(Some(Status::Held), &Cause::QueuedForSubmission, &held, NOW).unwrap();
    assert_eq!(submitted.attributes.sample_priority, 1);
    let again = Facts { attributes: submitted.attributes, priority_override: submitted.priority_override, ..held };
    let restarted = settle(Some(Status::Submitted), &Cause::RestartedByHand, &again, NOW).unwrap();
    assert_eq!(restarted.attributes.sample_priority, 1);

    let raised = Cause::PriorityRaised(NonZeroU32::new(6).unwrap());
    let raised = settle(Some(Status::Held), &raised, &held, NOW).unwrap();
    assert_eq!((raised.attributes.sample_priority, raised.priority_override), (6, Some(6)));
}

#[test]
fn a_detection_that_counts_as_unknown_can_still_be_submitted_by_hand() {
    let facts = Facts { client_sequence: Sequence(9), ..Facts::default() };
    let cause = Cause::Scanned(Finding::Unrepairable(Sequence(5)));
    let settled = settle(Some(Status::Quarantined), &cause, &facts, NOW).unwrap();
    assert_eq!(settled.status(), Status::Held);
    assert_eq!(manual_submission(&settled.attributes), Ok(()));
}

fn causes() -> impl Strategy<Value = Cause> {
    let sequence = (1..6_u64).prop_map(Sequence);
    prop_oneof![
        Just(Cause::Scanned(Finding::Nothing)),
        sequence.clone().prop_map(|n| Cause::Scanned(Finding::Detected(n))),
        sequence.clone().prop_map(|n| Cause::Scanned(Finding::Unrepairable(n))),
        Just(Cause::QueuedForSubmission),
        (1..4_u32).prop_map(|priority| Cause::PriorityRaised(NonZeroU32::new(priority).unwrap())),
        Just(Cause::WizardOverridden),
        Just(Cause::GatewayAccepted),
        Just(Cause::GatewayRefused),
        Just(Cause::CannotBeStripped),
        Just(Cause::Answered(Answer::NotInfected)),
        sequence.clone().prop_map(|n| Cause::Answered(Answer::Definitions(n))),
        Just(Cause::Answered(Answer::NeedsPerson)),
        Just(Cause::Answered(Answer::Failed)),
        Just(Cause::Answered(Answer::SendAgain)),
        Just(Cause::Answered(Answer::NotKnown)),
        sequence.clone().prop_map(Cause::NeededDetected),
        sequence.clone().prop_map(Cause::NeededNotDetected),
        Just(Cause::QueuedForDelivery),
        Just(Cause::PolicySelects),
        Just(Cause::TargetHolds),
        Just(Cause::DeliveryTimedOut),
        Just(Cause::ClientIsNonmanaged),
        Just(Cause::InstallConfirmed),
        Just(Cause::InstallFailed),
        Just(Cause::TargetLostSet),
        Just(Cause::TargetIsBack),
        Just(Cause::NewerSetHere),
        sequence.clone().prop_map(Cause::SequenceConfirmed),
        Just(Cause::DeclaredApplied),
        sequence.prop_map(Cause::NewlyDetected),
        Just(Cause::SignatureWithdrawn),
        Just(Cause::RestartedByHand),
        Just(Cause::ProcessingFault),
    ]
}

prop_compose! {
    fn clients()(
        managed: bool, selected: bool, client in 0..6_u64, active in 0..6_u64, rejected in 0..6_u64,
        send_again_count in 0..5_u32, received_priority in 0..2_u32,
    ) -> Facts {
        Facts {
            managed, selected, send_again_count, received_priority,
            client_sequence: Sequence(client),
            active_sequence: Sequence(active),
            rejected_sequence: Sequence(rejected),
            ..Facts::default()
        }
    }
}

/// What must be true of an item at rest, whatever happened to it.
fn check(status: Status, attributes: &Attributes) -> Result<(), TestCaseError> {
    let zero = Sequence(0);
    match status {
        Status::Restart => prop_assert!(false, "nothing rests in Restart"),
        Status::Quarantined => {
            prop_assert_eq!(attributes.date_submitted, Timestamp::NEVER);
            prop_assert_eq!(attributes.signatures_sequence, zero);
        }
        Status::Held => {
            prop_assert_eq!(attributes.sample_priority, 0);
            prop_assert!(manual_submission(attributes).is_ok(), "Held waits for a submission by hand");
        }
        Status::Submitted | Status::Released => {
            prop_assert!(attributes.sample_priority > 0);
            prop_assert!(!attributes.date_submitted.is_never());
            prop_assert!(manual_submission(attributes).is_err());
        }
        Status::Needed => {
            prop_assert!(attributes.signatures_sequence > zero);
            prop_assert_eq!(attributes.date_sample_finished, Timestamp::NEVER);
        }
        Status::Available | Status::NotInstalled => {
            prop_assert!(manual_delivery(attributes).is_ok(), "{status} waits for a delivery by hand");
        }
        Status::Distribute | Status::Distributed => {
            prop_assert!(attributes.signatures_sequence > zero);
            prop_assert!(attributes.signatures_priority > 0);
            prop_assert!(manual_delivery(attributes).is_err());
        }
        Status::Installed | Status::Unneeded => {
            prop_assert!(!attributes.date_sample_finished.is_never());
            prop_assert!(manual_delivery(attributes).is_err());
        }
        Status::Attention | Status::Error => {
            prop_assert_eq!(attributes.sample_priority, 0);
            prop_assert_eq!(attributes.signatures_priority, 0);
            prop_assert_eq!(attributes.signatures_sequence, zero);
            prop_assert!(manual_delivery(attributes).is_err());
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn table_attributes_and_eligibility_hold_together_over_random_orders(
        steps in proptest::collection::vec((causes(), clients()), 1..160),
    ) {
        let first = settle(None, &Cause::Received, &steps[0].1, Timestamp(1)).unwrap();
        let received_priority = steps[0].1.received_priority;
        prop_assert_eq!(first.attributes.sample_priority, received_priority);
        let mut item = first;
        for (at, (cause, client)) in steps.into_iter().enumerate() {
            let status = item.status();
            let facts = Facts {
                attributes: item.attributes,
                priority_override: item.priority_override,
                basis: item.basis,
                received_priority,
                ..client
            };
            // An eligible request from a status that has a row is never refused.
            if manual_submission(&facts.attributes).is_ok() && matches!(status, Status::Held | Status::Error) {
                prop_assert_eq!(advance(Some(status), &Cause::QueuedForSubmission, &facts), Ok(Status::Submitted));
            } else {
                prop_assert!(advance(Some(status), &Cause::QueuedForSubmission, &facts).is_err());
            }
            if manual_delivery(&facts.attributes).is_ok() && status == Status::Available {
                prop_assert_eq!(advance(Some(status), &Cause::QueuedForDelivery, &facts), Ok(Status::Distribute));
            }
            let now = Timestamp(at as i64 + 2);
            let row = advance(Some(status), &cause, &facts);
            match settle(Some(status), &cause, &facts, now) {
                Ok(settled) => {
                    prop_assert_eq!(row, Ok(settled.to));
                    item = settled;
                }
                Err(refused) => prop_assert_eq!(row, Err(refused)),
            }
            check(item.status(), &item.attributes)?;
        }
    }
}
