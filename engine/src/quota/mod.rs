//! The quota: two limits, decided before a body is read and never passed by a byte.

mod ledger;

pub use ledger::{FullReason, ITEM_BYTES, Level, PERMITS_MAX, Permit, QuotaState, Refusal, SlowReason};
pub(crate) use ledger::{Ledger, Limits, SEGMENT_SLACK_BYTES, Settlement, known_worst_case};
