//! A client of the native intake protocol, as small as it can be: one thread, one connection, everything
//! pipelined as far as the server's window and credit allow.

use bytes::Bytes;
use model::wire::{Ask, ClientSession, Decoder, Event, NotNow, Outcome, ServerFrame, Step, Token};
use model::{Arrival, Blake3, ItemId};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// A server answers within this, or is taken for gone.
const DEADLINE: Duration = Duration::from_secs(20);
/// Bytes read at once; answers are small.
const READ_BYTES: usize = 16 << 10;

/// A file to forward.
#[derive(Debug, Clone)]
pub struct Parcel {
    /// Original path.
    pub name: String,
    /// Its bytes.
    pub content: Bytes,
    /// Digest of them.
    pub digest: Blake3,
    /// Ask for the digest before sending bytes.
    pub offer_first: bool,
}

/// What became of a parcel.
#[derive(Debug, Clone, Copy)]
pub struct Delivered {
    /// Which parcel.
    pub parcel: usize,
    /// The item it became.
    pub item: ItemId,
    /// Stored, duplicate or repeated.
    pub outcome: Outcome,
}

/// Forwards all parcels; gives what became of each and how many body bytes left.
///
/// # Errors
/// The connection breaks, the server refuses or does not keep to the protocol.
pub fn forward(
    server: SocketAddr,
    client: &str,
    epoch: u64,
    parcels: &[Parcel],
) -> std::io::Result<(Vec<Delivered>, u64)> {
    let stream = TcpStream::connect_timeout(&server, DEADLINE)?;
    stream.set_read_timeout(Some(DEADLINE))?;
    stream.set_write_timeout(Some(DEADLINE))?;
    stream.set_nodelay(true)?;
    let mut talk = Talk {
        stream,
        session: ClientSession::new(Token(String::new()), client.to_owned(), epoch),
        decoder: Decoder::new(),
        out: Vec::new(),
        parcels,
        parcel_of: std::collections::BTreeMap::new(),
        delivered: Vec::with_capacity(parcels.len()),
        body_sent: 0,
        body_bytes: 0,
    };
    talk.run(client)?;
    Ok((talk.delivered, talk.body_bytes))
}

struct Talk<'a> {
    stream: TcpStream,
    session: ClientSession,
    decoder: Decoder<ServerFrame>,
    out: Vec<u8>,
    parcels: &'a [Parcel],
    /// Requests and the parcels they are about.
    parcel_of: std::collections::BTreeMap<u64, usize>,
    delivered: Vec<Delivered>,
    /// Bytes of the open body that went out.
    body_sent: usize,
    body_bytes: u64,
}

impl Talk<'_> {
    fn run(&mut self, client: &str) -> std::io::Result<()> {
        self.session.connect(&mut self.out).map_err(std::io::Error::other)?;
        self.flush()?;
        while self.session.welcome().is_none() {
            self.listen()?;
        }
        let mut next = 0;
        while self.delivered.len() < self.parcels.len() {
            while next < self.parcels.len() && self.start(client, next)? {
                next += 1;
            }
            self.put()?;
            self.flush()?;
            self.listen()?;
        }
        self.session.bye(&mut self.out).map_err(std::io::Error::other)?;
        self.flush()
    }

    /// Opens a request for a parcel; false when the server's window is full.
    fn start(&mut self, client: &str, parcel: usize) -> std::io::Result<bool> {
        let Parcel { name, content, digest, offer_first } = &self.parcels[parcel];
        let arrival = Arrival { client: client.to_owned(), name: name.clone(), ..Arrival::default() };
        let raw_bytes = content.len() as u64;
        let ask = Ask { blake3: Some(*digest), raw_bytes, offer_first: *offer_first, arrival };
        match self.session.start(&ask, &mut self.out) {
            Ok(request) => {
                self.parcel_of.insert(request, parcel);
                Ok(true)
            }
            Err(NotNow::WindowFull(_) | NotNow::BodyOpen(_)) => Ok(false),
            Err(error @ (NotNow::NotWelcome | NotNow::NoCredit | NotNow::Unsendable(_))) => {
                Err(std::io::Error::other(error))
            }
        }
    }

    /// Sends bodies as far as credit allows.
    fn put(&mut self) -> std::io::Result<()> {
        loop {
            if let Some((request, allowed)) = self.session.body_allowed() {
                if allowed == 0 {
                    return Ok(());
                }
                let content = &self.parcels[self.parcel_of[&request]].content;
                let left = &content[self.body_sent..];
                let now = usize::try_from(allowed).unwrap_or(usize::MAX).min(left.len());
                self.out.extend_from_slice(&left[..now]);
                self.session.body_sent(now as u64);
                self.body_sent += now;
                self.body_bytes += now as u64;
                self.flush()?;
                continue;
            }
            self.body_sent = 0;
            match self.session.next_put(&mut self.out) {
                Ok(Some(_)) => {}
                Ok(None) | Err(NotNow::NoCredit) => return Ok(()),
                Err(error) => return Err(std::io::Error::other(error)),
            }
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.stream.write_all(&self.out)?;
        self.out.clear();
        Ok(())
    }

    /// Reads once and takes what the server said.
    fn listen(&mut self) -> std::io::Result<()> {
        let mut buffer = [0; READ_BYTES];
        let read = self.stream.read(&mut buffer)?;
        if read == 0 {
            return Err(std::io::Error::other("the server closed the connection"));
        }
        let mut input = &buffer[..read];
        while !input.is_empty() {
            match self.decoder.step(&mut input).map_err(std::io::Error::other)? {
                Step::More => return Ok(()),
                Step::Body(bytes) => return Err(std::io::Error::other(format!("{bytes} body bytes from a server"))),
                Step::Frame(frame) => self.take(frame)?,
            }
        }
        Ok(())
    }

    fn take(&mut self, frame: ServerFrame) -> std::io::Result<()> {
        for event in self.session.receive(frame) {
            match event {
                Event::Acked(ack) => {
                    let parcel = self.parcel_of[&ack.request];
                    self.delivered.push(Delivered { parcel, item: ack.item, outcome: ack.outcome });
                }
                Event::Welcomed(_) | Event::Wanted(_) | Event::Credited(_) | Event::Pong(_) => {}
                Event::Refused { text, .. } | Event::Fault { text, .. } => return Err(std::io::Error::other(text)),
                Event::Unasked(request) => {
                    return Err(std::io::Error::other(format!("an answer to request {request}, which is not open")));
                }
            }
        }
        Ok(())
    }
}
