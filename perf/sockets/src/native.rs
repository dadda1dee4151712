//! One blocking connection of the native protocol (`docs/wire.md`).

use anyhow::{Context, Result, bail, ensure};
use model::Arrival;
use model::wire::{Ack, ClientFrame, Decoder, ServerFrame, Step, Token};
use std::cell::Cell;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

/// Acks of a whole window and more.
const READ_BYTES: usize = 64 << 10;

/// A connection that was welcomed.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    decoder: Decoder<ServerFrame>,
    input: Vec<u8>,
    credit_bytes: u64,
    window: u32,
    next_request: u64,
}

impl Connection {
    /// Connects, says hello and waits for the welcome. `epoch` must be new to the server.
    ///
    /// # Errors
    /// The server is not there or does not welcome us.
    pub fn open(intake: SocketAddr, client: &str, epoch: u64) -> Result<Self> {
        let stream = TcpStream::connect(intake).context("cannot reach the native intake")?;
        stream.set_nodelay(true)?;
        let mut connection = Self {
            stream,
            decoder: Decoder::new(),
            input: vec![0; READ_BYTES],
            credit_bytes: 0,
            window: 0,
            next_request: 1,
        };
        let hello = ClientFrame::Hello { token: Token::default(), client: client.to_owned(), epoch };
        let mut out = Vec::new();
        hello.encode(&mut out)?;
        connection.write(&out)?;
        while connection.window == 0 {
            connection.hear(|frame| bail!("the hello was answered with {frame:?}"))?;
        }
        Ok(connection)
    }

    /// Requests that may be open.
    #[must_use]
    pub fn window(&self) -> u32 {
        self.window
    }

    /// A number for a request, rising.
    pub fn number(&mut self) -> u64 {
        self.next_request += 1;
        self.next_request - 1
    }

    /// Writes frames as they are.
    ///
    /// # Errors
    /// The connection broke.
    pub fn write(&mut self, frames: &[u8]) -> Result<()> {
        self.stream.write_all(frames).context("the native intake does not listen any more")
    }

    /// Waits for bytes and hands every frame in them over, but for welcome and credit, which it keeps.
    ///
    /// # Errors
    /// The connection ended, or `each` says no.
    pub fn hear(&mut self, mut each: impl FnMut(ServerFrame) -> Result<()>) -> Result<()> {
        let read = self.stream.read(&mut self.input).context("the native intake does not answer any more")?;
        ensure!(read > 0, "the native intake hung up");
        let mut rest = &self.input[..read];
        while !rest.is_empty() {
            match self.decoder.step(&mut rest)? {
                Step::Frame(ServerFrame::Welcome(welcome)) => {
                    (self.credit_bytes, self.window) = (welcome.credit_bytes, welcome.window);
                }
                Step::Frame(ServerFrame::Credit { bytes }) => self.credit_bytes += bytes,
                Step::Frame(frame) => each(frame)?,
                Step::More | Step::Body(_) => {}
            }
        }
        Ok(())
    }

    /// Puts one sample and waits for its ack; nothing else may be open.
    ///
    /// # Errors
    /// The server refuses it, or the connection broke.
    pub fn put(&mut self, body: &[u8], arrival: &Arrival) -> Result<Ack> {
        let request = self.number();
        let put = ClientFrame::Put { request, raw_bytes: body.len() as u64, expected: None, arrival: arrival.clone() };
        let mut head = Vec::new();
        put.encode(&mut head)?;
        self.write(&head)?;
        let acked = Cell::new(None);
        let answer = |frame| match frame {
            ServerFrame::Acks(acks) => {
                acked.set(acks.into_iter().find(|ack| ack.request == request));
                Ok(())
            }
            other => bail!("a put was answered with {other:?}"),
        };
        let mut left = body;
        while !left.is_empty() {
            let (now, later) = left.split_at(left.len().min(usize::try_from(self.credit_bytes)?));
            self.write(now)?;
            self.credit_bytes -= now.len() as u64;
            left = later;
            if !left.is_empty() {
                self.hear(answer)?;
            }
        }
        loop {
            self.hear(answer)?;
            if let Some(ack) = acked.get() {
                return Ok(ack);
            }
        }
    }
}
