//! `GET /v1/items/{id}/sample`: the bytes as they came, piece by piece. What goes out is live malware: it is
//! never shown in a browser (attachment, nosniff, sandbox), and a forwarder never gets it.

use crate::daemon::context::Context;
use crate::http::items::find;
use crate::http::problem::Problem;
use crate::http::range::{Asked, asked};
use crate::security::access::Caller;
use axum::body::{Body, Bytes};
use axum::extract::{Extension, Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use engine::{ReadError, Sample};
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use model::Item;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as Task, Poll};
use tokio::task::JoinHandle;

/// Bytes read at a time: four blocks, one trip to a blocking thread.
const PIECE_BYTES: usize = 256 << 10;
/// What RFC 8187 lets through unescaped, but for a few characters that shells mind.
const NAME_SAFE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'-').remove(b'_');

/// The handler.
///
/// # Errors
/// No such item, a range outside the sample, or a sample that cannot be read.
pub async fn sample(
    State(context): State<Arc<Context>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let item = find(&context, &id).await?;
    let engine = context.engine()?.clone();
    let digest = item.sample.blake3;
    let sample = tokio::task::spawn_blocking(move || engine.sample(&digest))
        .await
        .map_err(|_| Problem::internal("the reader ended before it answered"))?
        .map_err(|error| Problem::internal(format!("the sample of item {id} cannot be read: {error}")))?
        .ok_or_else(|| Problem::missing(format!("the sample {digest} of item {id} is not here")))?;
    tracing::info!(target: "lazaret::audit", item = id, who = caller.name(), "sample restored");
    let bytes = sample.raw_bytes();
    let etag = format!("\"{digest}\"");
    let whole = Asked::Part { start: 0, end: bytes };
    let part = match headers.get(header::IF_RANGE) {
        Some(condition) if condition.as_bytes() != etag.as_bytes() => whole,
        Some(_) | None => asked(&headers, bytes).map_or(Ok(whole), |range| range)?,
    };
    let Asked::Part { start, end } = part;
    let partial = headers.contains_key(header::RANGE) && part != whole;
    let mut response = Response::builder()
        .status(if partial { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK })
        .header(header::CONTENT_TYPE, "application/octet-stream")
        .header(header::CONTENT_DISPOSITION, disposition(&item))
        .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
        .header(header::CONTENT_SECURITY_POLICY, "sandbox; default-src 'none'")
        .header(header::CACHE_CONTROL, "no-store")
        .header(header::ACCEPT_RANGES, "bytes")
        .header(header::ETAG, etag)
        .header("x-blake3", digest.to_string());
    if partial {
        response = response.header(header::CONTENT_RANGE, format!("bytes {start}-{}/{bytes}", end - 1));
    }
    let pieces = Pieces { sample: Arc::new(sample), at: start, end, reading: None };
    response.body(Body::new(pieces)).map_err(|error| Problem::internal(error.to_string()))
}

/// The last part of the original path, in a form that no client takes for anything but a file name.
fn disposition(item: &Item) -> HeaderValue {
    let last = item.name.rsplit(['/', '\\']).next().unwrap_or_default();
    let plain: String = last
        .chars()
        .map(|letter| if letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_') { letter } else { '_' })
        .take(150)
        .collect();
    let plain = match plain.trim_start_matches('.') {
        "" => format!("item-{}", item.id),
        name => name.to_owned(),
    };
    let full = match last.trim_start_matches('.') {
        "" => plain.clone(),
        name => utf8_percent_encode(&name.chars().take(150).collect::<String>(), NAME_SAFE).to_string(),
    };
    let text = format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{full}");
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("attachment"))
}

/// Bytes of a sample from `at` to `end`; one piece is in memory, and none is read before it is asked for.
struct Pieces {
    sample: Arc<Sample>,
    at: u64,
    end: u64,
    reading: Option<JoinHandle<Result<Vec<u8>, ReadError>>>,
}

impl Pieces {
    fn read_on(&self) -> JoinHandle<Result<Vec<u8>, ReadError>> {
        let (sample, at) = (Arc::clone(&self.sample), self.at);
        let piece = PIECE_BYTES.min(usize::try_from(self.end - self.at).unwrap_or(PIECE_BYTES));
        tokio::task::spawn_blocking(move || sample.read(at, piece))
    }
}

impl HttpBody for Pieces {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if self.at >= self.end {
            return Poll::Ready(None);
        }
        let mut reading = match self.reading.take() {
            Some(reading) => reading,
            None => self.read_on(),
        };
        let Poll::Ready(read) = Pin::new(&mut reading).poll(task) else {
            self.reading = Some(reading);
            return Poll::Pending;
        };
        let read = read.map_err(std::io::Error::other).and_then(|read| read.map_err(std::io::Error::other));
        Poll::Ready(Some(match read {
            Ok(bytes) if !bytes.is_empty() => {
                self.at += bytes.len() as u64;
                Ok(Frame::data(bytes.into()))
            }
            Ok(_) => {
                Err(std::io::Error::other(format!("the sample ends at {} where {} is expected", self.at, self.end)))
            }
            Err(error) => {
                // The connection breaks off, which is all that a started answer can say; the log says why.
                tracing::error!(sample = %self.sample.blake3(), at = self.at, %error, "a sample cannot be read");
                Err(error)
            }
        }))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.end - self.at)
    }
}
