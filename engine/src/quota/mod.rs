//! The quota: two limits, decided before a body is read and never passed by a byte.

mod ledger;

pub(crate) use ledger::{Ledger, Limits};
pub use ledger::{FullReason, Level, Permit, QuotaState, Refusal, SlowReason};
