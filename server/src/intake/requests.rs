//! Offers and puts of one connection, turned into submissions.
//! 1. A body is read only under a permit; a refused one is thrown away under the same clock and credit.
//! 2. While the store is busy the connection is not read further: a short wait here is what slows its client.

use crate::daemon::admission::admit;
use crate::daemon::clock;
use crate::daemon::context::Context;
use crate::daemon::large::LargeStream;
use crate::daemon::refusal::Refused;
use crate::http::headers::retry_key;
use crate::intake::answers::{Answers, End};
use crate::intake::connection::WINDOW;
use crate::intake::incoming::{Incoming, Pace};
use engine::{Ask, Engine, Permit, Refusal, Submission};
use model::wire::{FaultCode, RetryInput};
use model::{Arrival, Blake3, Content};
use std::sync::Arc;
use std::time::Instant;
use tokio::io::AsyncRead;

/// Bytes of a body that are read at a time when it is streamed or thrown away.
const PIECE_BYTES: usize = 64 << 10;
/// What the requests of one connection share.
pub struct Requests {
    context: Arc<Context>,
    answers: Arc<Answers>,
    client: String,
    epoch: u64,
    may_claim: bool,
}

impl Requests {
    /// `client` is the name that the server established for the connection.
    pub fn new(context: Arc<Context>, answers: Arc<Answers>, client: String, epoch: u64, may_claim: bool) -> Self {
        Self { context, answers, client, epoch, may_claim }
    }

    /// Have you this digest?
    ///
    /// # Errors
    /// The window is full.
    pub async fn offer(&mut self, request: u64, digest: &Blake3, raw_bytes: u64, arrival: Arrival) -> Result<(), End> {
        self.open()?;
        let started = Instant::now();
        let engine = match self.context.intake() {
            Ok(engine) => engine,
            Err(error) => return self.refuse(request, error),
        };
        if !self.may_claim {
            return self.want(engine, request, raw_bytes, &arrival).await;
        }
        let arrival = self.received(request, arrival, Content::Claimed);
        let permit = match self.admit(engine, 0, true, &arrival.client).await {
            Ok(permit) => permit,
            Err(refusal) => return self.refuse(request, refusal),
        };
        let answers = Arc::clone(&self.answers);
        let done = Box::new(move |outcome| answers.settled(request, true, 0, started, outcome));
        match engine.offer(permit, digest, arrival, done) {
            Ok(()) => Ok(()),
            Err((permit, arrival, _)) => {
                drop(permit);
                self.want(engine, request, raw_bytes, &arrival).await
            }
        }
    }

    /// Asks for the bytes, unless they would be refused: then before they are sent.
    async fn want(&self, engine: &Engine, request: u64, raw_bytes: u64, arrival: &Arrival) -> Result<(), End> {
        let client = if arrival.client.is_empty() { &self.client } else { &arrival.client };
        match self.admit(engine, raw_bytes, false, client).await {
            Ok(_) => {
                self.answers.wanted(request);
                Ok(())
            }
            Err(refusal) => self.refuse(request, refusal),
        }
    }

    /// A sample, whose body follows.
    ///
    /// # Errors
    /// The window is full, or the body cannot be read to its end.
    pub async fn put<R: AsyncRead + Unpin>(
        &mut self,
        incoming: &mut Incoming<R>,
        request: u64,
        raw_bytes: u64,
        expected: Option<Blake3>,
        arrival: Arrival,
    ) -> Result<(), End> {
        self.open()?;
        if raw_bytes > self.context.sample_bytes_max {
            let limit = self.context.sample_bytes_max;
            self.refuse(request, Refusal::TooLarge { bytes: raw_bytes, limit })?;
            // Its body could be endless, and the welcome named the limit.
            let text = format!("a put of {raw_bytes} bytes where {limit} are allowed");
            return Err(End::Fault(FaultCode::Malformed, text));
        }
        self.answers.body_begun(raw_bytes);
        let started = Instant::now();
        let context = Arc::clone(&self.context);
        let engine = match context.intake() {
            Ok(engine) => engine,
            Err(error) => {
                self.refuse(request, error)?;
                return self.throw_away(incoming).await;
            }
        };
        let arrival = self.received(request, arrival, Content::Proven);
        // A permit for known content covers no bytes, and bytes are coming.
        let permit = match self.admit(engine, raw_bytes, false, &arrival.client).await {
            Ok(permit) => permit,
            Err(refusal) => {
                self.refuse(request, refusal)?;
                return self.throw_away(incoming).await;
            }
        };
        if raw_bytes > context.large_bytes_min {
            return self.stream(engine, incoming, (request, started, permit), expected, arrival).await;
        }
        // Below `large_bytes_min`, which is far below what a usize counts.
        let mut body = engine.buffer(raw_bytes as usize);
        let mut pace = Pace::new();
        while incoming.body_left() > 0 {
            self.body(incoming, &mut body, usize::MAX, &mut pace).await.inspect_err(|_| self.answers.abandoned())?;
        }
        let answers = Arc::clone(&self.answers);
        let named = expected.is_some();
        let done = Box::new(move |outcome| answers.settled(request, named, raw_bytes, started, outcome));
        engine.submit(Submission { permit, body, arrival, expected }, done);
        Ok(())
    }

