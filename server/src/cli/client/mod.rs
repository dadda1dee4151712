//! The HTTP API as a command sees it: one connection pool, one token, answers or failures.
//! 1. Nothing waits without a deadline: connecting has one, and a response must start within another.
//! 2. A redirect is never followed: the token is for this server.
//! 3. JSON answers are read up to a bound.

mod problem;
mod put;

pub use problem::Refusal;
pub use put::{Content, Meta, Put};

use super::Failure;
use super::screen::escaped;
use reqwest::{Method, RequestBuilder, Response};
use serde_json::Value;
use std::error::Error;
use std::path::Path;
use std::time::Duration;

/// A server on the same continent answers the handshake in a fraction of this.
const CONNECT_DEADLINE: Duration = Duration::from_secs(10);
/// A page of a catalogue with 10 million items takes 50 ms, a sync of a busy disk some seconds.
const ANSWER_DEADLINE: Duration = Duration::from_secs(60);
/// A set of some millions of signatures is verified and compiled in less than a minute.
const WORK_DEADLINE: Duration = Duration::from_secs(600);
/// A page of 1,000 items with every text at its longest.
const JSON_BYTES_MAX: usize = 64 << 20;

/// A server and who we are there.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    token: Option<String>,
}

impl Client {
    /// A client of the server at `base`; `ca` names a PEM file of authorities to trust beside the system's.
    ///
    /// # Errors
    /// The address is no `http` or `https` URL, or the file of authorities cannot be read.
    pub fn new(base: &str, token: Option<String>, ca: Option<&Path>) -> Result<Self, Failure> {
        let url = reqwest::Url::parse(base)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
            .ok_or_else(|| {
                Failure::Usage(format!(
                    "'{}' is no server: a URL such as http://127.0.0.1:8740 is expected",
                    escaped(base)
                ))
            })?;
        // A second call finds it installed already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder()
            .connect_timeout(CONNECT_DEADLINE)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("lazaret/", env!("CARGO_PKG_VERSION")));
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let local = host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
        if local {
            builder = builder.no_proxy();
        }
        if let Some(path) = ca {
            let unusable =
                |why: String| Failure::Usage(format!("cannot use the authorities in {}: {why}", path.display()));
            let pem = std::fs::read(path).map_err(|error| unusable(error.to_string()))?;
            let found = reqwest::Certificate::from_pem_bundle(&pem).map_err(|error| unusable(error.to_string()))?;
            if found.is_empty() {
                return Err(unusable("it holds no certificate".to_owned()));
            }
            builder = builder.tls_certs_merge(found);
        }
        let http = builder
            .build()
            .map_err(|error| Failure::Usage(format!("cannot make an HTTP client: {}", causes(&error))))?;
        Ok(Self { http, base: base.trim_end_matches('/').to_owned(), token })
    }

    /// The server's address, for messages.
    #[must_use]
    pub fn server(&self) -> &str {
        &self.base
    }

    /// `GET` of a JSON document; `query` is encoded here.
    ///
    /// # Errors
    /// Unreachable, refused, or no JSON.
    pub async fn get(&self, path: &str, query: &[(&str, String)]) -> Result<Value, Failure> {
        let response = self.answer(self.request(Method::GET, path, query)).await?;
        self.json(response).await
    }

    /// A JSON document to the server, and its answer.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub async fn send(&self, method: Method, path: &str, document: &Value) -> Result<Value, Failure> {
        let response = self.answer(self.request(method, path, &[]).json(document)).await?;
        self.json(response).await
    }

    /// Bytes to the server, and its answer. The server may work on them for as long as [`WORK_DEADLINE`].
    ///
    /// # Errors
    /// As [`Client::get`].
    pub async fn send_bytes(&self, path: &str, bytes: Vec<u8>) -> Result<Value, Failure> {
        let request = self.request(Method::POST, path, &[]).body(bytes).timeout(WORK_DEADLINE);
        let response = self.sent(request).await?;
        if !response.status().is_success() {
            return Err(self.refusal(response).await.failure());
        }
        self.json(response).await
    }

    /// Bytes to the server, which answers a line of JSON at a time: `take` is shown each, the last is the answer.
    ///
    /// # Errors
    /// As [`Client::get`], or the answer ends without its last line.
    pub async fn follow(&self, path: &str, bytes: Vec<u8>, take: &mut dyn FnMut(&Value)) -> Result<Value, Failure> {
        let mut response = self.sent(self.request(Method::POST, path, &[]).body(bytes)).await?;
        if !response.status().is_success() {
            return Err(self.refusal(response).await.failure());
        }
        let (mut rest, mut last) = (Vec::new(), None);
        loop {
            let chunk = tokio::time::timeout(ANSWER_DEADLINE, response.chunk()).await;
            let chunk =
                chunk.map_err(|_| self.unreachable(&format!("nothing came for {} s", ANSWER_DEADLINE.as_secs())))?;
            let Some(chunk) = chunk.map_err(|error| self.unreachable(&causes(&error)))? else { break };
            rest.extend_from_slice(&chunk);
            if rest.len() > JSON_BYTES_MAX {
                return Err(self.unreachable("a line of its answer does not end"));
            }
            while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = rest.drain(..=end).collect();
                let line = serde_json::from_slice(&line).map_err(|error| self.unreachable(&error.to_string()))?;
                take(&line);
                last = Some(line);
            }
        }
        last.filter(|_| rest.is_empty()).ok_or_else(|| self.unreachable("its answer broke off"))
    }

    /// Whether `HEAD` finds something there.
    ///
    /// # Errors
    /// Unreachable, or refused otherwise than by 404.
    pub async fn exists(&self, path: &str) -> Result<bool, Failure> {
        let response = self.sent(self.request(Method::HEAD, path, &[]).timeout(ANSWER_DEADLINE)).await?;
        match response.status().as_u16() {
            200..=299 => Ok(true),
            404 => Ok(false),
            _ => Err(self.refusal(response).await.failure()),
        }
    }

    /// `GET` whose body the caller streams.
    ///
    /// # Errors
    /// Unreachable or refused.
    pub async fn open(&self, path: &str) -> Result<Response, Failure> {
        // No deadline for the whole: a sample may have a GiB.
        let request = self.request(Method::GET, path, &[]);
        let response = tokio::time::timeout(ANSWER_DEADLINE, self.sent(request))
            .await
            .map_err(|_| self.unreachable(&format!("no answer within {} s", ANSWER_DEADLINE.as_secs())))??;
        if response.status().is_success() { Ok(response) } else { Err(self.refusal(response).await.failure()) }
    }

    fn request(&self, method: Method, path: &str, query: &[(&str, String)]) -> RequestBuilder {
        let mut url = format!("{}{path}", self.base);
        for (at, (name, value)) in query.iter().enumerate() {
            let value = percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC);
            url += &format!("{}{name}={value}", if at == 0 { '?' } else { '&' });
        }
        let request = self.http.request(method, url);
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    async fn answer(&self, request: RequestBuilder) -> Result<Response, Failure> {
        let response = self.sent(request.timeout(ANSWER_DEADLINE)).await?;
        if response.status().is_success() { Ok(response) } else { Err(self.refusal(response).await.failure()) }
    }

    async fn sent(&self, request: RequestBuilder) -> Result<Response, Failure> {
        request.send().await.map_err(|error| self.unreachable(&causes(&error)))
    }

    async fn refusal(&self, response: Response) -> Refusal {
        let status = response.status();
        let header = response.headers().get(reqwest::header::RETRY_AFTER);
        let retry_after = header.and_then(|value| value.to_str().ok()).map(str::to_owned);
        // A refusal without a readable document is still a refusal.
        let body = read_bounded(response, problem::PROBLEM_BYTES_MAX).await.unwrap_or_default();
        Refusal::new(status, retry_after.as_deref(), &body)
    }

    async fn json(&self, response: Response) -> Result<Value, Failure> {
        let body = read_bounded(response, JSON_BYTES_MAX).await.map_err(|why| self.unreachable(&why))?;
        if body.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&body).map_err(|error| {
            Failure::No(format!("{} answered something that is not JSON ({error}): is it a lazaret server?", self.base))
        })
    }

    fn unreachable(&self, why: &str) -> Failure {
        Failure::Unreachable(format!(
            "cannot reach {}: {}\nis it running? `lazaret serve` starts one, --server or `lazaret context use` names \
             another",
            escaped(&self.base),
            escaped(why)
        ))
    }
}

async fn read_bounded(mut response: Response, bytes_max: usize) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| causes(&error))? {
        if body.len() + chunk.len() > bytes_max {
            return Err(format!("the answer has more than {bytes_max} bytes"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The last cause names the fact ("connection refused"), the ones before it only where it happened.
fn causes(error: &dyn Error) -> String {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    let (first, last) = (error.to_string(), last.to_string());
    if first.contains("timed out") || last.is_empty() { first } else { last }
}
