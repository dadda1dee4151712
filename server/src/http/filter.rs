//! Which items a request means: the same words in a query and in the body of an action.

use crate::daemon::context::Context;
use crate::http::problem::Problem;
use crate::http::query::Parameters;
use engine::catalogue::Filter;
use model::{Blake3, Status, Timestamp};
use serde::Deserialize;

/// The parameters of a filter, for messages.
pub const KNOWN: &str = "status, client, digest, signature, since, until";

/// A filter as it is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Asked {
    /// Any of these; empty means all.
    pub status: Vec<Status>,
    /// The client's exact name.
    pub client: Option<String>,
    /// BLAKE3 or SHA-256 of the sample, 64 hexadecimal digits.
    pub digest: Option<String>,
    /// The name of a signature that detects the sample.
    pub signature: Option<String>,
    /// Received at or after.
    pub since: Option<Timestamp>,
    /// Received before.
    pub until: Option<Timestamp>,
}

impl Asked {
    /// Takes the filter's parameters out of a query.
    ///
    /// # Errors
    /// A parameter that does not parse.
    pub fn take(parameters: &mut Parameters) -> Result<Self, Problem> {
        let mut status = Vec::new();
        for text in parameters.all("status") {
            status.push(text.parse().map_err(|error| Problem::invalid(format!("status={text}: {error}")))?);
        }
        Ok(Self {
            status,
            client: parameters.one("client")?,
            digest: parameters.one("digest")?,
            signature: parameters.one("signature")?,
            since: parameters.parsed("since")?,
            until: parameters.parsed("until")?,
        })
    }

    /// Whether it names no condition at all.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The filter for the catalogue; `None` when no item can match, because the digest is not here.
    ///
    /// # Errors
    /// The digest is none, or the engine is not there yet.
    pub async fn resolve(self, context: &Context) -> Result<Option<Filter>, Problem> {
        let samples = match &self.digest {
            None => None,
            Some(text) => {
                // Both digests have this form.
                let digest: Blake3 =
                    text.parse().map_err(|error| Problem::invalid(format!("digest={text}: {error}")))?;
                match context.samples_named(digest.0).await? {
                    samples if samples.is_empty() => return Ok(None),
                    samples => Some(samples),
                }
            }
        };
        Ok(Some(Filter {
            statuses: self.status,
            client: self.client,
            samples,
            signature: self.signature,
            since_ms: self.since.map(|at| at.0),
            until_ms: self.until.map(|at| at.0),
        }))
    }
}
