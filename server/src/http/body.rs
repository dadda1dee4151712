//! Reads a request's body as fast as its sender must send it.
//! 1. A body that brings nothing for `body_idle` ends the request.
//! 2. After `body_grace` a body must have come at `body_rate_min` bytes a second on average.
//! 3. Nothing is read before the first [`PacedBody::next`]; only that answers `Expect: 100-continue`.

use crate::daemon::options::Limits;
use crate::http::problem::Problem;
use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use http_body_util::BodyExt as _;
use std::time::Duration;
use tokio::time::Instant;

/// Why a body ended before its end.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// Nothing came for too long.
    #[error("the body brought nothing for {0:?} after {1} bytes")]
    Idle(Duration, u64),
    /// It comes too slowly to be waited for.
    #[error("the body brought {bytes} bytes in {seconds} s, less than {rate_min} bytes a second")]
    Slow {
        /// Bytes so far.
        bytes: u64,
        /// Seconds so far.
        seconds: u64,
        /// Bytes a second it must bring.
        rate_min: u64,
    },
    /// The connection broke or the framing is wrong.
    #[error("the body broke off after {bytes} bytes: {cause}")]
    Broken {
        /// Bytes so far.
        bytes: u64,
        /// What the connection says.
        cause: String,
    },
}

impl From<BodyError> for Problem {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::Idle(..) | BodyError::Slow { .. } => {
                Self::new(StatusCode::REQUEST_TIMEOUT, "slow-body", error.to_string())
            }
            BodyError::Broken { .. } => Self::invalid(error.to_string()),
        }
    }
}

/// A body under a clock.
#[derive(Debug)]
pub struct PacedBody {
    body: Body,
    idle: Duration,
    grace: Duration,
    rate_min: u64,
    started: Option<Instant>,
    bytes: u64,
}

impl PacedBody {
    /// A body that has not been read yet.
    pub fn new(body: Body, limits: &Limits) -> Self {
        Self {
            body,
            idle: limits.body_idle,
            grace: limits.body_grace,
            rate_min: limits.body_rate_min,
            started: None,
            bytes: 0,
        }
    }

    /// The next bytes, or `None` at the end.
    ///
    /// # Errors
    /// See [`BodyError`].
    pub async fn next(&mut self) -> Result<Option<Bytes>, BodyError> {
        let started = *self.started.get_or_insert_with(Instant::now);
        loop {
            let frame = tokio::time::timeout(self.idle, self.body.frame())
                .await
                .map_err(|_| BodyError::Idle(self.idle, self.bytes))?;
            let Some(frame) = frame else { return Ok(None) };
            let frame = frame.map_err(|error| BodyError::Broken { bytes: self.bytes, cause: told(&error) })?;
            // Trailers carry nothing we asked for.
            let Ok(bytes) = frame.into_data() else { continue };
            self.bytes += bytes.len() as u64;
            self.check_rate(started.elapsed())?;
            if !bytes.is_empty() {
                return Ok(Some(bytes));
            }
        }
    }

    fn check_rate(&self, elapsed: Duration) -> Result<(), BodyError> {
        let seconds = elapsed.as_secs();
        if elapsed > self.grace && self.bytes < self.rate_min.saturating_mul(seconds) {
            return Err(BodyError::Slow { bytes: self.bytes, seconds, rate_min: self.rate_min });
        }
        Ok(())
    }
}

/// An error with its causes, in one line.
fn told(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.ends_with(&inner_text) {
            text.push_str(": ");
            text.push_str(&inner_text);
        }
        cause = inner.source();
    }
    text
}
