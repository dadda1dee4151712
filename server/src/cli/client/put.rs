//! One sample to the server, over and over until it is in or refused for good.
//! 1. Every attempt carries the same idempotency key, so a retry is never a second item.
//! 2. Known content is claimed by digest: no body leaves.
//! 3. Attempts and waiting have a bound; beyond it the refusal is the answer.

use super::{Client, Failure};
use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use model::Blake3;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::HeaderValue;
use reqwest::{Method, Response, StatusCode};
use serde_json::Value;
use std::fs::File;
use std::io::{Read, Seek};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// Attempts after a lost connection: the server may be restarting, not gone.
const LOST_MAX: u32 = 4;
/// Waiting in all while the server asks to slow down; a minute is longer than any burst it smooths.
const WAIT_MAX: Duration = Duration::from_secs(60);
/// One wait at most, however far away the server says.
const WAIT_ONE_MAX: Duration = Duration::from_secs(15);
/// Bytes read from a file at once; the socket takes less.
const CHUNK_BYTES: usize = 256 << 10;
/// Chunks read ahead of the socket.
const CHUNKS_AHEAD: usize = 4;
/// From the last byte sent to the answer: pack, sync, and a queue before them.
const ANSWER_DEADLINE: Duration = Duration::from_secs(120);

/// What stays readable in a header and cannot be taken for an end of it.
const HEADER: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'/');

/// What the server is told beside the bytes.
#[derive(Debug, Clone, Default)]
pub struct Meta {
    /// Who sends.
    pub client: String,
    /// The original path.
    pub name: String,
    /// Why.
    pub reason: String,
    /// Names this arrival for retries.
    pub idempotency_key: String,
}

/// The bytes, such that they can be sent again.
#[derive(Debug)]
pub enum Content {
    /// In memory.
    Whole(Bytes),
    /// In a file of this many bytes.
    File(Arc<File>, u64),
}

/// A sample to send.
pub struct Put<'a> {
    /// What the server is told.
    pub meta: &'a Meta,
    /// Digest of the bytes; the server refuses when they do not match.
    pub digest: Blake3,
    /// The bytes.
    pub content: &'a Content,
    /// Told of bytes as they leave.
    pub sent: &'a (dyn Fn(u64) + Sync),
}

