//! Questions to the server's HTTP side: what it holds, and whether it is what was sent.

use crate::limits::{ANSWER_BYTES_MAX, QUESTION_TIMEOUT};
use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::client::conn::http1::handshake;
use hyper::header::{AUTHORIZATION, HOST};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use tokio::net::TcpStream;

/// Where the server's HTTP side is and how to be let in.
#[derive(Debug, Clone)]
pub struct Questions {
    host: String,
    token: String,
}

/// What the server says of its quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Quota {
    /// Bytes on disk.
    pub used_bytes: u64,
    /// Their limit.
    pub max_bytes: u64,
    /// Stored samples.
    pub used_samples: u64,
    /// Their limit.
    pub max_samples: u64,
}

impl Quota {
    /// Whether a limit is passed.
    pub fn is_passed(&self) -> bool {
        self.used_bytes > self.max_bytes || self.used_samples > self.max_samples
    }
}

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub enum QuestionError {
    /// The address is not one that can be asked.
    #[error("'{0}' is not http://HOST:PORT")]
    Address(String),
    /// The server cannot be reached or broke off.
    #[error("GET http://{host}{path}: {cause}")]
    Network {
        /// Host and port.
        host: String,
        /// What was asked for.
        path: String,
        /// What went wrong.
        cause: String,
    },
    /// The server answered something else.
    #[error("GET http://{host}{path}: {what}")]
    Answer {
        /// Host and port.
        host: String,
        /// What was asked for.
        path: String,
        /// What is wrong with the answer.
        what: String,
    },
}

impl Questions {
    /// Asks the server at `http://HOST:PORT`.
    ///
    /// # Errors
    /// Another scheme, or a path.
    pub fn new(server: &str, token: &str) -> Result<Self, QuestionError> {
        let host = server.strip_prefix("http://").map(|host| host.trim_end_matches('/'));
        match host.filter(|host| host.contains(':') && !host.contains('/')) {
            Some(host) => Ok(Self { host: host.to_owned(), token: token.to_owned() }),
            None => Err(QuestionError::Address(server.to_owned())),
        }
    }

    /// Host and port.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Items listed: `GET /v1/items/count`.
    ///
    /// # Errors
    /// No answer, or one without a `count`.
    pub async fn count(&self) -> Result<u64, QuestionError> {
        let path = "/v1/items/count";
        let document = self.json(path).await?;
        let count = document.as_u64().or_else(|| document["count"].as_u64());
        count.ok_or_else(|| self.answer(path, format!("no 'count' in {document}")))
    }

    /// Quota: `GET /v1/quota`.
    ///
    /// # Errors
    /// No answer, or one without the four figures.
    pub async fn quota(&self) -> Result<Quota, QuestionError> {
        let path = "/v1/quota";
        let document = self.json(path).await?;
        let figure = |key: &str| {
            document[key].as_u64().ok_or_else(|| self.answer(path, format!("no number '{key}' in {document}")))
        };
        Ok(Quota {
            used_bytes: figure("used_bytes")?,
            max_bytes: figure("max_bytes")?,
            used_samples: figure("used_samples")?,
            max_samples: figure("max_samples")?,
        })
    }

    /// Items that intake says it made, stored and duplicate: `GET /metrics`. An answer to a retry
    /// made no item.
    ///
    /// # Errors
    /// No answer, or no such metric.
    pub async fn intake_samples(&self) -> Result<u64, QuestionError> {
        let path = "/metrics";
        let (_, body) = self.get(path, ANSWER_BYTES_MAX).await?;
        let text = String::from_utf8_lossy(&body);
        made_items(&text).ok_or_else(|| self.answer(path, "no lazaret_intake_samples_total".to_owned()))
    }

