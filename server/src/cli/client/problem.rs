//! A refusal by the server, told to a person: what, why and what to do.

use crate::cli::Failure;
use crate::cli::screen::escaped;
use crate::config::amount::{grouped, short_bytes};
use reqwest::StatusCode;
use serde_json::Value;
use std::time::Duration;

/// The longest problem document read: ours have a few hundred bytes.
pub const PROBLEM_BYTES_MAX: usize = 64 << 10;

/// A refusal.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// The HTTP status.
    pub status: StatusCode,
    /// The problem document, or null when the body was none.
    pub document: Value,
    /// When to come back, if the server said so.
    pub retry_after: Option<Duration>,
}

impl Refusal {
    /// From a response's status, `Retry-After` header and body.
    #[must_use]
    pub fn new(status: StatusCode, retry_after: Option<&str>, body: &[u8]) -> Self {
        let document: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
        let exact = document.get("retry_after_ms").and_then(Value::as_u64).map(Duration::from_millis);
        let rounded = retry_after.and_then(|text| text.trim().parse().ok()).map(Duration::from_secs);
        Self { status, document, retry_after: exact.or(rounded) }
    }

    /// The sentence of the document, or the status when it has none.
    #[must_use]
    pub fn what(&self) -> String {
        let text = |name: &str| self.document.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        match text("detail").or_else(|| text("title")) {
            Some(text) => escaped(text),
            None => format!("the server answered {}", self.status),
        }
    }

    /// Sorted by who must do something.
    #[must_use]
    pub fn failure(&self) -> Failure {
        let what = self.what();
        match self.status.as_u16() {
            400 | 415 | 422 | 431 => Failure::Usage(what),
            401 => {
                Failure::NotAllowed(format!("{what}\ngive one with --token, LAZARET_TOKEN, or `lazaret context add`"))
            }
            403 => Failure::NotAllowed(what),
            409 => Failure::Full(what),
            429 => Failure::Full(match self.retry_after {
                Some(wait) => format!("{what}\ntry again in {} s", wait.as_secs_f64().ceil()),
                None => format!("{what}\ntry again later"),
            }),
            507 => Failure::Full(format!("{what}{}", self.quota_advice())),
            502..=504 => Failure::Unreachable(what),
            _ => Failure::No(what),
        }
    }

    fn quota_advice(&self) -> String {
        let figure = |name: &str| self.document.get("quota").and_then(|quota| quota.get(name)).and_then(Value::as_u64);
        let mut advice = String::new();
        if let (Some(used), Some(max)) = (figure("used_bytes"), figure("max_bytes")) {
            advice += &format!("\nbytes on disk: {} of {}", short_bytes(used), short_bytes(max));
        }
        if let (Some(used), Some(max)) = (figure("used_samples"), figure("max_samples")) {
            advice += &format!("\nsamples: {} of {}", grouped(used), grouped(max));
        }
        advice + "\nmake room with `lazaret items delete`, or raise general.max_bytes with `lazaret settings set`"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(status: u16, body: &str) -> Refusal {
        Refusal::new(StatusCode::from_u16(status).expect("a status"), Some("3"), body.as_bytes())
    }

    #[test]
    fn refusals_are_sorted_by_who_must_do_something() {
        let codes =
            [(400, 2), (401, 4), (403, 4), (404, 1), (409, 5), (413, 1), (429, 5), (500, 1), (503, 3), (507, 5)];
        for (status, code) in codes {
            assert_eq!(refusal(status, "{}").failure().code(), code, "{status}");
        }
    }

    #[test]
    fn a_full_store_shows_its_figures_and_what_to_do() {
        let body = r#"{"detail":"the quarantine is full","quota":{"used_bytes":1024,"max_bytes":1024,"used_samples":1,"max_samples":9}}"#;
        let Failure::Full(text) = refusal(507, body).failure() else { panic!("full") };
        assert!(
            text.starts_with("the quarantine is full\nbytes on disk: 1.00 KiB of 1.00 KiB\nsamples: 1 of 9\n"),
            "{text}"
        );
        assert!(text.contains("items delete"), "{text}");
    }

    #[test]
    fn the_exact_time_to_come_back_wins_over_the_rounded_one() {
        assert_eq!(refusal(429, r#"{"retry_after_ms":250}"#).retry_after, Some(Duration::from_millis(250)));
        assert_eq!(refusal(429, "busy").retry_after, Some(Duration::from_secs(3)));
    }

    #[test]
    fn a_hostile_server_cannot_write_to_the_terminal() {
        assert_eq!(refusal(404, "{\"detail\":\"\\u001b[2J\"}").what(), "\\u{1b}[2J");
        assert_eq!(refusal(404, "<html>").what(), "the server answered 404 Not Found");
    }
}
