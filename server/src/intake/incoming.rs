//! Frames and body bytes off one connection.
//! 1. At most [`BUFFER_BYTES_MAX`] bytes are read ahead; body bytes beyond them go straight into the caller's buffer.
//! 2. Every wait for bytes has a deadline.

use crate::daemon::options::Limits;
use crate::intake::answers::End;
use bytes::BufMut as _;
use model::wire::{ClientFrame, Decoder, FaultCode, Step, WireError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::time::{Instant, timeout};

/// Bytes of the read buffer of a connection that says little.
const BUFFER_BYTES_MIN: usize = 4 << 10;
/// Bytes of the read buffer of a busy one: some 400 offers a read.
const BUFFER_BYTES_MAX: usize = 64 << 10;

/// Bytes that are read over after a fault: one window of small requests.
const READ_OVER_BYTES_MAX: usize = 1 << 20;

/// The reading end.
pub struct Incoming<R> {
    reader: R,
    decoder: Decoder<ClientFrame>,
    buffer: Vec<u8>,
    at: usize,
    filled: usize,
}

impl<R: AsyncRead + Unpin> Incoming<R> {
    /// Nothing read yet.
    pub fn new(reader: R) -> Self {
        Self { reader, decoder: Decoder::new(), buffer: vec![0; BUFFER_BYTES_MIN], at: 0, filled: 0 }
    }

    /// A frame that has been read already, if there is one.
    ///
    /// # Errors
    /// The stream makes no sense.
    pub fn ready(&mut self) -> Result<Option<ClientFrame>, End> {
        while self.at < self.filled {
            let mut input = &self.buffer[self.at..self.filled];
            let step = self.decoder.step(&mut input);
            self.at = self.filled - input.len();
            match step {
                Ok(Step::Frame(frame)) => return Ok(Some(frame)),
                Ok(Step::More) => {}
                Ok(Step::Body(_)) => return Ok(None),
                Err(error) => return Err(unreadable(&error)),
            }
        }
        Ok(None)
    }

    /// Reads on after [`Incoming::ready`] had no frame. Cancel-safe: what was read is kept.
    ///
    /// # Errors
    /// The end of the stream, nothing within `within`, or a broken connection.
    pub async fn more(&mut self, within: Duration) -> Result<(), End> {
        let read = timeout(within, self.reader.read(&mut self.buffer)).await;
        match read {
            Ok(Ok(0)) if self.decoder.is_between_frames() => Err(End::Bye),
            Ok(Ok(0)) => Err(End::Gone("the connection ended inside a frame".to_owned())),
            Ok(Ok(read)) => {
                (self.at, self.filled) = (0, read);
                self.fit(read);
                Ok(())
            }
            Ok(Err(error)) => Err(End::Gone(error.to_string())),
            Err(_) => Err(End::Fault(FaultCode::Idle, format!("nothing came for {within:?}"))),
        }
    }

    /// Grows the buffer of a busy connection, and gives back the buffer of one that calmed down.
    fn fit(&mut self, read: usize) {
        let bytes = self.buffer.len();
        if read == bytes && bytes < BUFFER_BYTES_MAX {
            self.buffer.resize(bytes * 2, 0);
        } else if read < bytes / 16 && bytes > BUFFER_BYTES_MIN {
            self.buffer.truncate((bytes / 2).max(read));
            self.buffer.shrink_to_fit();
        }
    }

    /// Reads and forgets until the stream ends, at most [`READ_OVER_BYTES_MAX`].
    pub async fn read_over(&mut self) {
        let mut left = READ_OVER_BYTES_MAX;
        while left > 0 {
            match self.reader.read(&mut self.buffer).await {
                Ok(0) | Err(_) => return,
                Ok(read) => left = left.saturating_sub(read),
            }
        }
    }

    /// Body bytes still to come.
    pub fn body_left(&self) -> u64 {
        self.decoder.body_left()
    }

    /// Appends up to `bytes_max` body bytes to `into`, which should have room for them; returns how many came.
    ///
    /// # Errors
    /// The stream ended inside the body, or nothing came within `within`.
    pub async fn body(&mut self, into: &mut Vec<u8>, bytes_max: usize, within: Duration) -> Result<u64, End> {
        let left = usize::try_from(self.decoder.body_left()).unwrap_or(usize::MAX).min(bytes_max);
        if self.at < self.filled {
            let available = &self.buffer[self.at..self.filled.min(self.at.saturating_add(left))];
            let bytes = self.decoder.take_body(&mut { available }).len();
            into.extend_from_slice(&self.buffer[self.at..self.at + bytes]);
            self.at += bytes;
            return Ok(bytes as u64);
        }
        match timeout(within, self.reader.read_buf(&mut into.limit(left))).await {
            Ok(Ok(0)) => Err(End::Gone("the connection ended inside a body".to_owned())),
            Ok(Ok(read)) => {
                self.decoder.body_taken(read as u64);
                Ok(read as u64)
            }
            Ok(Err(error)) => Err(End::Gone(error.to_string())),
            Err(_) => Err(End::Fault(FaultCode::Idle, format!("a body brought nothing for {within:?}"))),
        }
    }
}

fn unreadable(error: &WireError) -> End {
    let code = match error {
        WireError::Version { .. } => FaultCode::Version,
        WireError::FrameTooLong { .. }
        | WireError::UnknownFrame { .. }
        | WireError::Magic { .. }
        | WireError::Field { .. } => FaultCode::Malformed,
    };
    End::Fault(code, error.to_string())
}

/// The clock over one body.
pub struct Pace {
    started: Instant,
    bytes: u64,
}

impl Pace {
    /// Starts the clock.
    pub fn new() -> Self {
        Self { started: Instant::now(), bytes: 0 }
    }

    /// Counts bytes that came.
    ///
    /// # Errors
    /// After the grace they come too slowly to be waited for.
    pub fn came(&mut self, bytes: u64, limits: &Limits) -> Result<(), End> {
        self.bytes += bytes;
        let elapsed = self.started.elapsed();
        if elapsed > limits.body_grace && self.bytes < limits.body_rate_min.saturating_mul(elapsed.as_secs()) {
            let text = format!(
                "a body brought {} bytes in {} s, less than {} a second",
                self.bytes,
                elapsed.as_secs(),
                limits.body_rate_min
            );
            return Err(End::Fault(FaultCode::Idle, text));
        }
        Ok(())
    }
}

impl Default for Pace {
    fn default() -> Self {
        Self::new()
    }
}
