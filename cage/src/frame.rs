//! Frames between a caller and a worker, over one socket.
//!
//! A frame is its kind (1 byte), the length of its head (4), the length of its body (8, both little-endian), the
//! head as JSON, the body as bytes. Both ends are one build of one binary, so there is no version. Lengths are
//! checked against the reader's own bounds before a byte is kept.

use std::io::{self, Read, Write};

use serde::{Serialize, de::DeserializeOwned};

/// Bytes of a head: a path of 17 names, 2048 sections, 1024 keys fit well.
const HEAD_BYTES_MAX: u32 = 1 << 20;

/// Bytes that are sent in one call, and that memory is taken for before they come.
const TOGETHER_BYTES_MAX: usize = 64 << 10;
/// Kinds below this are the cage's own: a job's kinds begin here.
pub const FIRST_KIND: u8 = 3;
/// To the worker, first and once: [`crate::Bounds`].
pub(crate) const START: u8 = 1;
/// From the worker, first and once: [`crate::Confinement`].
pub(crate) const HELLO: u8 = 2;

/// A frame as read.
pub struct Frame {
    /// What it is.
    pub kind: u8,
    /// Head and body.
    bytes: Vec<u8>,
    head_bytes: usize,
}

impl Frame {
    /// The head as what its kind says.
    ///
    /// # Errors
    /// `InvalidData`: it is something else.
    pub fn head<T: DeserializeOwned>(&self) -> io::Result<T> {
        serde_json::from_slice(&self.bytes[..self.head_bytes])
            .map_err(|cause| io::Error::new(io::ErrorKind::InvalidData, cause))
    }

    /// Its bytes.
    pub fn body(&self) -> &[u8] {
        &self.bytes[self.head_bytes..]
    }
}

/// Sends a frame.
///
/// # Errors
/// `InvalidData`: a head above its bound, which would be an error at the other end. Those of the socket.
pub fn send(to: &mut impl Write, kind: u8, head: &impl Serialize, body: &[u8]) -> io::Result<()> {
    send_raw(to, kind, &serde_json::to_vec(head)?, body)
}

/// Sends a frame that says nothing but its kind.
///
/// # Errors
/// Those of the socket.
pub fn send_sign(to: &mut impl Write, kind: u8) -> io::Result<()> {
    send_raw(to, kind, &[], &[])
}

fn send_raw(to: &mut impl Write, kind: u8, head: &[u8], body: &[u8]) -> io::Result<()> {
    let head_bytes = u32::try_from(head.len()).ok().filter(|bytes| *bytes <= HEAD_BYTES_MAX);
    let head_bytes = head_bytes.ok_or_else(|| invalid("a frame's head is too long"))?;
    // A call costs more than a copy of some kilobytes.
    let together = body.len() <= TOGETHER_BYTES_MAX;
    let mut start = Vec::with_capacity(13 + head.len() + if together { body.len() } else { 0 });
    start.push(kind);
    start.extend_from_slice(&head_bytes.to_le_bytes());
    start.extend_from_slice(&(body.len() as u64).to_le_bytes());
    start.extend_from_slice(head);
    if together {
        start.extend_from_slice(body);
        return to.write_all(&start);
    }
    to.write_all(&start)?;
    to.write_all(body)
}

/// Receives a frame whose body has at most `body_bytes_max` bytes. Memory grows with what arrives, not with what
/// was announced.
///
/// # Errors
/// `InvalidData`: a length above its bound. `UnexpectedEof`: the other end is gone. Those of the socket.
pub fn receive(from: &mut impl Read, body_bytes_max: u64) -> io::Result<Frame> {
    let mut start = [0; 13];
    from.read_exact(&mut start)?;
    let head_bytes = u32::from_le_bytes([start[1], start[2], start[3], start[4]]);
    let mut body_bytes = [0; 8];
    body_bytes.copy_from_slice(&start[5..]);
    let body_bytes = u64::from_le_bytes(body_bytes);
    if head_bytes > HEAD_BYTES_MAX || body_bytes > body_bytes_max {
        return Err(invalid("a frame longer than its bound"));
    }
    let bytes = exactly(from, u64::from(head_bytes).saturating_add(body_bytes))?;
    Ok(Frame { kind: start[0], bytes, head_bytes: head_bytes as usize })
}

/// Receives a frame of one kind.
///
/// # Errors
/// As [`receive`]; `InvalidData` when it is of another kind.
pub fn expect(from: &mut impl Read, kind: u8, body_bytes_max: u64) -> io::Result<Frame> {
    let frame = receive(from, body_bytes_max)?;
    if frame.kind == kind { Ok(frame) } else { Err(invalid("a frame out of order")) }
}

fn exactly(from: &mut impl Read, bytes: u64) -> io::Result<Vec<u8>> {
    let mut out = Vec::new();
    if bytes <= TOGETHER_BYTES_MAX as u64 {
        out.resize(bytes as usize, 0);
        from.read_exact(&mut out)?;
        return Ok(out);
    }
    from.take(bytes).read_to_end(&mut out)?;
    if out.len() as u64 == bytes { Ok(out) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

/// What is answered to nonsense.
#[must_use]
pub fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_cut_anywhere_is_an_error_and_no_panic() {
        let mut whole = Vec::new();
        send(&mut whole, 7, &("head", 2), b"body").expect("a vector takes all");
        assert_eq!(receive(&mut &whole[..], 4).expect("whole").body(), b"body");
        for end in 0..whole.len() {
            assert!(receive(&mut &whole[..end], 4).is_err(), "cut at {end}");
        }
        assert!(receive(&mut &whole[..], 3).is_err(), "longer than the bound");
        assert!(expect(&mut &whole[..], 8, 4).is_err(), "of another kind");
    }
}
