//! The client's half of the conversation: windows, credits, what is open and what to send again.
//! The caller moves bytes and owns the bodies; this type only decides what may be said now.
//! 1. A request is open from [`ClientSession::start`] until it is acked or refused, across reconnects.
//! 2. Open requests never exceed the server's window, body bytes never its credit.
//! 3. While a body is being sent nothing else may be said: bodies lie outside of frames.

use super::{Ack, ClientFrame, FaultCode, RefusedCode, ServerFrame, Token, Welcome};
use crate::arrival::Arrival;
use crate::bytes::DecodeError;
use crate::digest::Blake3;
use std::collections::{BTreeMap, VecDeque};

/// One arrival that a client wants to hand over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// Digest of the plain bytes, where the client knows it.
    pub blake3: Option<Blake3>,
    /// Plain bytes of the sample.
    pub raw_bytes: u64,
    /// Offer the digest before sending bytes. Needs the digest.
    pub offer_first: bool,
    /// Who, when, why.
    pub arrival: Arrival,
}

/// What a server's frame means for the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The server answered the hello; requests open from before wait in [`ClientSession::next_put`].
    Welcomed(Welcome),
    /// The request is an item, durable. It is open no longer.
    Acked(Ack),
    /// The request made no item. It is open no longer; starting it again is the caller's choice.
    Refused {
        /// The request.
        request: u64,
        /// Why.
        code: RefusedCode,
        /// Milliseconds until a retry makes sense; 0 where none does.
        retry_after_ms: u64,
        /// The same for a person.
        text: String,
    },
    /// The offered digest is unknown there; the request waits in [`ClientSession::next_put`].
    Wanted(u64),
    /// More body bytes may be sent.
    Credited(u64),
    /// The answer to a ping.
    Pong(u64),
    /// The server closes the connection.
    Fault {
        /// Why.
        code: FaultCode,
        /// The same for a person.
        text: String,
    },
    /// An answer to a request that is not open: acked twice, or never asked.
    Unasked(u64),
}

/// Why something cannot be said now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotNow {
    /// The server has not answered the hello.
    #[error("the server has not answered the hello")]
    NotWelcome,
    /// A body is being sent.
    #[error("{0} body bytes of the request before are still to be sent")]
    BodyOpen(u64),
    /// As many requests are open as the server allows.
    #[error("all {0} requests of the window are open")]
    WindowFull(u32),
    /// The server gave no credit for body bytes.
    #[error("the server gives no credit for body bytes now")]
    NoCredit,
    /// A text of the arrival is over its limit; this ask can never be sent.
    #[error("the request cannot be encoded: {0}")]
    Unsendable(#[from] DecodeError),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Offered on this connection, no answer yet.
    Offered,
    /// In the queue to be put.
    Waiting,
    /// Put on this connection, no answer yet.
    Sent,
}

#[derive(Debug)]
struct Open {
    ask: Ask,
    stage: Stage,
}

#[derive(Debug, Clone, Copy)]
struct Body {
    request: u64,
    left: u64,
}

/// One client's requests, over as many connections as it takes.
#[derive(Debug)]
pub struct ClientSession {
    token: Token,
    client: String,
    epoch: u64,
    next_request: u64,
    welcome: Option<Welcome>,
    credit_bytes: u64,
    body: Option<Body>,
    open: BTreeMap<u64, Open>,
    to_put: VecDeque<u64>,
}

impl ClientSession {
    /// A session that has said nothing yet. `epoch` must be one that this client never used before.
    pub fn new(token: Token, client: String, epoch: u64) -> Self {
        Self {
            token,
            client,
            epoch,
            next_request: 1,
            welcome: None,
            credit_bytes: 0,
            body: None,
            open: BTreeMap::new(),
            to_put: VecDeque::new(),
        }
    }

    /// Begins a connection, the first or a later one. Everything still open will be put again under
    /// its old request number, so the server answers `Repeated` to what it already holds.
    ///
    /// # Errors
    /// The token or the client's name is too long.
    pub fn connect(&mut self, out: &mut Vec<u8>) -> Result<(), DecodeError> {
        let hello = ClientFrame::Hello { token: self.token.clone(), client: self.client.clone(), epoch: self.epoch };
        hello.encode(out)?;
        self.welcome = None;
        self.credit_bytes = 0;
        self.body = None;
        self.to_put = self.open.keys().copied().collect();
        self.open.values_mut().for_each(|open| open.stage = Stage::Waiting);
        Ok(())
    }

    /// Opens a request. An offer is encoded at once; anything else waits in
    /// [`ClientSession::next_put`].
    ///
    /// # Errors
    /// Why it cannot be said now; nothing was opened.
    pub fn start(&mut self, ask: &Ask, out: &mut Vec<u8>) -> Result<u64, NotNow> {
        self.may_start(ask)?;
        let request = self.next_request;
        let stage = match ask.blake3.filter(|_| ask.offer_first) {
            Some(blake3) => {
                let arrival = ask.arrival.clone();
                ClientFrame::Offer { request, blake3, raw_bytes: ask.raw_bytes, arrival }.encode(out)?;
                Stage::Offered
            }
            None => {
                self.to_put.push_back(request);
                Stage::Waiting
            }
        };
        self.next_request += 1;
        self.open.insert(request, Open { ask: ask.clone(), stage });
        Ok(request)
    }

