//! What a sample's verdict means for one of its items.

use engine::catalogue::{SampleVerdict, Standing};
use model::Status;
use model::lifecycle::{Basis, Cause, Finding};

/// The cause that a verdict is for an item, if it is one. `unrepairable` says that the policy counts what was detected as
/// unknown, for nothing repairs it. Pure; the status table has the last word.
pub fn cause(standing: &Standing, verdict: &SampleVerdict, unrepairable: bool) -> Option<Cause> {
    let sequence = verdict.sequence;
    let detected = verdict.detections().next().is_some();
    match standing.status {
        Status::Quarantined if detected && unrepairable => Some(Cause::Scanned(Finding::Unrepairable(sequence))),
        Status::Quarantined if detected => Some(Cause::Scanned(Finding::Detected(sequence))),
        Status::Quarantined => Some(Cause::Scanned(Finding::Nothing)),
        // The centre said which set deals with it, and that set, or a later one, has looked.
        Status::Needed if standing.basis == Basis::Answer && sequence >= standing.attributes.signatures_sequence => {
            Some(if detected { Cause::NeededDetected(sequence) } else { Cause::NeededNotDetected(sequence) })
        }
        Status::Held | Status::Submitted | Status::Released | Status::Attention | Status::Error | Status::Unneeded
            if detected && !standing.detected =>
        {
            Some(Cause::NewlyDetected(sequence))
        }
        Status::Needed
        | Status::Available
        | Status::Distribute
        | Status::Distributed
        | Status::NotInstalled
        | Status::Unneeded
            if standing.detected && !detected =>
        {
            Some(Cause::SignatureWithdrawn)
        }
        Status::Held
        | Status::Submitted
        | Status::Released
        | Status::Attention
        | Status::Error
        | Status::Unneeded
        | Status::Needed
        | Status::Available
        | Status::Distribute
        | Status::Distributed
        | Status::NotInstalled
        | Status::Installed
        | Status::Restart => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::catalogue::{ClientNumber, Found};
    use model::{Attributes, SampleId, Sequence};

    fn standing(status: Status, detected: bool) -> Standing {
        Standing {
            sample: SampleId(1),
            client: ClientNumber(1),
            strip_override: None,
            client_sequence: Sequence(0),
            verdict_sequence: Sequence(2),
            detected,
            status,
            attributes: Attributes { signatures_sequence: Sequence(5), ..Attributes::default() },
            managed: true,
            received_priority: 0,
            priority_override: None,
            basis: Basis::Answer,
            send_again_count: 0,
        }
    }

    fn verdict(sequence: u64, names: &[(&str, bool)]) -> SampleVerdict {
        let found = |(name, allowed): &(&str, bool)| Found {
            signature: (*name).to_owned(),
            allowed: *allowed,
            sequence: Sequence(sequence),
        };
        SampleVerdict { sample: SampleId(1), sequence: Sequence(sequence), findings: names.iter().map(found).collect() }
    }

    #[test]
    fn only_what_is_new_moves_an_item() {
        let found = verdict(6, &[("A", false)]);
        let clean = verdict(6, &[("A", true)]);
        for status in Status::ALL {
            // The same answer again is no cause, except for the first scan.
            for (detected, verdict) in [(true, &found), (false, &clean)] {
                let again = cause(&standing(status, detected), verdict, false);
                match status {
                    Status::Quarantined => assert!(matches!(again, Some(Cause::Scanned(_)))),
                    // It waits for the centre's set, and that set has looked.
                    Status::Needed if detected => assert_eq!(again, Some(Cause::NeededDetected(Sequence(6)))),
                    Status::Needed => assert_eq!(again, Some(Cause::NeededNotDetected(Sequence(6)))),
                    _ => assert_eq!(again, None, "{status} {detected}"),
                }
            }
        }
    }

    #[test]
    fn a_set_before_the_needed_one_says_nothing_about_it() {
        assert_eq!(cause(&standing(Status::Needed, false), &verdict(4, &[("A", false)]), false), None);
        let needed = cause(&standing(Status::Needed, false), &verdict(5, &[("A", false)]), false);
        assert_eq!(needed, Some(Cause::NeededDetected(Sequence(5))));
    }

    #[test]
    fn a_withdrawn_signature_takes_back_what_it_caused_and_nothing_else() {
        for status in Status::ALL {
            let withdrawn = cause(&standing(status, true), &verdict(6, &[]), false);
            // One that is Needed waits for the centre's set, which has looked: a person has to.
            let takes_back = matches!(
                status,
                Status::Available | Status::Distribute | Status::Distributed | Status::NotInstalled | Status::Unneeded
            );
            assert_eq!(withdrawn == Some(Cause::SignatureWithdrawn), takes_back, "{status}");
        }
    }

    #[test]
    fn what_nothing_repairs_is_as_good_as_unknown_where_the_policy_says_so() {
        let quarantined = standing(Status::Quarantined, false);
        let found = verdict(6, &[("A", false)]);
        assert_eq!(cause(&quarantined, &found, true), Some(Cause::Scanned(Finding::Unrepairable(Sequence(6)))));
        assert_eq!(cause(&quarantined, &verdict(6, &[]), true), Some(Cause::Scanned(Finding::Nothing)));
        // The centre's own set detects it too, without a repair: that is the answer it waited for.
        let needed = Standing { verdict_sequence: Sequence(4), ..standing(Status::Needed, true) };
        assert_eq!(cause(&needed, &found, true), Some(Cause::NeededDetected(Sequence(6))));
    }
}
