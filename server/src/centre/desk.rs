//! Requests of quarantines, and what they are told (`docs/gateway.md`).

use super::Centre;
use super::intake::NotTaken;
use crate::daemon::clock;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use gateway::client::PATH;
use gateway::reply::{ASKED_MAX, Answered, Answers, Question, Receipt, Said, Sets, Taken};
use gateway::{Customer, PURPOSE, Submission, names};
use http_body_util::{BodyExt as _, Limited};
use model::Sequence;
use serde::Serialize;
use std::sync::Arc;

/// Bytes of one piece: twice what our own client sends.
const PIECE_BYTES_MAX: usize = 8 << 20;
/// Bytes of a question.
const QUESTION_BYTES_MAX: usize = 1 << 20;
/// Bytes of a nonce.
const NONCE_BYTES_MAX: usize = 64;

/// The calls.
pub(super) fn router(centre: &Arc<Centre>) -> Router {
    Router::new()
        .route(&format!("{PATH}/submissions/{{key}}"), post(open).put(piece))
        .route(&format!("{PATH}/answers"), post(answers))
        .route(&format!("{PATH}/definitions"), get(sets))
        .route(&format!("{PATH}/definitions/{{sequence}}"), get(fetch))
        .route("/healthz", get(|| async { "alive\n" }))
        .with_state(Arc::clone(centre))
}

/// What is no reply to a quarantine: it tries again, or a person reads it.
struct Fault(StatusCode, String);

impl axum::response::IntoResponse for Fault {
    fn into_response(self) -> Response {
        let mut response = (self.0, format!("{}\n", self.1)).into_response();
        if self.0 == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("2"));
        }
        response
    }
}

impl From<NotTaken> for Fault {
    fn from(error: NotTaken) -> Self {
        tracing::error!(%error, "a submission cannot be taken");
        Self(StatusCode::SERVICE_UNAVAILABLE, error.to_string())
    }
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        NotTaken::from(error).into()
    }
}

fn invalid(what: impl ToString) -> Fault {
    Fault(StatusCode::BAD_REQUEST, what.to_string())
}

async fn open(
    State(centre): State<Arc<Centre>>,
    Path(key): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Fault> {
    submit(centre, key, headers, None).await
}

async fn piece(
    State(centre): State<Arc<Centre>>,
    Path(key): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Fault> {
    let collected = Limited::new(body, PIECE_BYTES_MAX).collect().await;
    let bytes = collected.map_err(|error| invalid(format!("the piece cannot be read: {error}")))?.to_bytes();
    let offset = field(&headers, names::OFFSET).and_then(|text| text.parse().ok());
    let offset = offset.ok_or_else(|| invalid(format!("{} is missing", names::OFFSET)))?;
    submit(centre, key, headers, Some((offset, bytes))).await
}

async fn submit(
    centre: Arc<Centre>,
    key: String,
    headers: HeaderMap,
    piece: Option<(u64, Bytes)>,
) -> Result<Response, Fault> {
    let customer = customer(&headers)?;
    let nonce = nonce(&headers)?;
    let submission = Submission::read(&key, &|name| field(&headers, name)).map_err(invalid)?;
    let (asked, held) = (Arc::clone(&centre), submission.clone());
    let taken = tokio::task::spawn_blocking(move || {
        let _one = Sending::begin(&asked, &held.key)?;
        take(&asked, &held, &customer, piece)
    });
    let taken = taken.await.map_err(|error| Fault(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))??;
    signed(&centre, &Receipt { nonce, submission: submission.key, blake3: submission.blake3, taken })
}

/// One at a time sends a submission: a connection that is given up may still be writing while its successor begins.
struct Sending<'c>(&'c Centre, String);

impl<'c> Sending<'c> {
    fn begin(centre: &'c Centre, key: &str) -> Result<Self, Fault> {
        if centre.sending.lock().insert(key.to_owned()) {
            return Ok(Self(centre, key.to_owned()));
        }
        Err(Fault(StatusCode::SERVICE_UNAVAILABLE, "somebody is sending this submission already".to_owned()))
    }
}

impl Drop for Sending<'_> {
    fn drop(&mut self) {
        self.0.sending.lock().remove(&self.1);
    }
}

fn take(
    centre: &Centre,
    submission: &Submission,
    customer: &Customer,
    piece: Option<(u64, Bytes)>,
) -> Result<Taken, Fault> {
    let refused = |why: String| Ok(Taken::Refused { why });
    if !centre.serves(&customer.account) {
        return refused(format!("account '{}' is not served here", customer.account));
    }
    if submission.sent_bytes > centre.options.sample_bytes_max
        || submission.sent_bytes > submission.bytes.max(1) * 2 + (1 << 20)
    {
        return refused(format!("{} bytes are more than is taken", submission.sent_bytes));
    }
    let held = centre.book.lock().submission(&submission.key)?;
    match held {
        None => centre.book.lock().begin(submission, &customer.account, &customer.company, clock::now())?,
        Some(held) => {
            let same = held.account == customer.account
                && held.submission.blake3 == submission.blake3
                && held.submission.sent_blake3 == submission.sent_blake3;
            if !same {
                return refused("this key is another submission's".to_owned());
            }
            if held.taken {
                return Ok(Taken::Accepted);
            }
        }
    }
    if centre.known(submission)? {
        return Ok(Taken::Accepted);
    }
    let bytes = match piece {
        Some((0, whole)) if whole.len() as u64 == submission.sent_bytes => {
            return Ok(if centre.take_whole(submission, &whole)? {
                Taken::Accepted
            } else {
                Taken::Partly { bytes: 0 }
            });
        }
        Some((offset, piece)) => centre.take_piece(submission, offset, &piece)?,
        None => return Ok(Taken::Partly { bytes: centre.part_bytes(&submission.key) }),
    };
    if bytes < submission.sent_bytes {
        return Ok(Taken::Partly { bytes });
    }
    Ok(if centre.complete(submission)? { Taken::Accepted } else { Taken::Partly { bytes: 0 } })
}

