//! One body on its way into the engine, whichever request carries it.
//! 1. The permit comes first: a refused body is never read.
//! 2. A body is held only under a permit, and the engine bounds what all permits cover; what is larger, or of
//!    unknown length and not small, streams to disk through a bounded channel on a thread of its own.
//! 3. An answer is given only for a receipt, which exists only after the sync.

use crate::daemon::admission::admit;
use crate::daemon::context::Context;
use crate::daemon::large::LargeStream;
use crate::daemon::refusal::Refused;
use crate::http::body::PacedBody;
use crate::http::problem::Problem;
use axum::body::Bytes;
use engine::{Ask, Buffer, Engine, Outcome, Permit, Stored, Submission};
use model::{Arrival, Blake3};
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::oneshot;

/// A body of unknown length is held up to here, so that a small chunked one is stored like any other.
const GATHER_BYTES_MAX: u64 = 1 << 20;

/// Where the bytes of one sample come from.
pub trait Source {
    /// The next bytes, or `None` at the end of this sample.
    fn next(&mut self) -> impl Future<Output = Result<Option<Bytes>, Problem>> + Send;
}

impl Source for PacedBody {
    async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        Ok(Self::next(self).await?)
    }
}

/// One sample to store.
pub struct Upload<'a> {
    /// The daemon.
    pub context: &'a Arc<Context>,
    /// Bytes that will come, where the sender says so.
    pub length: Option<u64>,
    /// The digest they must have, where the sender says so.
    pub expected: Option<Blake3>,
    /// Who, when, why.
    pub arrival: Arrival,
}

impl Upload<'_> {
    /// Admits, reads, stores; waits for the sync.
    ///
    /// # Errors
    /// The refusal, or what is wrong with the body.
    pub async fn run(self, source: &mut impl Source) -> Result<Stored, Problem> {
        let started = Instant::now();
        let receipt = self.store(source).await?;
        self.context.acked(&receipt, started.elapsed());
        Ok(receipt)
    }

    async fn store(&self, source: &mut impl Source) -> Result<Stored, Problem> {
        let engine = self.context.intake().map_err(|error| self.refused(error))?;
        let held_max = match self.length {
            Some(length) if length <= self.context.large_bytes_min => length,
            Some(_) => 0,
            None => GATHER_BYTES_MAX,
        };
        let client = &self.arrival.client;
        if let Some(raw_bytes) = self.length.filter(|length| *length > held_max) {
            let ask = Ask { raw_bytes, known: false, client };
            let permit = admit(self.context, engine, ask).await.map_err(|refusal| self.refused(refusal))?;
            return self.stream(engine, permit, Vec::new(), source).await;
        }
        // A body of unknown length reserves what may be held. A permit for known content covers no bytes, and bytes
        // are coming, so the content counts as unknown even where its digest is here.
        let ask = Ask { raw_bytes: held_max, known: false, client };
        let permit = admit(self.context, engine, ask).await.map_err(|refusal| self.refused(refusal))?;
        let capacity = self.length.map_or(4096, |length| usize::try_from(length).unwrap_or(0));
        let mut body = engine.buffer(capacity);
        while let Some(bytes) = source.next().await? {
            if body.len() as u64 + bytes.len() as u64 > held_max {
                let held = std::mem::take(&mut *body);
                return self.stream(engine, permit, vec![held.into(), bytes], source).await;
            }
            body.extend_from_slice(&bytes);
        }
        self.submit(engine, permit, body).await
    }

    fn refused(&self, why: impl Into<Refused>) -> Problem {
        let refused = why.into();
        self.context.metrics.refused(refused.code);
        refused.into()
    }

    async fn submit(&self, engine: &Engine, permit: Permit, body: Buffer) -> Result<Stored, Problem> {
        let (done, outcome) = oneshot::channel();
        let submission = Submission { permit, body, arrival: self.arrival.clone(), expected: self.expected };
        // A client that went away leaves nobody to tell; its item is stored all the same.
        engine.submit(submission, Box::new(move |outcome| drop(done.send(outcome))));
        let outcome: Outcome = outcome.await.map_err(|_| Problem::internal("the store stopped before it answered"))?;
        outcome.map_err(|error| self.refused(error))
    }

    /// Streams `head`, then the rest of the source.
    async fn stream(
        &self,
        engine: &Engine,
        permit: Permit,
        head: Vec<Bytes>,
        source: &mut impl Source,
    ) -> Result<Stored, Problem> {
        let stream = LargeStream::start(self.context, engine, permit, self.arrival.clone());
        let mut stream = stream.map_err(|refused| self.refused(refused))?;
        let mut head = head.into_iter();
        loop {
            let next = match head.next() {
                Some(bytes) => Some(bytes),
                // An error drops the stream, which abandons the sample.
                None => source.next().await?,
            };
            let Some(bytes) = next else { break };
            if !stream.write(bytes).await {
                break;
            }
        }
        stream.finish(self.expected).await.map_err(|refused| self.refused(refused))
    }
}
