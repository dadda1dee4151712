//! The quarantine's end: HTTP(S) requests, through a proxy where there is one.
//!
//! 1. No redirect is followed: what was meant for the gateway goes to nobody else.
//! 2. Every request has a deadline, every reply a bound that is kept while it is read.
//! 3. A reply counts only when a trusted key signed it and it names this request, this submission and this sample.

mod fetch;
mod trouble;

pub use fetch::Progress;
pub use trouble::Trouble;

use crate::customer::Customer;
use crate::message::{Submission, hex, names};
use crate::reply::{Answered, Answers, Asked, Question, REPLY_BYTES_MAX, Receipt, Sets, Taken, cleaned};
use crate::seal::Vouches;
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde::de::DeserializeOwned;
use std::sync::Arc;
use std::time::Duration;

/// The path under which a gateway answers.
pub const PATH: &str = "/gateway/1";

/// How the gateway is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// HOST or HOST:PORT.
    pub gateway: String,
    /// Where answers and definitions come from, HOST or HOST:PORT.
    pub download: String,
    /// TLS for submissions.
    pub secure_submission: bool,
    /// TLS for answers and definitions.
    pub secure_download: bool,
    /// PEM authorities beside the system's.
    pub authorities: Option<Vec<u8>>,
    /// The proxy, as a URL without its password.
    pub proxy: Option<String>,
    /// User and password of the proxy.
    pub proxy_login: Option<(String, String)>,
    /// How long one request may take, bodies included.
    pub request_max: Duration,
}

/// Which way a request brings something.
#[derive(Clone, Copy)]
enum Direction {
    /// Samples go out.
    Out,
    /// Answers and definitions come in.
    In,
}

/// The client.
pub struct Client {
    submission: reqwest::Client,
    download: reqwest::Client,
    route: Route,
    customer: Customer,
    vouches: Arc<dyn Vouches>,
}

impl Client {
    /// A client for this route. The process must have chosen a provider for TLS.
    ///
    /// # Errors
    /// The authorities or the proxy's address cannot be used.
    pub fn new(route: Route, customer: Customer, vouches: Arc<dyn Vouches>) -> Result<Self, Trouble> {
        let submission = built(&route)?;
        Ok(Self { download: submission.clone(), submission, route, customer, vouches })
    }

    /// Begins a submission, or finds out how far it has come. Repeating it does no harm.
    ///
    /// # Errors
    /// See [`Trouble`]; a refusal for good is an answer, not an error.
    pub async fn open(&self, submission: &Submission) -> Result<Taken, Trouble> {
        self.submit(Method::POST, submission, None).await
    }

    /// Sends bytes of a submission that was begun, from `offset` on.
    ///
    /// # Errors
    /// As [`Client::open`].
    pub async fn send(&self, submission: &Submission, offset: u64, bytes: Vec<u8>) -> Result<Taken, Trouble> {
        self.submit(Method::PUT, submission, Some((offset, bytes))).await
    }

    async fn submit(
        &self,
        method: Method,
        submission: &Submission,
        part: Option<(u64, Vec<u8>)>,
    ) -> Result<Taken, Trouble> {
        let nonce = nonce()?;
        let url = self.url(Direction::Out, &format!("submissions/{}", submission.key));
        let mut request = self.submission.request(method, url).header(names::NONCE, &nonce);
        for (name, value) in submission.headers(&self.customer) {
            request = request.header(name, value);
        }
        request = match part {
            Some((offset, bytes)) => request.header(names::OFFSET, offset).body(bytes),
            None => request.body(Vec::new()),
        };
        let receipt: Receipt = self.signed(request).await?;
        if receipt.nonce != nonce {
            return Err(Trouble::Replayed);
        }
        if receipt.submission != submission.key || receipt.blake3 != submission.blake3 {
            return Err(Trouble::OtherItem);
        }
        Ok(match receipt.taken {
            Taken::Partly { bytes } if bytes > submission.sent_bytes => {
                return Err(Trouble::Nonsense(format!(
                    "it has {bytes} bytes of a submission of {}",
                    submission.sent_bytes
                )));
            }
            Taken::Refused { why } => Taken::Refused { why: cleaned(&why) },
            taken => taken,
        })
    }

