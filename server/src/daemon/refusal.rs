//! The engine's refusals in the words of both protocols and of the metrics.

use crate::daemon::context::NotServing;
use engine::{FullReason, QuotaState, Refusal, SubmitError};
use model::wire::RefusedCode;

/// One sample that made no item.
#[derive(Debug)]
pub struct Refused {
    /// Why, for programs.
    pub code: RefusedCode,
    /// When to try again, milliseconds from now; 0 where no retry helps by itself.
    pub retry_after_ms: u64,
    /// Why, for a person.
    pub text: String,
    /// The quota, where it is the reason.
    pub quota: Option<QuotaState>,
}

/// A full store is worth asking again when something may have been reclaimed.
const FULL_RETRY_MS: u64 = 30_000;
/// A draining or recovering server is worth asking again soon.
const SOON_RETRY_MS: u64 = 1_000;

impl Refused {
    /// The server is busy: more bodies are in flight than it has memory or threads for.
    pub fn busy(what: &str) -> Self {
        Self {
            code: RefusedCode::SlowDown,
            retry_after_ms: SOON_RETRY_MS,
            text: format!("the server is busy: {what}; try again after retry_after_ms"),
            quota: None,
        }
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        let text = refusal.to_string();
        let (code, retry_after_ms, quota) = match refusal {
            Refusal::TooLarge { .. } => (RefusedCode::TooLarge, 0, None),
            Refusal::SlowDown { retry_after_ms, .. } => (RefusedCode::SlowDown, retry_after_ms, None),
            Refusal::Full { quota, what } => (full(what), FULL_RETRY_MS, Some(quota)),
            Refusal::Stopped => (RefusedCode::Stopped, 0, None),
        };
        Self { code, retry_after_ms, text, quota }
    }
}

fn full(what: FullReason) -> RefusedCode {
    match what {
        FullReason::Bytes | FullReason::Disk => RefusedCode::FullBytes,
        FullReason::Samples => RefusedCode::FullSamples,
        FullReason::ClientShare => RefusedCode::ClientShare,
    }
}

impl From<SubmitError> for Refused {
    fn from(error: SubmitError) -> Self {
        let text = error.to_string();
        let code = match error {
            SubmitError::Refused(refusal) => return refusal.into(),
            SubmitError::DigestMismatch { .. } => RefusedCode::DigestMismatch,
            SubmitError::KeyReused(_) => RefusedCode::Malformed,
            SubmitError::Stopped(_) => RefusedCode::Stopped,
        };
        Self { code, retry_after_ms: 0, text, quota: None }
    }
}

impl From<NotServing> for Refused {
    fn from(error: NotServing) -> Self {
        let retry_after_ms = match error {
            NotServing::Recovering | NotServing::Draining => SOON_RETRY_MS,
            NotServing::Stopped(_) => 0,
        };
        Self { code: RefusedCode::Stopped, retry_after_ms, text: error.to_string(), quota: None }
    }
}