    /// Streams a large body to disk; the connection waits for it, its other requests do not.
    async fn stream<R: AsyncRead + Unpin>(
        &mut self,
        engine: &Engine,
        incoming: &mut Incoming<R>,
        (request, started, permit): (u64, Instant, Permit),
        expected: Option<Blake3>,
        arrival: Arrival,
    ) -> Result<(), End> {
        let mut stream = match LargeStream::start(&self.context, engine, permit, arrival) {
            Ok(stream) => stream,
            Err(refused) => {
                self.refuse(request, refused)?;
                return self.throw_away(incoming).await;
            }
        };
        let mut pace = Pace::new();
        while incoming.body_left() > 0 {
            let mut piece = Vec::with_capacity(PIECE_BYTES);
            let came = self.body(incoming, &mut piece, PIECE_BYTES, &mut pace).await;
            let came = came.inspect_err(|_| self.answers.abandoned())?;
            let taken = stream.write(piece.into()).await;
            self.answers.released(came);
            if !taken {
                break;
            }
        }
        let left = incoming.body_left() > 0;
        match stream.finish(expected).await {
            Ok(receipt) => self.answers.settled(request, expected.is_some(), 0, started, Ok(receipt)),
            Err(refused) => self.refuse(request, refused)?,
        }
        if left { self.throw_away(incoming).await } else { Ok(()) }
    }

    /// Reads the rest of a body and forgets it, so that the next frame is found.
    async fn throw_away<R: AsyncRead + Unpin>(&self, incoming: &mut Incoming<R>) -> Result<(), End> {
        let mut pace = Pace::new();
        let mut scratch = Vec::with_capacity(PIECE_BYTES);
        while incoming.body_left() > 0 {
            scratch.clear();
            let came = self.body(incoming, &mut scratch, PIECE_BYTES, &mut pace).await?;
            self.answers.released(came);
        }
        Ok(())
    }

    /// Reads some body bytes, within credit and pace; returns how many.
    async fn body<R: AsyncRead + Unpin>(
        &self,
        incoming: &mut Incoming<R>,
        into: &mut Vec<u8>,
        bytes_max: usize,
        pace: &mut Pace,
    ) -> Result<u64, End> {
        let came = incoming.body(into, bytes_max, self.context.limits.body_idle).await?;
        self.answers.body_received(came).map_err(|error| End::Fault(FaultCode::OverCredit, error.to_string()))?;
        pace.came(came, &self.context.limits)?;
        Ok(came)
    }

    fn open(&self) -> Result<(), End> {
        self.answers.opened(WINDOW).map_err(|error| End::Fault(FaultCode::OverWindow, error.to_string()))
    }

    fn refuse(&self, request: u64, why: impl Into<Refused>) -> Result<(), End> {
        self.answers.refused(request, why.into());
        Ok(())
    }

    async fn admit(&self, engine: &Engine, raw_bytes: u64, known: bool, client: &str) -> Result<Permit, Refusal> {
        admit(&self.context, engine, Ask { raw_bytes, known, client }).await
    }

    /// What the server knows better than the sender.
    fn received(&self, request: u64, sent: Arrival, content: Content) -> Arrival {
        let input = RetryInput::Native { client: &self.client, epoch: self.epoch, request };
        Arrival {
            received_at_ms: clock::now().0,
            content,
            managed: false,
            sample_priority: u32::from(self.context.policy().automatic),
            retry_key: Some(retry_key(&input)),
            client: if sent.client.is_empty() { self.client.clone() } else { sent.client },
            parent_server: String::new(),
            kind: sent.kind,
            definitions_sequence: sent.definitions_sequence,
            name: sent.name,
            reason: sent.reason,
            platform: sent.platform,
        }
    }
}
