//! The files of a `multipart/form-data` body, one after the other, never held whole here.

use crate::http::body::PacedBody;
use crate::http::problem::Problem;
use crate::http::upload::Source;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode, header};
use hyper::body::{Body, Frame};
use model::limits;
use multer::{Constraints, Field, Multipart, SizeLimit};
use std::pin::Pin;
use std::task::{Context, Poll};

/// Files of one form at most.
const FILES_MAX: u32 = 10_000;

/// A form under the clock of its body.
pub struct Form {
    parts: Multipart<'static>,
    files: u32,
}

impl Form {
    /// Reads the boundary; no byte of the body yet.
    ///
    /// # Errors
    /// The content type is another one or has no boundary.
    pub fn new(headers: &HeaderMap, body: PacedBody) -> Result<Self, Problem> {
        let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let boundary = multer::parse_boundary(kind).map_err(|error| {
            Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "malformed",
                format!("POST takes multipart/form-data, PUT takes one raw body: {error}"),
            )
        })?;
        // The engine bounds a sample; the form itself may be as long as its files.
        let constraints = Constraints::new().size_limit(SizeLimit::new().whole_stream(u64::MAX).per_field(u64::MAX));
        let stream = http_body_util::BodyDataStream::new(Flowing::new(body));
        Ok(Self { parts: Multipart::with_constraints(stream, boundary, constraints), files: 0 })
    }

    /// The next part that is a file; parts without a file name are read over.
    ///
    /// # Errors
    /// The form is malformed, slow, or has too many files.
    pub async fn next_file(&mut self) -> Result<Option<File>, Problem> {
        loop {
            let Some(field) = self.parts.next_field().await.map_err(problem)? else { return Ok(None) };
            self.files += 1;
            if self.files > FILES_MAX {
                return Err(Problem::invalid(format!("a form holds {FILES_MAX} parts at most")));
            }
            let Some(name) = field.file_name() else { continue };
            if name.len() > limits::NAME_BYTES_MAX {
                let limit = limits::NAME_BYTES_MAX;
                return Err(Problem::invalid(format!("a file name has {} bytes, {limit} are allowed", name.len())));
            }
            let name = (!name.is_empty()).then(|| name.to_owned());
            return Ok(Some(File { name, field }));
        }
    }
}

/// One file of a form.
pub struct File {
    name: Option<String>,
    field: Field<'static>,
}

impl File {
    /// Its name, as the sender wrote it.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }
}

/// The bytes of one file.
pub struct FileSource(pub File);

impl Source for FileSource {
    async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        self.0.field.chunk().await.map_err(problem)
    }
}

fn problem(error: multer::Error) -> Problem {
    match error {
        multer::Error::StreamReadFailed(cause) => match cause.downcast::<Late>() {
            Ok(late) => late.0,
            Err(cause) => Problem::invalid(format!("the form broke off: {cause}")),
        },
        other => Problem::invalid(format!("the form cannot be read: {other}")),
    }
}

/// A problem of the body, carried through the parser of the form.
#[derive(Debug)]
struct Late(Problem);

impl std::fmt::Display for Late {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(self.0.detail())
    }
}

impl std::error::Error for Late {}

type Reading = Pin<Box<dyn Future<Output = (PacedBody, Result<Option<Bytes>, Problem>)> + Send>>;

/// A paced body that can be polled.
struct Flowing {
    reading: Reading,
}

impl Flowing {
    fn new(body: PacedBody) -> Self {
        Self { reading: read(body) }
    }
}

fn read(mut body: PacedBody) -> Reading {
    Box::pin(async move {
        let next = body.next().await.map_err(Problem::from);
        (body, next)
    })
}

impl Body for Flowing {
    type Data = Bytes;
    type Error = Late;

    fn poll_frame(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Late>>> {
        let (body, next) = std::task::ready!(self.reading.as_mut().poll(task));
        self.reading = read(body);
        Poll::Ready(match next {
            Ok(bytes) => bytes.map(|bytes| Ok(Frame::data(bytes))),
            Err(problem) => Some(Err(Late(problem))),
        })
    }
}
