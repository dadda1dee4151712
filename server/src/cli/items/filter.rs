//! Which items: the same filter for list, count and delete.

use super::super::Failure;
use crate::config::amount::parse_span;
use model::Status;
use serde_json::{Map, Value};
use std::time::Duration;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;

/// The flags of a filter; none selects everything.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct FilterArgs {
    /// Only this status; may be given more than once
    #[arg(long, value_name = "S", value_parser = status)]
    pub status: Vec<Status>,
    /// Only from this client
    #[arg(long, value_name = "C")]
    pub client: Option<String>,
    /// Only the sample with this BLAKE3 or SHA-256
    #[arg(long, value_name = "HEX")]
    pub digest: Option<String>,
    /// Only where this signature matched
    #[arg(long, value_name = "NAME")]
    pub signature: Option<String>,
    /// Only received then or later: 2026-01-31, 2026-01-31T12:00:00Z, or an age such as 2h
    #[arg(long, value_name = "T")]
    pub since: Option<String>,
    /// Only received before: as --since
    #[arg(long, value_name = "T")]
    pub until: Option<String>,
}

impl FilterArgs {
    /// Whether it selects everything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Self { status, client, digest, signature, since, until } = self;
        status.is_empty() && [client, digest, signature, since, until].iter().all(|value| value.is_none())
    }

    /// As the API's query.
    ///
    /// # Errors
    /// A time that is none.
    pub fn query(&self) -> Result<Vec<(&'static str, String)>, Failure> {
        let mut query: Vec<_> = self.status.iter().map(|status| ("status", status.name().to_owned())).collect();
        for (name, value) in [("client", &self.client), ("digest", &self.digest), ("signature", &self.signature)] {
            query.extend(value.iter().map(|value| (name, value.clone())));
        }
        for (name, value) in [("since", &self.since), ("until", &self.until)] {
            if let Some(text) = value {
                query.push((name, moment(name, text, OffsetDateTime::now_utc())?));
            }
        }
        Ok(query)
    }

    /// As the API's `filter` object.
    ///
    /// # Errors
    /// A time that is none.
    pub fn document(&self) -> Result<Value, Failure> {
        let mut document = Map::new();
        for (name, value) in self.query()? {
            if name == "status" {
                let statuses = document.entry(name).or_insert_with(|| Value::Array(Vec::new()));
                if let Value::Array(statuses) = statuses {
                    statuses.push(value.into());
                }
            } else {
                document.insert(name.to_owned(), value.into());
            }
        }
        Ok(Value::Object(document))
    }
}

/// A status by its name, in any case, with `-` for the blank.
fn status(text: &str) -> Result<Status, String> {
    let wanted = text.replace('-', " ");
    let known = Status::ALL.into_iter().find(|status| status.name().eq_ignore_ascii_case(&wanted));
    known.ok_or_else(|| {
        let names: Vec<&str> = Status::ALL.iter().map(|status| status.name()).collect();
        format!("known are {}", names.join(", "))
    })
}

/// A moment in RFC 3339, from a date, a moment, or an age.
fn moment(name: &str, text: &str, now: OffsetDateTime) -> Result<String, Failure> {
    let refused = || {
        Failure::Usage(format!(
            "--{name} expects a date, a moment or an age (2026-01-31, 2026-01-31T12:00:00Z, 2h), found '{}'",
            super::super::screen::escaped(text)
        ))
    };
    let at = if let Ok(at) = OffsetDateTime::parse(text, &Rfc3339) {
        Some(at)
    } else if let Ok(day) = time::Date::parse(text, format_description!("[year]-[month]-[day]")) {
        Some(day.midnight().assume_utc())
    } else {
        let age = parse_span(text, Duration::from_secs(1)).ok().filter(|_| text.ends_with(char::is_alphabetic));
        age.and_then(|age| now.checked_sub(age.try_into().ok()?))
    };
    at.ok_or_else(refused)?.to_offset(time::UtcOffset::UTC).format(&Rfc3339).map_err(|_| refused())
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn a_moment_is_a_date_a_moment_or_an_age() {
        let now = datetime!(2026-03-01 12:00 UTC);
        let cases = [
            ("2026-01-31", "2026-01-31T00:00:00Z"),
            ("2026-01-31T12:00:00+02:00", "2026-01-31T10:00:00Z"),
            ("2h", "2026-03-01T10:00:00Z"),
            ("7 days", "2026-02-22T12:00:00Z"),
        ];
        for (text, expected) in cases {
            assert_eq!(moment("since", text, now).as_deref(), Ok(expected), "{text}");
        }
        for text in ["yesterday", "12", "2026-13-01", ""] {
            assert_eq!(moment("since", text, now).expect_err(text).code(), 2);
        }
    }

    #[test]
    fn a_status_is_found_in_any_case() {
        assert_eq!(status("held"), Ok(Status::Held));
        assert_eq!(status("Not-Installed"), Ok(Status::NotInstalled));
        assert!(status("sick").expect_err("unknown").starts_with("known are Quarantined, "));
    }

    #[test]
    fn a_filter_is_the_same_in_a_query_and_in_a_document() {
        let filter = FilterArgs {
            status: vec![Status::Held, Status::Error],
            client: Some("pc".into()),
            ..FilterArgs::default()
        };
        assert_eq!(filter.query().expect("valid").len(), 3);
        let document = filter.document().expect("valid");
        assert_eq!(document, serde_json::json!({"status": ["Held", "Error"], "client": "pc"}));
        assert!(FilterArgs::default().is_empty() && !filter.is_empty());
    }
}
