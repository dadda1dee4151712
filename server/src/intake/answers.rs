//! What is to be said to one client, gathered from the reader and from the engine's threads.
//! 1. Every open request is answered once: acked, wanted, or refused.
//! 2. A request counts as open until its answer is handed to the writer, so what waits here is bounded by the
//!    window; the reader waits while other frames fill [`FRAMES_BYTES_MAX`].
//! 3. Whatever is added wakes the writer, which takes everything at once: a batch of acks is one write.

use crate::daemon::context::{Context, outcome};
use crate::daemon::refusal::Refused;
use crate::intake::credit::{Credit, OverCredit};
use engine::Outcome;
use model::wire::{Ack, FaultCode, ServerFrame};
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::Notify;

/// Bytes of frames that wait before the reader stops reading: a client that only pings and never listens.
const FRAMES_BYTES_MAX: usize = 64 << 10;

/// How the server's side of a conversation ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// The client said bye or closed its side: what is open is answered first.
    Bye,
    /// The server says why, after what is open is answered.
    Fault(FaultCode, String),
    /// The connection broke: nobody is left to tell.
    Gone(String),
}

#[derive(Default)]
struct Waiting {
    acks: Vec<Ack>,
    wants: Vec<u64>,
    frames: Vec<u8>,
    refused: u32,
    open: u32,
    credit: Credit,
    end: Option<End>,
}

/// Everything the writer takes at once.
#[derive(Default)]
pub struct Taken {
    /// Requests that are durable.
    pub acks: Vec<Ack>,
    /// Offers to put.
    pub wants: Vec<u64>,
    /// Other frames, encoded.
    pub frames: Vec<u8>,
    /// Body bytes granted.
    pub grant: u64,
    /// Nothing follows.
    pub end: Option<End>,
}

/// The gathering place of one connection.
pub struct Answers {
    context: Arc<Context>,
    waiting: Mutex<Waiting>,
    added: Notify,
    taken: Notify,
}

/// More requests are open than the window allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{open} requests are open where the window is {window}")]
pub struct OverWindow {
    open: u32,
    window: u32,
}

impl Answers {
    /// Nothing to say yet; the welcome grants `credit_bytes`.
    pub fn new(context: Arc<Context>, credit_bytes: u64) -> Self {
        let waiting = Waiting { credit: Credit::new(credit_bytes), ..Waiting::default() };
        Self { context, waiting: Mutex::new(waiting), added: Notify::new(), taken: Notify::new() }
    }

    /// A request begins.
    ///
    /// # Errors
    /// The window is full.
    pub fn opened(&self, window: u32) -> Result<(), OverWindow> {
        let mut waiting = self.waiting.lock();
        if waiting.open >= window {
            return Err(OverWindow { open: waiting.open + 1, window });
        }
        waiting.open += 1;
        Ok(())
    }

    /// The engine's answer to a request that held `held` body bytes; called from the engine's threads. `named`
    /// says that the client knows the digest.
    pub fn settled(&self, request: u64, named: bool, held: u64, started: Instant, settled: Outcome) {
        match settled {
            Ok(receipt) => {
                self.context.acked(&receipt, started.elapsed());
                let blake3 = (!named).then_some(receipt.blake3);
                let ack = Ack { request, outcome: outcome(&receipt), item: receipt.item, blake3 };
                self.add(|waiting| {
                    waiting.credit.released(held);
                    waiting.acks.push(ack);
                });
            }
            Err(error) => {
                self.add(|waiting| waiting.credit.released(held));
                self.refused(request, error.into());
            }
        }
    }

    /// A request made no item.
    pub fn refused(&self, request: u64, refused: Refused) {
        self.context.metrics.refused(refused.code);
        let Refused { code, retry_after_ms, text, quota: _ } = refused;
        let frame = ServerFrame::Refused { request, code, retry_after_ms, text };
        self.add(|waiting| {
            frame.encode(&mut waiting.frames);
            waiting.refused += 1;
        });
    }

    /// A request whose body broke off is not answered; the conversation ends without it.
    pub fn abandoned(&self) {
        self.add(|waiting| waiting.open = waiting.open.saturating_sub(1));
    }

    /// An offered digest is to be put.
    pub fn wanted(&self, request: u64) {
        self.add(|waiting| waiting.wants.push(request));
    }

    /// A frame that answers no request.
    pub fn say(&self, frame: &ServerFrame) {
        self.add(|waiting| frame.encode(&mut waiting.frames));
    }

    /// A body of this many bytes follows.
    pub fn body_begun(&self, bytes: u64) {
        self.add(|waiting| waiting.credit.begun(bytes));
    }

    /// Body bytes came; `kept` until [`Answers::settled`] or [`Answers::released`] says otherwise.
    ///
    /// # Errors
    /// More than were granted.
    pub fn body_received(&self, bytes: u64) -> Result<(), OverCredit> {
        let mut waiting = self.waiting.lock();
        waiting.credit.received(bytes)?;
        drop(waiting);
        self.added.notify_one();
        Ok(())
    }

    /// Body bytes were written elsewhere or thrown away.
    pub fn released(&self, bytes: u64) {
        self.add(|waiting| waiting.credit.released(bytes));
    }

    /// Nothing more will be asked.
    pub fn ended(&self, end: End) {
        self.add(|waiting| waiting.end = Some(end));
    }

    /// Waits until what is to be said is not too much.
    pub async fn room(&self) {
        loop {
            let taken = self.taken.notified();
            if self.waiting.lock().frames.len() < FRAMES_BYTES_MAX {
                return;
            }
            taken.await;
        }
    }

    /// Waits until something was added.
    pub async fn added(&self) {
        self.added.notified().await;
    }

    /// Takes everything. The end comes only when no request is open; a broken connection at once.
    pub fn take(&self, credit_target: u64) -> Taken {
        let mut waiting = self.waiting.lock();
        let acks = std::mem::take(&mut waiting.acks);
        let wants = std::mem::take(&mut waiting.wants);
        let frames = std::mem::take(&mut waiting.frames);
        let answered = (acks.len() + wants.len()) as u32 + std::mem::take(&mut waiting.refused);
        waiting.open = waiting.open.saturating_sub(answered);
        let grant = waiting.credit.grant(credit_target);
        let end = match &waiting.end {
            Some(End::Gone(_)) => waiting.end.clone(),
            Some(End::Bye | End::Fault(..)) if waiting.open == 0 => waiting.end.clone(),
            Some(End::Bye | End::Fault(..)) | None => None,
        };
        drop(waiting);
        self.taken.notify_one();
        Taken { acks, wants, frames, grant, end }
    }

    fn add(&self, change: impl FnOnce(&mut Waiting)) {
        change(&mut self.waiting.lock());
        // A permit is stored when the writer is busy, so nothing added is missed; one more changes nothing.
        self.added.notify_one();
    }
}