impl Client {
    /// Sends until the server has it.
    ///
    /// # Errors
    /// Unreachable, or refused for good. 413 and the like concern this sample only ([`Failure::No`]).
    pub async fn put(&self, put: &Put<'_>) -> Result<Value, Failure> {
        let known = format!("/v1/samples/{}", put.digest);
        let mut claim = match self.exists(&known).await {
            Ok(here) => here,
            // Whoever may not ask may still send.
            Err(Failure::NotAllowed(_)) => false,
            Err(failure) => return Err(failure),
        };
        let (mut lost, started) = (0, Instant::now());
        loop {
            let answer = if claim { self.claim(put).await } else { self.body(put).await };
            let refusal = match answer {
                Ok(response) if response.status().is_success() => return self.json(response).await,
                Ok(response) => self.refusal(response).await,
                Err(_) if lost < LOST_MAX => {
                    lost += 1;
                    tokio::time::sleep(Duration::from_millis(100) * 2_u32.pow(lost)).await;
                    continue;
                }
                Err(failure) => return Err(failure),
            };
            match refusal.status {
                // It was here a moment ago and is deleted now, or claiming is not for us: send the bytes.
                status if claim && status.is_client_error() && status != StatusCode::TOO_MANY_REQUESTS => {
                    claim = false;
                }
                StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                    let wait = refusal.retry_after.unwrap_or(Duration::from_secs(1)).min(WAIT_ONE_MAX);
                    if started.elapsed() + wait > WAIT_MAX {
                        return Err(refusal.failure());
                    }
                    tokio::time::sleep(wait).await;
                }
                _ => return Err(refusal.failure()),
            }
        }
    }

    /// Sends a body of unknown length, once: what came from a pipe cannot be sent again.
    ///
    /// # Errors
    /// As [`Client::put`].
    pub async fn put_stream(
        &self,
        meta: &Meta,
        chunks: mpsc::Receiver<std::io::Result<Bytes>>,
    ) -> Result<Value, Failure> {
        let body = reqwest::Body::wrap(Chunks { chunks, left: None });
        let response = self.sent(self.sample(meta).body(body)).await?;
        if response.status().is_success() {
            self.json(response).await
        } else {
            Err(self.refusal(response).await.failure())
        }
    }

    /// The digest stands for the bytes: whoever says `Expect: 100-continue` is answered early when the server
    /// has them. The body is empty, so the connection stays in step whatever the answer is.
    async fn claim(&self, put: &Put<'_>) -> Result<Response, Failure> {
        let request = self.sample(put.meta).header("X-Blake3", put.digest.to_string());
        let request = request.header("Expect", "100-continue").body(Bytes::new());
        self.sent(request.timeout(ANSWER_DEADLINE)).await
    }

    async fn body(&self, put: &Put<'_>) -> Result<Response, Failure> {
        let request = self.sample(put.meta).header("X-Blake3", put.digest.to_string());
        match put.content {
            Content::Whole(bytes) => {
                (put.sent)(bytes.len() as u64);
                self.sent(request.body(bytes.clone()).timeout(ANSWER_DEADLINE)).await
            }
            Content::File(file, bytes) => {
                let (sender, chunks) = mpsc::channel(CHUNKS_AHEAD);
                let (file, bytes) = (Arc::clone(file), *bytes);
                tokio::task::spawn_blocking(move || read_chunks(&file, bytes, &sender));
                (put.sent)(bytes);
                self.sent(request.body(reqwest::Body::wrap(Chunks { chunks, left: Some(bytes) }))).await
            }
        }
    }

    fn sample(&self, meta: &Meta) -> reqwest::RequestBuilder {
        let mut request = self.request(Method::PUT, "/v1/samples", &[]);
        for (name, value) in [("X-Client", &meta.client), ("X-Reason", &meta.reason)] {
            if !value.is_empty() {
                request = request.header(name, header_text(value));
            }
        }
        if !meta.name.is_empty() {
            request = request.header("X-File-Name", utf8_percent_encode(&meta.name, HEADER).to_string());
        }
        request.header("Idempotency-Key", &meta.idempotency_key)
    }
}

/// A text as a header takes it: UTF-8 without control characters.
fn header_text(text: &str) -> HeaderValue {
    let clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    HeaderValue::from_bytes(clean.as_bytes()).expect("text without control characters is a header's value")
}

/// Reads the first `bytes` of a file into a bounded queue; whoever stops listening ends it.
fn read_chunks(mut file: &File, bytes: u64, chunks: &mpsc::Sender<std::io::Result<Bytes>>) {
    let mut left = bytes;
    let mut read = || -> std::io::Result<()> {
        file.rewind()?;
        while left > 0 {
            let mut chunk = vec![0; CHUNK_BYTES.min(usize::try_from(left).unwrap_or(CHUNK_BYTES))];
            file.read_exact(&mut chunk)?;
            left -= chunk.len() as u64;
            if chunks.blocking_send(Ok(chunk.into())).is_err() {
                break;
            }
        }
        Ok(())
    };
    if let Err(error) = read() {
        // A gone listener needs no error.
        let _ = chunks.blocking_send(Err(error));
    }
}

/// A body out of a queue. `left` is what is still to come, when that is known.
struct Chunks {
    chunks: mpsc::Receiver<std::io::Result<Bytes>>,
    left: Option<u64>,
}

impl Body for Chunks {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<std::io::Result<Frame<Bytes>>>> {
        let this = self.get_mut();
        this.chunks.poll_recv(context).map(|chunk| {
            chunk.map(|chunk| {
                let chunk = chunk?;
                this.left = this.left.map(|left| left.saturating_sub(chunk.len() as u64));
                Ok(Frame::data(chunk))
            })
        })
    }

    fn size_hint(&self) -> SizeHint {
        self.left.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
