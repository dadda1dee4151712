//! Whether a person may queue an item by hand, judged by its attributes alone (first seed, "Submitting files
//! manually" and "Requesting virus definitions updates manually").
//!
//! A request also needs a row in the status table: [`crate::lifecycle::advance`] asks for both and names the one that
//! stands against it, in the words that a disabled button shows.

use crate::attributes::Attributes;
use crate::id::Sequence;
use crate::timestamp::Timestamp;

/// The rule that stands against a request by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Ineligible {
    /// Submission: it is in the automatic queue already.
    #[error("it is submitted automatically already: X-Sample-Priority is {priority} where 0 is required")]
    SubmissionIsAutomatic {
        /// X-Sample-Priority.
        priority: u32,
    },
    /// Submission: it has been submitted.
    #[error("it has been submitted already: X-Date-Submitted is {at}")]
    AlreadySubmitted {
        /// X-Date-Submitted.
        at: Timestamp,
    },
    /// Submission: its analysis is over.
    #[error("it has been analysed already: X-Date-Analysis-Finished is {at}")]
    AlreadyAnalysed {
        /// X-Date-Analysis-Finished.
        at: Timestamp,
    },
    /// Delivery: it is in the automatic queue already.
    #[error("definitions are delivered automatically already: X-Signatures-Priority is {priority} where 0 is required")]
    DeliveryIsAutomatic {
        /// X-Signatures-Priority.
        priority: u32,
    },
    /// Delivery: it needs no definitions.
    #[error("it needs no definitions: X-Signatures-Sequence is 0 where a number above 0 is required")]
    NoDefinitionsNeeded,
    /// Delivery: there is nothing left to do.
    #[error("nothing is left to do for it: X-Date-Sample-Finished is {at}")]
    AlreadyFinished {
        /// X-Date-Sample-Finished.
        at: Timestamp,
    },
}

/// Manual submission: X-Sample-Priority is 0 and neither X-Date-Submitted nor X-Date-Analysis-Finished is set.
///
/// # Errors
/// The first rule that stands against it, in that order.
pub fn manual_submission(attributes: &Attributes) -> Result<(), Ineligible> {
    if attributes.sample_priority > 0 {
        return Err(Ineligible::SubmissionIsAutomatic { priority: attributes.sample_priority });
    }
    if !attributes.date_submitted.is_never() {
        return Err(Ineligible::AlreadySubmitted { at: attributes.date_submitted });
    }
    if !attributes.date_analysis_finished.is_never() {
        return Err(Ineligible::AlreadyAnalysed { at: attributes.date_analysis_finished });
    }
    Ok(())
}

/// Manual delivery: X-Signatures-Priority is 0, X-Signatures-Sequence is above 0 and X-Date-Sample-Finished is not set.
///
/// # Errors
/// The first rule that stands against it, in that order.
pub fn manual_delivery(attributes: &Attributes) -> Result<(), Ineligible> {
    if attributes.signatures_priority > 0 {
        return Err(Ineligible::DeliveryIsAutomatic { priority: attributes.signatures_priority });
    }
    if attributes.signatures_sequence == Sequence(0) {
        return Err(Ineligible::NoDefinitionsNeeded);
    }
    if !attributes.date_sample_finished.is_never() {
        return Err(Ineligible::AlreadyFinished { at: attributes.date_sample_finished });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every combination of "0" and "set" over the six attributes.
    fn combinations() -> impl Iterator<Item = Attributes> {
        (0..64_u32).map(|bits| {
            let bit = |at: u32| bits >> at & 1;
            Attributes {
                sample_priority: bit(0) * 3,
                date_submitted: Timestamp(i64::from(bit(1)) * 10),
                date_analysis_finished: Timestamp(i64::from(bit(2)) * 20),
                signatures_priority: bit(3) * 4,
                signatures_sequence: Sequence(u64::from(bit(4)) * 5),
                date_sample_finished: Timestamp(i64::from(bit(5)) * 30),
            }
        })
    }

    #[test]
    fn manual_submission_is_eligible_only_when_all_three_rules_hold() {
        for attributes in combinations() {
            let expected =
                match (attributes.sample_priority, attributes.date_submitted.0, attributes.date_analysis_finished.0) {
                    (0, 0, 0) => Ok(()),
                    (0, 0, at) => Err(Ineligible::AlreadyAnalysed { at: Timestamp(at) }),
                    (0, at, _) => Err(Ineligible::AlreadySubmitted { at: Timestamp(at) }),
                    (priority, _, _) => Err(Ineligible::SubmissionIsAutomatic { priority }),
                };
            assert_eq!(manual_submission(&attributes), expected, "{attributes:?}");
        }
    }

    #[test]
    fn manual_delivery_is_eligible_only_when_all_three_rules_hold() {
        for attributes in combinations() {
            let expected = match (
                attributes.signatures_priority,
                attributes.signatures_sequence.0,
                attributes.date_sample_finished.0,
            ) {
                (0, 5, 0) => Ok(()),
                (0, 5, at) => Err(Ineligible::AlreadyFinished { at: Timestamp(at) }),
                (0, _, _) => Err(Ineligible::NoDefinitionsNeeded),
                (priority, _, _) => Err(Ineligible::DeliveryIsAutomatic { priority }),
            };
            assert_eq!(manual_delivery(&attributes), expected, "{attributes:?}");
        }
    }

    #[test]
    fn a_refusal_names_the_attribute_and_its_value() {
        let sent = Attributes { date_submitted: Timestamp(1_767_323_045_678), ..Attributes::default() };
        let text = manual_submission(&sent).unwrap_err().to_string();
        assert_eq!(text, "it has been submitted already: X-Date-Submitted is 2026-01-02T03:04:05.678Z");
    }
}