    /// Encodes the next put that waits, and opens its body: the caller then sends its bytes by
    /// [`ClientSession::body_allowed`] and [`ClientSession::body_sent`]. `None` when nothing waits.
    ///
    /// # Errors
    /// Why no put may be sent now.
    pub fn next_put(&mut self, out: &mut Vec<u8>) -> Result<Option<u64>, NotNow> {
        self.may_speak()?;
        let Some(&request) = self.to_put.front() else { return Ok(None) };
        let Some(open) = self.open.get_mut(&request) else {
            self.to_put.pop_front();
            return Ok(None);
        };
        let raw_bytes = open.ask.raw_bytes;
        if raw_bytes > 0 && self.credit_bytes == 0 {
            return Err(NotNow::NoCredit);
        }
        let (expected, arrival) = (open.ask.blake3, open.ask.arrival.clone());
        ClientFrame::Put { request, raw_bytes, expected, arrival }.encode(out)?;
        open.stage = Stage::Sent;
        self.to_put.pop_front();
        self.body = (raw_bytes > 0).then_some(Body { request, left: raw_bytes });
        Ok(Some(request))
    }

    /// The request whose body is open and how many of its bytes may be sent now.
    pub fn body_allowed(&self) -> Option<(u64, u64)> {
        self.body.map(|body| (body.request, body.left.min(self.credit_bytes)))
    }

    /// Says that body bytes went out.
    ///
    /// # Panics
    /// When that is more than [`ClientSession::body_allowed`] said.
    pub fn body_sent(&mut self, bytes: u64) {
        let allowed = self.body_allowed().map_or(0, |(_, allowed)| allowed);
        assert!(bytes <= allowed, "{bytes} body bytes sent where {allowed} were allowed");
        self.credit_bytes -= bytes;
        if let Some(body) = &mut self.body {
            body.left -= bytes;
        }
        self.body = self.body.filter(|body| body.left > 0);
    }

    /// Appends a ping.
    ///
    /// # Errors
    /// A body is open, or no welcome came yet.
    pub fn ping(&mut self, nonce: u64, out: &mut Vec<u8>) -> Result<(), NotNow> {
        self.may_speak()?;
        Ok(ClientFrame::Ping { nonce }.encode(out)?)
    }

    /// Appends a bye: nothing follows, the server answers what is open and closes.
    ///
    /// # Errors
    /// A body is open, or no welcome came yet.
    pub fn bye(&mut self, out: &mut Vec<u8>) -> Result<(), NotNow> {
        self.may_speak()?;
        Ok(ClientFrame::Bye.encode(out)?)
    }

    /// Takes a frame from the server and says what it means, one event for each request in it.
    pub fn receive(&mut self, frame: ServerFrame) -> Vec<Event> {
        match frame {
            ServerFrame::Welcome(welcome) => {
                self.welcome = Some(welcome);
                self.credit_bytes = welcome.credit_bytes;
                vec![Event::Welcomed(welcome)]
            }
            ServerFrame::Acks(acks) => acks.into_iter().map(|ack| self.acked(ack)).collect(),
            ServerFrame::Want(requests) => requests.into_iter().map(|request| self.wanted(request)).collect(),
            ServerFrame::Refused { request, code, retry_after_ms, text } => vec![match self.settle(request) {
                Some(_) => Event::Refused { request, code, retry_after_ms, text },
                None => Event::Unasked(request),
            }],
            ServerFrame::Credit { bytes } => {
                self.credit_bytes = self.credit_bytes.saturating_add(bytes);
                vec![Event::Credited(bytes)]
            }
            ServerFrame::Pong { nonce } => vec![Event::Pong(nonce)],
            ServerFrame::Fault { code, text } => vec![Event::Fault { code, text }],
        }
    }

    /// Requests that are neither acked nor refused.
    pub fn open_count(&self) -> usize {
        self.open.len()
    }

    /// What was asked under an open request.
    pub fn ask(&self, request: u64) -> Option<&Ask> {
        self.open.get(&request).map(|open| &open.ask)
    }

    /// Body bytes that may still be sent before the server grants more.
    pub fn credit_bytes(&self) -> u64 {
        self.credit_bytes
    }

    /// What the server allows; `None` until it answered the hello of this connection.
    pub fn welcome(&self) -> Option<Welcome> {
        self.welcome
    }

    fn may_speak(&self) -> Result<(), NotNow> {
        match (self.welcome, self.body) {
            (None, _) => Err(NotNow::NotWelcome),
            (Some(_), Some(body)) => Err(NotNow::BodyOpen(body.left)),
            (Some(_), None) => Ok(()),
        }
    }

    /// An ask that is to be put may be started while a body is open: it only enters the queue.
    fn may_start(&self, ask: &Ask) -> Result<(), NotNow> {
        ask.arrival.check()?;
        let welcome = self.welcome.ok_or(NotNow::NotWelcome)?;
        if self.open.len() as u64 >= u64::from(welcome.window) {
            return Err(NotNow::WindowFull(welcome.window));
        }
        match self.body {
            Some(body) if ask.offer_first && ask.blake3.is_some() => Err(NotNow::BodyOpen(body.left)),
            Some(_) | None => Ok(()),
        }
    }

    fn acked(&mut self, ack: Ack) -> Event {
        match self.settle(ack.request) {
            Some(_) => Event::Acked(ack),
            None => Event::Unasked(ack.request),
        }
    }

    fn wanted(&mut self, request: u64) -> Event {
        match self.open.get_mut(&request) {
            Some(open) if open.stage == Stage::Offered => {
                open.stage = Stage::Waiting;
                self.to_put.push_back(request);
                Event::Wanted(request)
            }
            Some(_) | None => Event::Unasked(request),
        }
    }

    /// Closes a request. One that is answered before its put was sent is not sent any more; a body
    /// that is half sent has to be finished, the stream has no other way on.
    fn settle(&mut self, request: u64) -> Option<Open> {
        let open = self.open.remove(&request)?;
        if open.stage == Stage::Waiting {
            self.to_put.retain(|waiting| *waiting != request);
        }
        Some(open)
    }
}

#[cfg(test)]
mod tests;
