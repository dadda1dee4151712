//! A lane over HTTP: one `PUT /v1/samples` after the other on a connection that is kept.

mod gate;

use super::Inbox;
use crate::limits::{ANSWER_BYTES_MAX, CONNECTS_MAX, RECONNECT_PAUSE};
use crate::measure::{Accepted, Doubt, Due, Sent};
use crate::work::Work;
use gate::{Body, Gate};
use http_body_util::{BodyExt, Limited};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{AUTHORIZATION, CONTENT_LENGTH, EXPECT, HOST};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use std::future::Future;
use std::io;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, sleep, sleep_until};

/// A connection and the task that moves its bytes; dropping it closes the socket, also while a body
/// is held back.
struct Connection {
    sender: SendRequest<Body>,
    mover: tokio::task::JoinHandle<()>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.mover.abort();
    }
}

/// What the server said to one request.
struct Answer {
    status: StatusCode,
    document: serde_json::Value,
    sent: Sent,
}

/// Runs a lane until its arrivals are answered or the deadline has passed. A request whose
/// connection broke is sent once more under its idempotency key. Returns what ended the lane early.
pub async fn run<S, F>(work: Arc<Work>, host: String, mut inbox: Inbox, connect: impl Fn() -> F) -> Option<String>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    F: Future<Output = io::Result<S>>,
{
    let mut connection = None;
    let mut failures = 0;
    loop {
        let Some(due) = inbox.backlog.pop_front() else {
            if inbox.is_done() {
                return None;
            }
            if next_arrival(&work, &mut inbox).await.is_none() {
                break;
            }
            continue;
        };
        let exchange = put(&work, &host, due, &mut connection, &connect, &mut failures);
        match inbox.while_taking(&work.measure, work.deadline, exchange).await {
            Some(Ok(())) => {}
            Some(Err(cause)) => {
                work.measure.failed("not_connected", Doubt::MaybeAnItem);
                inbox.give_up(&work.measure, "not_connected").await;
                return Some(cause.to_string());
            }
            None => {
                work.measure.failed("unanswered", Doubt::MaybeAnItem);
                break;
            }
        }
    }
    inbox.give_up(&work.measure, "not_sent").await;
    Some("the time to drain ran out with requests unanswered".to_owned())
}

/// Waits for one arrival or the end of arrivals; `None` when the deadline came first.
async fn next_arrival(work: &Work, inbox: &mut Inbox) -> Option<()> {
    tokio::select! {
        () = inbox.take(&work.measure) => Some(()),
        () = sleep_until(work.deadline) => None,
    }
}

/// One request until it has an answer. Every end but the lane's is counted here.
async fn put<S, F>(
    work: &Work,
    host: &str,
    due: Due,
    connection: &mut Option<Connection>,
    connect: &impl Fn() -> F,
    failures: &mut u32,
) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    F: Future<Output = io::Result<S>>,
{
    let bytes = bytes::Bytes::from(work.corpus.body(work.corpus.content(due.index)));
    let length = bytes.len() as u64;
    let mut started = None;
    let mut doubt = Doubt::None;
    loop {
        let ready = match connection.take().filter(|connection| !connection.sender.is_closed()) {
            Some(ready) => Ok(ready),
            None => open(connect).await,
        };
        let answer = match ready {
            Ok(mut ready) => {
                let started_at = *started.get_or_insert_with(Instant::now);
                let answer = exchange(work, host, due, bytes.clone(), &mut ready.sender).await;
                answer.map(|answer| (answer, ready, started_at))
            }
            Err(cause) => Err(cause),
        };
        match answer {
            Ok((answer, ready, started)) => {
                *failures = 0;
                // A body that was held back leaves the connection out of step.
                *connection = Some(ready).filter(|_| answer.sent == Sent::Body);
                count(work, due, started, length, doubt, &answer);
                return Ok(());
            }
            Err(cause) if *failures >= CONNECTS_MAX => return Err(cause),
            Err(_) => {
                *failures += 1;
                work.measure.reconnected();
                if started.is_some() {
                    doubt = Doubt::MaybeAnItem;
                }
                sleep(RECONNECT_PAUSE).await;
            }
        }
    }
}

