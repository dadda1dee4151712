//! A refused sample as a problem document: 413 too large, 422 wrong digest, 429 slow down, 503 stopped, 507 full.

use crate::daemon::context::NotServing;
use crate::daemon::read::ReadFailed;
use crate::daemon::refusal::Refused;
use crate::http::problem::Problem;
use axum::http::StatusCode;
use engine::QuotaState;
use engine::catalogue::CatalogueError;
use model::wire::RefusedCode;
use serde_json::{Value, json};

/// When a busy catalogue is worth asking again.
const BUSY_RETRY_MS: u64 = 1_000;

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        let status = match refused.code {
            RefusedCode::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            RefusedCode::SlowDown => StatusCode::TOO_MANY_REQUESTS,
            RefusedCode::FullBytes | RefusedCode::FullSamples | RefusedCode::ClientShare => {
                StatusCode::INSUFFICIENT_STORAGE
            }
            RefusedCode::DigestMismatch => StatusCode::UNPROCESSABLE_ENTITY,
            RefusedCode::Malformed => StatusCode::BAD_REQUEST,
            RefusedCode::Stopped => StatusCode::SERVICE_UNAVAILABLE,
            RefusedCode::NotAllowed => StatusCode::FORBIDDEN,
        };
        let mut problem = Self::new(status, refused.code.word(), refused.text);
        if refused.retry_after_ms > 0 {
            problem = problem.retry_after_ms(refused.retry_after_ms);
        }
        match refused.quota {
            Some(quota) => problem.with("quota", limits_and_use(&quota)),
            None => problem,
        }
    }
}

impl From<NotServing> for Problem {
    fn from(error: NotServing) -> Self {
        Refused::from(error).into()
    }
}

/// The `quota` member of a 507.
fn limits_and_use(quota: &QuotaState) -> Value {
    json!({
        "used_bytes": quota.used_bytes,
        "max_bytes": quota.max_bytes,
        "used_samples": quota.used_samples,
        "max_samples": quota.max_samples,
    })
}

impl From<ReadFailed> for Problem {
    fn from(error: ReadFailed) -> Self {
        let detail = error.to_string();
        match error {
            ReadFailed::NotServing(error) => error.into(),
            ReadFailed::Ended => Self::internal(detail),
            ReadFailed::Catalogue(error) => match error {
                CatalogueError::Busy { .. } | CatalogueError::Late { .. } | CatalogueError::StillReading { .. } => {
                    Self::unavailable(detail).retry_after_ms(BUSY_RETRY_MS)
                }
                CatalogueError::TooWide { .. } | CatalogueError::Cursor { .. } => Self::invalid(detail),
                CatalogueError::UnknownItem(_) => Self::missing(detail),
                CatalogueError::MovedOn { .. } => Self::new(StatusCode::CONFLICT, "conflict", detail),
                CatalogueError::Corrupt { .. }
                | CatalogueError::Layout { .. }
                | CatalogueError::Full { .. }
                | CatalogueError::Io { .. }
                | CatalogueError::Stopped { .. } => Self::internal(detail),
            },
        }
    }
}