    /// Asks about submissions, at most [`crate::reply::ASKED_MAX`]. What comes back is about those and each once.
    ///
    /// # Errors
    /// See [`Trouble`].
    pub async fn ask(&self, submissions: Vec<Asked>) -> Result<Vec<Answered>, Trouble> {
        let question = Question { nonce: nonce()?, submissions };
        let url = self.url(Direction::In, "answers");
        let body = serde_json::to_vec(&question).map_err(|error| Trouble::Nonsense(error.to_string()))?;
        let request = self.with_customer(self.download.post(url)).header("content-type", "application/json").body(body);
        let answers: Answers = self.signed(request).await?;
        if answers.nonce != question.nonce {
            return Err(Trouble::Replayed);
        }
        let mut left: Vec<&Asked> = question.submissions.iter().collect();
        let mut found = Vec::new();
        for mut answer in answers.answers {
            let asked = left.iter().position(|one| one.submission == answer.submission && one.blake3 == answer.blake3);
            let Some(at) = asked else { return Err(Trouble::OtherItem) };
            left.swap_remove(at);
            answer.why = cleaned(&answer.why);
            found.push(answer);
        }
        Ok(found)
    }

    /// Asks which definitions there are for this customer.
    ///
    /// # Errors
    /// See [`Trouble`].
    pub async fn sets(&self) -> Result<Sets, Trouble> {
        let nonce = nonce()?;
        let url = self.url(Direction::In, "definitions");
        let request = self.with_customer(self.download.get(url)).header(names::NONCE, &nonce);
        let sets: Sets = self.signed(request).await?;
        if sets.nonce == nonce { Ok(sets) } else { Err(Trouble::Replayed) }
    }

    fn url(&self, direction: Direction, rest: &str) -> String {
        let (secure, host) = match direction {
            Direction::Out => (self.route.secure_submission, &self.route.gateway),
            Direction::In => (self.route.secure_download, &self.route.download),
        };
        let scheme = if secure { "https" } else { "http" };
        format!("{scheme}://{host}{PATH}/{rest}")
    }

    fn with_customer(&self, request: RequestBuilder) -> RequestBuilder {
        self.customer.headers().into_iter().fold(request, |request, (name, value)| request.header(name, value))
    }

    /// A signed reply, read.
    async fn signed<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, Trouble> {
        let response = request.send().await.map_err(|error| Trouble::of(&error))?;
        let response = self.expected(response)?;
        let signature =
            response.headers().get(names::SIGNATURE).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let body = bounded(response, REPLY_BYTES_MAX).await?;
        let signature = signature.ok_or(Trouble::Unsigned)?;
        if !self.vouches.vouches(&body, &signature) {
            return Err(Trouble::Forged);
        }
        serde_json::from_slice(&body).map_err(|error| Trouble::Nonsense(error.to_string()))
    }

    /// Statuses that are no reply of a gateway's to a request of ours.
    fn expected(&self, response: Response) -> Result<Response, Trouble> {
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        // Some proxies ask for a login as a server would; a gateway never does.
        let asks_login = status == StatusCode::UNAUTHORIZED && self.route.proxy.is_some();
        if status == StatusCode::PROXY_AUTHENTICATION_REQUIRED || asks_login {
            return Err(Trouble::ProxyRefused);
        }
        if status.is_redirection() {
            return Err(Trouble::Redirected);
        }
        let retry_after = response.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
        Err(Trouble::Status { status: status.as_u16(), retry_after: retry_after.map(Duration::from_secs) })
    }
}

fn built(route: &Route) -> Result<reqwest::Client, Trouble> {
    let setting = |error: reqwest::Error| Trouble::Setting(error.to_string());
    let mut builder = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(route.request_max)
        .connect_timeout(route.request_max.min(Duration::from_secs(20)))
        .pool_max_idle_per_host(2)
        .user_agent(concat!("lazaret/", env!("CARGO_PKG_VERSION")))
        // Proxies of the environment are not ours: the settings name one, or there is none.
        .no_proxy();
    if let Some(pem) = &route.authorities {
        for certificate in reqwest::Certificate::from_pem_bundle(pem).map_err(setting)? {
            builder = builder.add_root_certificate(certificate);
        }
    }
    if let Some(url) = &route.proxy {
        let mut proxy = reqwest::Proxy::all(url).map_err(setting)?;
        if let Some((user, password)) = &route.proxy_login {
            proxy = proxy.basic_auth(user, password);
        }
        builder = builder.proxy(proxy);
    }
    builder.build().map_err(setting)
}

/// A body, read no further than `bytes_max`.
async fn bounded(mut response: Response, bytes_max: usize) -> Result<Vec<u8>, Trouble> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| Trouble::of(&error))? {
        if body.len() + chunk.len() > bytes_max {
            return Err(Trouble::Oversized { bytes_max: bytes_max as u64 });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// A number that no reply to another request has.
fn nonce() -> Result<String, Trouble> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| Trouble::Setting(format!("there are no random numbers: {error}")))?;
    Ok(hex(&bytes))
}