    /// The bytes of an item, at most `bytes_max`; `None` when the server does not have it.
    ///
    /// # Errors
    /// No answer, or one that is neither.
    pub async fn sample(&self, item: u64, bytes_max: u64) -> Result<Option<Bytes>, QuestionError> {
        let path = format!("/v1/items/{item}/sample");
        // One byte more than expected is enough to see that it is wrong.
        let limit = usize::try_from(bytes_max).unwrap_or(usize::MAX - 1) + 1;
        match self.get(&path, limit.max(ANSWER_BYTES_MAX)).await? {
            (StatusCode::OK, body) => Ok(Some(body)),
            (StatusCode::NOT_FOUND | StatusCode::GONE, _) => Ok(None),
            (status, body) => Err(self.answer(&path, format!("{status}: {}", String::from_utf8_lossy(&body)))),
        }
    }

    async fn json(&self, path: &str) -> Result<serde_json::Value, QuestionError> {
        let (status, body) = self.get(path, ANSWER_BYTES_MAX).await?;
        if status != StatusCode::OK {
            return Err(self.answer(path, format!("{status}: {}", String::from_utf8_lossy(&body))));
        }
        serde_json::from_slice(&body).map_err(|cause| self.answer(path, cause.to_string()))
    }

    async fn get(&self, path: &str, bytes_max: usize) -> Result<(StatusCode, Bytes), QuestionError> {
        let asked = tokio::time::timeout(QUESTION_TIMEOUT, self.exchange(path, bytes_max)).await;
        let cause = match asked {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(cause)) => cause.to_string(),
            Err(_) => format!("no answer within {} s", QUESTION_TIMEOUT.as_secs()),
        };
        Err(QuestionError::Network { host: self.host.clone(), path: path.to_owned(), cause })
    }

    async fn exchange(
        &self,
        path: &str,
        bytes_max: usize,
    ) -> Result<(StatusCode, Bytes), Box<dyn std::error::Error + Send + Sync>> {
        let stream = TcpStream::connect(&self.host).await?;
        let (mut sender, connection) = handshake(TokioIo::new(stream)).await?;
        let mover = tokio::spawn(connection);
        let mut request = Request::get(path).header(HOST, &self.host);
        if !self.token.is_empty() {
            request = request.header(AUTHORIZATION, format!("Bearer {}", self.token));
        }
        let response = sender.send_request(request.body(Empty::<Bytes>::new())?).await?;
        let status = response.status();
        let body = Limited::new(response.into_body(), bytes_max).collect().await;
        mover.abort();
        Ok((status, body?.to_bytes()))
    }

    fn answer(&self, path: &str, what: String) -> QuestionError {
        QuestionError::Answer { host: self.host.clone(), path: path.to_owned(), what }
    }
}

/// Adds up the outcomes of intake that made an item, in OpenMetrics text.
fn made_items(text: &str) -> Option<u64> {
    let made = ["outcome=\"stored\"", "outcome=\"duplicate\""];
    let values = text.lines().filter_map(|line| {
        let (labels, value) = line.strip_prefix("lazaret_intake_samples_total{")?.split_once('}')?;
        let value: f64 = value.split_whitespace().next()?.parse().ok()?;
        labels.split(',').any(|label| made.contains(&label)).then_some(value as u64)
    });
    values.reduce(|sum, value| sum + value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_and_duplicate_are_items_and_a_repeated_answer_is_none() {
        let text = "# TYPE lazaret_intake_samples counter\n\
            lazaret_intake_samples_total{outcome=\"stored\"} 3\n\
            lazaret_intake_samples_total{outcome=\"duplicate\"} 4.0\n\
            lazaret_intake_samples_total{outcome=\"repeated\"} 5\n\
            lazaret_intake_bytes_total 9\n";
        assert_eq!(made_items(text), Some(7));
        assert_eq!(made_items("lazaret_intake_bytes_total 9\n"), None);
    }

    #[test]
    fn an_address_with_another_scheme_is_refused() {
        assert!(Questions::new("https://127.0.0.1:8740", "").is_err());
        assert_eq!(Questions::new("http://127.0.0.1:8740/", "").unwrap().host(), "127.0.0.1:8740");
    }
}
