//! What a native lane says and hears, without its socket.

use crate::limits::{STARTS_AT_ONCE, WRITE_AHEAD_BYTES};
use crate::measure::{Accepted, Doubt, Due, Sent};
use crate::work::{Work, digest};
use model::wire::{
    Ask, ClientSession, Decoder, Event, FaultCode, NotNow, Outcome, ServerFrame, Step, Token, WireError,
};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use tokio::time::Instant;

/// Why a connection is of no further use.
#[derive(Debug, thiserror::Error)]
pub(super) enum Lost {
    /// The server closed it or the network failed.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// The server does not speak the protocol.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// The server said that it closes.
    #[error("the server closed: {} ({text})", code.word())]
    Fault { code: FaultCode, text: String },
}

impl Lost {
    /// Whether another connection would end the same way.
    pub(super) fn is_final(&self) -> bool {
        match self {
            Self::Fault { code: FaultCode::Unauthorised | FaultCode::Version, .. } => true,
            Self::Fault { .. } | Self::Wire(_) | Self::Io(_) => false,
        }
    }
}

#[derive(Debug)]
struct Pending {
    due: Due,
    content: u64,
    bytes: u64,
    started: Option<Instant>,
    sent: Sent,
    doubt: Doubt,
}

#[derive(Debug)]
pub(super) struct Talk {
    work: Arc<Work>,
    session: ClientSession,
    decoder: Decoder<ServerFrame>,
    out: Vec<u8>,
    out_at: usize,
    /// The body being sent and how much of it went out.
    body: Option<(Vec<u8>, usize)>,
    pending: HashMap<u64, Pending>,
}

impl Talk {
    pub(super) fn new(work: Arc<Work>, lane: usize) -> Self {
        let epoch = work.epoch.wrapping_add(lane as u64);
        let session = ClientSession::new(Token(work.token.clone()), format!("loadgen-{lane}"), epoch);
        Self { work, session, decoder: Decoder::new(), out: Vec::new(), out_at: 0, body: None, pending: HashMap::new() }
    }

    /// Begins a connection; what was open on the one before is put again.
    pub(super) fn connect(&mut self) -> Result<(), NotNow> {
        self.out.clear();
        self.out_at = 0;
        self.body = None;
        self.decoder = Decoder::new();
        // The connection before may have carried them to an item; its ack may be what broke with it.
        for pending in self.pending.values_mut().filter(|pending| pending.started.is_some()) {
            pending.doubt = Doubt::MaybeAnItem;
        }
        Ok(self.session.connect(&mut self.out)?)
    }

    /// Says as much as window, credit and the bound of our own buffer allow.
    pub(super) fn fill(&mut self, backlog: &mut VecDeque<Due>) {
        for _ in 0..STARTS_AT_ONCE {
            if self.body.is_some() || self.out.len() - self.out_at >= WRITE_AHEAD_BYTES {
                return;
            }
            match self.session.next_put(&mut self.out) {
                Ok(Some(request)) => self.open_body(request),
                Ok(None) | Err(NotNow::NoCredit) => {
                    if !self.start_next(backlog) {
                        return;
                    }
                }
                Err(NotNow::NotWelcome | NotNow::BodyOpen(_) | NotNow::WindowFull(_) | NotNow::Unsendable(_)) => return,
            }
        }
    }

    /// The bytes to write next; empty when there is nothing to say or no credit to say it.
    pub(super) fn to_write(&self) -> &[u8] {
        if self.out_at < self.out.len() {
            return &self.out[self.out_at..];
        }
        match (&self.body, self.session.body_allowed()) {
            (Some((body, at)), Some((_, allowed))) => {
                let allowed = usize::try_from(allowed).unwrap_or(usize::MAX);
                &body[*at..body.len().min(at.saturating_add(allowed))]
            }
            (Some(_) | None, _) => &[],
        }
    }

