//! Reads frames off a stream, however it is cut into pieces.
//! 1. `pending` holds less than one whole frame: at most a header and a payload within the limit.
//! 2. While `body_left` is above zero no byte is taken for a frame.
//! 3. After an error the same error is given forever.

use super::WireError;
use super::frame::{Frame, HEADER_BYTES, header};
use std::marker::PhantomData;

/// What one step of a [`Decoder`] made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step<F> {
    /// Every byte was taken and the frame is not complete.
    More,
    /// A frame. When it is a `Put`, [`Decoder::body_left`] body bytes come next.
    Frame(F),
    /// Nothing was taken: this many body bytes are the caller's to read first.
    Body(u64),
}

/// The incremental decoder of one direction of one connection.
///
/// ```
/// use model::wire::{ClientFrame, Decoder, Step};
/// let mut stream = Vec::new();
/// ClientFrame::Ping { nonce: 7 }.encode(&mut stream).unwrap();
/// let mut decoder = Decoder::<ClientFrame>::new();
/// let (head, mut tail) = stream.split_at(3);
/// assert_eq!(decoder.step(&mut { head }), Ok(Step::More));
/// assert_eq!(decoder.step(&mut tail), Ok(Step::Frame(ClientFrame::Ping { nonce: 7 })));
/// assert!(tail.is_empty());
/// ```
#[derive(Debug)]
pub struct Decoder<F> {
    pending: Vec<u8>,
    body_left: u64,
    failed: Option<WireError>,
    frames: PhantomData<fn() -> F>,
}

impl<F> Default for Decoder<F> {
    fn default() -> Self {
        Self { pending: Vec::new(), body_left: 0, failed: None, frames: PhantomData }
    }
}

impl<F: Frame> Decoder<F> {
    /// A decoder at the start of a stream.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes bytes from the front of `input` up to the end of one frame. A frame that lies whole in
    /// `input` is read in place; only a frame cut in two is copied. Call again while `input` is not
    /// empty.
    ///
    /// # Errors
    /// What makes the stream unreadable; the connection has to be closed.
    pub fn step(&mut self, input: &mut &[u8]) -> Result<Step<F>, WireError> {
        if let Some(failed) = &self.failed {
            return Err(failed.clone());
        }
        if self.body_left > 0 {
            return Ok(Step::Body(self.body_left));
        }
        let step = if self.pending.is_empty() { self.in_place(input) } else { self.joined(input) };
        match &step {
            Ok(Step::Frame(frame)) => self.body_left = frame.body_bytes(),
            Ok(Step::More | Step::Body(_)) => {}
            Err(failed) => self.failed = Some(failed.clone()),
        }
        step
    }

    /// Body bytes that are still to come before the next frame.
    pub fn body_left(&self) -> u64 {
        self.body_left
    }

    /// Says that the caller read (or discarded) this many body bytes.
    ///
    /// # Panics
    /// When that is more than [`Decoder::body_left`]: the caller read into the next frame.
    pub fn body_taken(&mut self, bytes: u64) {
        assert!(bytes <= self.body_left, "{bytes} body bytes taken where {} were left", self.body_left);
        self.body_left -= bytes;
    }

    /// Takes body bytes from the front of `input`: those that came in the same read as their frame.
    pub fn take_body<'a>(&mut self, input: &mut &'a [u8]) -> &'a [u8] {
        let bytes = usize::try_from(self.body_left).map_or(input.len(), |left| left.min(input.len()));
        let (body, rest) = input.split_at(bytes);
        *input = rest;
        self.body_left -= bytes as u64;
        body
    }

    /// Bytes that would complete the header or the frame at hand. A caller that reads no more than
    /// this never finds body bytes in its frame buffer. 0 while a body is to be read.
    pub fn wants(&self) -> usize {
        if self.body_left > 0 {
            return 0;
        }
        match self.pending.first_chunk().map(|bytes| header::<F>(*bytes)) {
            Some(Ok((_, length))) => HEADER_BYTES + length - self.pending.len(),
            Some(Err(_)) => 0,
            None => HEADER_BYTES - self.pending.len(),
        }
    }

    /// Whether the stream may end here: between two frames, with no body open.
    pub fn is_between_frames(&self) -> bool {
        self.pending.is_empty() && self.body_left == 0
    }

    fn in_place(&mut self, input: &mut &[u8]) -> Result<Step<F>, WireError> {
        let Some((head, rest)) = input.split_first_chunk() else {
            return Ok(self.keep(input));
        };
        let (kind, length) = header::<F>(*head)?;
        let Some((payload, rest)) = rest.split_at_checked(length) else {
            return Ok(self.keep(input));
        };
        *input = rest;
        F::decode(kind, payload).map(Step::Frame)
    }

    fn joined(&mut self, input: &mut &[u8]) -> Result<Step<F>, WireError> {
        if !self.fill(input, HEADER_BYTES) {
            return Ok(Step::More);
        }
        let Some((head, _)) = self.pending.split_first_chunk() else {
            return Ok(Step::More);
        };
        let (kind, length) = header::<F>(*head)?;
        if !self.fill(input, HEADER_BYTES + length) {
            return Ok(Step::More);
        }
        let frame = F::decode(kind, &self.pending[HEADER_BYTES..]);
        self.pending.clear();
        frame.map(Step::Frame)
    }

    fn keep(&mut self, input: &mut &[u8]) -> Step<F> {
        self.pending.extend_from_slice(input);
        *input = &[];
        Step::More
    }

    /// Moves bytes from `input` until `pending` holds `target`; whether it does.
    fn fill(&mut self, input: &mut &[u8], target: usize) -> bool {
        let missing = target.saturating_sub(self.pending.len());
        let (taken, rest) = input.split_at(missing.min(input.len()));
        self.pending.extend_from_slice(taken);
        *input = rest;
        self.pending.len() >= target
    }
}
