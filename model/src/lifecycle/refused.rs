//! Why a change of status does not happen.

use crate::eligibility::Ineligible;
use crate::id::Sequence;
use crate::status::Status;
use std::fmt;

/// A condition of a row that does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Rule {
    /// A request by hand that the attributes forbid.
    #[error("{0}")]
    Ineligible(#[from] Ineligible),
    /// The definitions are older than the ones needed.
    #[error("definitions {needed} are needed, {given} are older")]
    SequenceTooLow {
        /// X-Signatures-Sequence.
        needed: Sequence,
        /// What was offered or confirmed.
        given: Sequence,
    },
    /// A sequence of 0 names no definitions.
    #[error("0 is not the number of a definitions set")]
    SequenceIsZero,
    /// The target rejected this set before, and nothing newer is here.
    #[error("the target rejected definitions {rejected}, and the set on offer is {offered}")]
    RejectedBefore {
        /// The highest set it rejected.
        rejected: Sequence,
        /// The set that would be delivered.
        offered: Sequence,
    },
    /// No policy can deliver to a nonmanaged client.
    #[error("the client is nonmanaged, definitions cannot be installed on it")]
    ClientIsNonmanaged,
    /// No signature put the item where it is, so none can be withdrawn from under it.
    #[error("the centre's answer settled it, not a signature")]
    NotByDetection,
}

/// A change that the table does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// No row leads from the status with this cause.
    #[error("{} cannot become {to} by '{cause}'", Subject(*from))]
    NoRow {
        /// Where the item is; `None` before its reception.
        from: Option<Status>,
        /// Where the cause would have led.
        to: Status,
        /// The cause, in words.
        cause: &'static str,
    },
    /// There is a row, and one of its conditions does not hold.
    #[error("{} cannot become {to} by '{cause}': {rule}", Subject(*from))]
    Rule {
        /// Where the item is.
        from: Option<Status>,
        /// Where the cause would have led.
        to: Status,
        /// The cause, in words.
        cause: &'static str,
        /// The condition.
        rule: Rule,
    },
}

struct Subject(Option<Status>);

impl fmt::Display for Subject {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(status) => write!(out, "an item that is {status}"),
            None => out.write_str("an item that was never received"),
        }
    }
}