async fn open<S, F>(connect: &impl Fn() -> F) -> io::Result<Connection>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    F: Future<Output = io::Result<S>>,
{
    let stream = connect().await?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
    // Its failure is the request's failure too.
    let mover = tokio::spawn(async move {
        let _ = connection.await;
    });
    Ok(Connection { sender, mover })
}

async fn exchange(
    work: &Work,
    host: &str,
    due: Due,
    bytes: bytes::Bytes,
    sender: &mut SendRequest<Body>,
) -> io::Result<Answer> {
    let gate = Gate::new(!work.profile.expect_continue);
    let length = bytes.len();
    let mut request = request(work, host, due, length, gate.body(bytes)).map_err(io::Error::other)?;
    let opener = gate.clone();
    hyper::ext::on_informational(&mut request, move |response| {
        if response.status() == StatusCode::CONTINUE {
            opener.open();
        }
    });
    sender.ready().await.map_err(io::Error::other)?;
    let response = sender.send_request(request).await.map_err(io::Error::other)?;
    let sent = if gate.is_open() { Sent::Body } else { Sent::NoBody };
    let status = response.status();
    let answer = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await.map_err(io::Error::other)?;
    let document = serde_json::from_slice(&answer.to_bytes()).unwrap_or(serde_json::Value::Null);
    Ok(Answer { status, document, sent })
}

fn request(work: &Work, host: &str, due: Due, length: usize, body: Body) -> Result<Request<Body>, hyper::http::Error> {
    let arrival = work.arrival(due.index);
    let name = utf8_percent_encode(&arrival.name, NON_ALPHANUMERIC).to_string();
    let mut request = Request::put("/v1/samples")
        .header(HOST, host)
        .header(CONTENT_LENGTH, length)
        .header("x-client", &arrival.client)
        .header("x-file-name", name)
        .header("x-reason", &arrival.reason)
        .header("x-platform", &arrival.platform)
        .header("idempotency-key", format!("{:x}-{}", work.epoch, due.index));
    if work.profile.expect_continue {
        request = request.header(EXPECT, "100-continue");
    }
    if !work.token.is_empty() {
        request = request.header(AUTHORIZATION, format!("Bearer {}", work.token));
    }
    request.body(body)
}

fn count(work: &Work, due: Due, started: Instant, bytes: u64, doubt: Doubt, answer: &Answer) {
    let now = Instant::now();
    match (answer.status.as_u16(), item_id(&answer.document)) {
        (200 | 201, Some(item)) => {
            let duplicate = answer.document["outcome"] == "duplicate";
            work.measure.accepted(Accepted { due, started, duplicate, item, bytes }, now);
        }
        (200 | 201, None) => work.measure.failed("answer_without_item", Doubt::MaybeAnItem),
        (status, _) => match refusal(status) {
            Some("full") => work.measure.refused(&full_of(&answer.document), answer.sent, doubt, now),
            Some(reason) => work.measure.refused(reason, answer.sent, doubt, now),
            None => work.measure.failed(&format!("http_{status}"), Doubt::MaybeAnItem),
        },
    }
}

/// An id is decimal, as a number or as text.
fn item_id(document: &serde_json::Value) -> Option<u64> {
    let id = ["id", "item"].into_iter().map(|key| &document[key]).find(|id| !id.is_null())?;
    id.as_u64().or_else(|| id.as_str()?.parse().ok())
}

/// The native protocol's word for a status that refuses; `docs/wire.md` has the table.
fn refusal(status: u16) -> Option<&'static str> {
    match status {
        400 => Some("malformed"),
        401 | 403 => Some("not_allowed"),
        413 => Some("too_large"),
        422 => Some("digest_mismatch"),
        429 => Some("slow_down"),
        503 => Some("stopped"),
        507 => Some("full"),
        _ => None,
    }
}

/// What is full: the last part of the problem's type.
fn full_of(document: &serde_json::Value) -> String {
    let kind = document["type"].as_str().and_then(|kind| kind.rsplit(['/', ':', '#']).next()).unwrap_or_default();
    match kind {
        "" | "blank" => "full".to_owned(),
        kind => kind.replace('-', "_"),
    }
}