    /// Says that this many of [`Talk::to_write`] went out.
    pub(super) fn wrote(&mut self, bytes: usize) {
        if self.out_at < self.out.len() {
            self.out_at += bytes;
            if self.out_at == self.out.len() {
                self.out.clear();
                self.out_at = 0;
            }
            return;
        }
        if let Some((request, _)) = self.session.body_allowed()
            && let Some(pending) = self.pending.get_mut(&request)
        {
            pending.sent = Sent::Body;
        }
        self.session.body_sent(bytes as u64);
        self.body = self.body.take().map(|(body, at)| (body, at + bytes)).filter(|(body, at)| *at < body.len());
    }

    /// Takes bytes from the server.
    pub(super) fn heard(&mut self, mut input: &[u8]) -> Result<(), Lost> {
        let now = Instant::now();
        while !input.is_empty() {
            match self.decoder.step(&mut input)? {
                Step::More | Step::Body(_) => {}
                Step::Frame(frame) => {
                    for event in self.session.receive(frame) {
                        self.apply(event, now)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Requests without an answer.
    pub(super) fn open_count(&self) -> usize {
        self.pending.len()
    }

    /// Whether everything said was answered and everything written.
    pub(super) fn is_idle(&self) -> bool {
        self.pending.is_empty() && self.to_write().is_empty() && self.body.is_none()
    }

    pub(super) fn bye(&mut self) {
        // Before a welcome there is nobody to take leave of.
        let _ = self.session.bye(&mut self.out);
    }

    /// Counts every open request as an error: the server may have made an item of it.
    pub(super) fn give_up(&mut self) {
        for _ in self.pending.drain() {
            self.work.measure.failed("unanswered", Doubt::MaybeAnItem);
        }
    }

    fn open_body(&mut self, request: u64) {
        if let Some(pending) = self.pending.get_mut(&request) {
            pending.started.get_or_insert_with(Instant::now);
            let body = self.work.corpus.body(pending.content);
            self.body = Some((body, 0)).filter(|(body, _)| !body.is_empty());
        }
    }

    /// Opens a request for the oldest arrival in hand; whether it could.
    fn start_next(&mut self, backlog: &mut VecDeque<Due>) -> bool {
        let window = self.session.welcome().map_or(0, |welcome| u64::from(welcome.window));
        let Some(due) = backlog.front().copied().filter(|_| (self.session.open_count() as u64) < window) else {
            return false;
        };
        let content = self.work.corpus.content(due.index);
        let body = self.work.corpus.body(content);
        let bytes = body.len() as u64;
        let offer_first = bytes >= self.work.profile.offer_bytes_min;
        let ask =
            Ask { blake3: Some(digest(&body)), raw_bytes: bytes, offer_first, arrival: self.work.arrival(due.index) };
        match self.session.start(&ask, &mut self.out) {
            Ok(request) => {
                let started = offer_first.then(Instant::now);
                self.pending
                    .insert(request, Pending { due, content, bytes, started, sent: Sent::NoBody, doubt: Doubt::None });
                backlog.pop_front();
                true
            }
            Err(_) => false,
        }
    }

    fn apply(&mut self, event: Event, now: Instant) -> Result<(), Lost> {
        match event {
            Event::Acked(ack) => {
                if let Some(pending) = self.pending.remove(&ack.request) {
                    let Pending { due, bytes, started, .. } = pending;
                    let duplicate = match ack.outcome {
                        Outcome::Stored | Outcome::Repeated => false,
                        Outcome::Duplicate => true,
                    };
                    let started = started.unwrap_or(now);
                    let accepted = Accepted { due, started, duplicate, item: ack.item.0, bytes };
                    self.work.measure.accepted(accepted, now);
                }
            }
            Event::Refused { request, code, .. } => {
                if let Some(pending) = self.pending.remove(&request) {
                    self.work.measure.refused(code.word(), pending.sent, pending.doubt, now);
                }
            }
            Event::Unasked(_) => self.work.measure.unasked(),
            Event::Fault { code, text } => return Err(Lost::Fault { code, text }),
            Event::Welcomed(_) | Event::Wanted(_) | Event::Credited(_) | Event::Pong(_) => {}
        }
        Ok(())
    }
}