async fn answers(State(centre): State<Arc<Centre>>, headers: HeaderMap, body: Body) -> Result<Response, Fault> {
    let customer = customer(&headers)?;
    served(&centre, &customer)?;
    let collected = Limited::new(body, QUESTION_BYTES_MAX).collect().await;
    let bytes = collected.map_err(|error| invalid(format!("the question cannot be read: {error}")))?.to_bytes();
    let question: Question =
        serde_json::from_slice(&bytes).map_err(|error| invalid(format!("the question: {error}")))?;
    if question.submissions.len() > ASKED_MAX || question.nonce.len() > NONCE_BYTES_MAX {
        return Err(invalid(format!("at most {ASKED_MAX} submissions are asked about at once")));
    }
    let asked = Arc::clone(&centre);
    let told = tokio::task::spawn_blocking(move || -> rusqlite::Result<Answers> {
        let book = asked.book.lock();
        let mut answers = Vec::with_capacity(question.submissions.len());
        for one in question.submissions {
            let found = book.answer(&one.submission, &one.blake3, &customer.account)?;
            let (said, why) = found.unwrap_or((Said::NotKnown, String::new()));
            answers.push(Answered { submission: one.submission, blake3: one.blake3, said, why });
        }
        Ok(Answers { nonce: question.nonce, answers })
    });
    let told = told.await.map_err(|error| Fault(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))??;
    signed(&centre, &told)
}

async fn sets(State(centre): State<Arc<Centre>>, headers: HeaderMap) -> Result<Response, Fault> {
    let customer = customer(&headers)?;
    served(&centre, &customer)?;
    let nonce = nonce(&headers)?;
    let book = centre.book.lock();
    let (certified, newest) = (book.certified()?, book.newest_for(&customer.account)?);
    drop(book);
    signed(&centre, &Sets { nonce, certified, newest })
}

async fn fetch(
    State(centre): State<Arc<Centre>>,
    Path(sequence): Path<u64>,
    headers: HeaderMap,
) -> Result<Response, Fault> {
    let customer = customer(&headers)?;
    served(&centre, &customer)?;
    let sequence = Sequence(sequence);
    let newest = centre.book.lock().newest_for(&customer.account)?;
    if sequence > newest {
        return Err(Fault(StatusCode::FORBIDDEN, format!("definitions {} are not for this account yet", sequence.0)));
    }
    let path = centre.set_path(sequence);
    let read = tokio::task::spawn_blocking(move || std::fs::read(path)).await;
    let bytes = read
        .map_err(|error| Fault(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?
        .map_err(|_| Fault(StatusCode::NOT_FOUND, format!("there are no definitions {}", sequence.0)))?;
    let from = field(&headers, "range").and_then(|text| text.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok());
    let from: usize = from.unwrap_or(0);
    if from > 0 && from >= bytes.len() {
        return Err(Fault(StatusCode::RANGE_NOT_SATISFIABLE, format!("there are {} bytes", bytes.len())));
    }
    let whole = bytes.len();
    let status = if from == 0 { StatusCode::OK } else { StatusCode::PARTIAL_CONTENT };
    let kind = [(header::CONTENT_TYPE, "application/octet-stream".to_owned())];
    let mut response = (status, kind, bytes[from..].to_vec()).into_response();
    if from > 0
        && let Ok(range) = HeaderValue::from_str(&format!("bytes {from}-{}/{whole}", whole - 1))
    {
        response.headers_mut().insert(header::CONTENT_RANGE, range);
    }
    Ok(response)
}

fn served(centre: &Centre, customer: &Customer) -> Result<(), Fault> {
    if centre.serves(&customer.account) {
        return Ok(());
    }
    Err(Fault(StatusCode::FORBIDDEN, format!("account '{}' is not served here", customer.account)))
}

/// A reply with its signature.
fn signed(centre: &Centre, reply: &impl Serialize) -> Result<Response, Fault> {
    let body =
        serde_json::to_vec(reply).map_err(|error| Fault(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
    let signature = centre.key.sign_statement(PURPOSE, &body);
    Ok(([(header::CONTENT_TYPE.as_str(), "application/json"), (names::SIGNATURE, signature.as_str())], body)
        .into_response())
}

fn customer(headers: &HeaderMap) -> Result<Customer, Fault> {
    Customer::read(&|name| field(headers, name)).map_err(invalid)
}

fn nonce(headers: &HeaderMap) -> Result<String, Fault> {
    let nonce = field(headers, names::NONCE).filter(|nonce| (1..=NONCE_BYTES_MAX).contains(&nonce.len()));
    nonce.map(str::to_owned).ok_or_else(|| invalid(format!("{} is missing or too long", names::NONCE)))
}

fn field<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}
