//! Frames between the pool and a worker, over one socket.
//!
//! A frame is its kind (1 byte), the length of its head (4), the length of its body (8, both little-endian), the
//! head as JSON, the body as bytes. Both ends are one build of one binary, so there is no version. Lengths are
//! checked against the reader's own bounds before a byte is kept.

use std::io::{self, Read, Write};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::confine::Confinement;
use crate::file::{Digests, Executable, Form, Kind, Limits, Outcome, Targets};

/// Bytes of a head: a path of 17 names, 2048 sections, 1024 keys fit well.
const HEAD_BYTES_MAX: u32 = 1 << 20;

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum FrameKind {
    /// To the worker, first and once: `Start`.
    Start = 1,
    /// From the worker, first and once: `Confinement`.
    Hello = 2,
    /// To the worker: `Limits` and a sample.
    Sample = 3,
    /// From the worker: `MemberHead` and the buffer; without a body it is the sample itself.
    Member = 4,
    /// From the worker, last of a sample: `Outcome`.
    Outcome = 5,
    /// To the worker, after each member: go on.
    On = 6,
    /// To the worker, after a member: stop.
    Stop = 7,
}

/// What confines a worker.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Start {
    pub(super) memory_bytes_max: u64,
    pub(super) cpu_ms_max: u64,
}

/// A member without its bytes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct MemberHead {
    pub(super) path: Vec<String>,
    pub(super) depth: u32,
    pub(super) containers: Vec<Kind>,
    pub(super) kind: Kind,
    pub(super) form: Form,
    pub(super) targets: Targets,
    pub(super) digests: Digests,
    pub(super) executable: Option<Executable>,
    pub(super) file_bytes: u64,
    /// The bytes are the sample's own and not sent back.
    pub(super) whole_sample: bool,
}

/// A frame as read.
pub(super) struct Frame {
    pub(super) kind: FrameKind,
    head: Vec<u8>,
    pub(super) body: Vec<u8>,
}

impl Frame {
    /// The head as what its kind says.
    pub(super) fn head<T: DeserializeOwned>(&self) -> io::Result<T> {
        serde_json::from_slice(&self.head).map_err(|cause| io::Error::new(io::ErrorKind::InvalidData, cause))
    }
}

/// Heads that belong to a kind of frame.
pub(super) trait Head: Serialize {
    const KIND: FrameKind;
}

impl Head for Start {
    const KIND: FrameKind = FrameKind::Start;
}
impl Head for Confinement {
    const KIND: FrameKind = FrameKind::Hello;
}
impl Head for Limits {
    const KIND: FrameKind = FrameKind::Sample;
}
impl Head for MemberHead {
    const KIND: FrameKind = FrameKind::Member;
}
impl Head for Outcome {
    const KIND: FrameKind = FrameKind::Outcome;
}

/// Sends a frame. A head above its bound is an error here, not at the other end.
pub(super) fn send<H: Head>(to: &mut impl Write, head: &H, body: &[u8]) -> io::Result<()> {
    let head = serde_json::to_vec(head)?;
    send_raw(to, H::KIND, &head, body)
}

/// Sends a frame that says nothing but its kind.
pub(super) fn send_sign(to: &mut impl Write, kind: FrameKind) -> io::Result<()> {
    send_raw(to, kind, &[], &[])
}

fn send_raw(to: &mut impl Write, kind: FrameKind, head: &[u8], body: &[u8]) -> io::Result<()> {
    let head_bytes = u32::try_from(head.len()).ok().filter(|bytes| *bytes <= HEAD_BYTES_MAX);
    let head_bytes = head_bytes.ok_or_else(|| invalid("a frame's head is too long"))?;
    let mut start = Vec::with_capacity(13 + head.len());
    start.push(kind as u8);
    start.extend_from_slice(&head_bytes.to_le_bytes());
    start.extend_from_slice(&(body.len() as u64).to_le_bytes());
    start.extend_from_slice(head);
    to.write_all(&start)?;
    to.write_all(body)
}

/// Receives a frame whose body has at most `body_bytes_max` bytes. Memory grows with what arrives, not with what
/// was announced.
pub(super) fn receive(from: &mut impl Read, body_bytes_max: u64) -> io::Result<Frame> {
    let mut start = [0; 13];
    from.read_exact(&mut start)?;
    let kind = kind(start[0]).ok_or_else(|| invalid("a frame of no known kind"))?;
    let head_bytes = u32::from_le_bytes([start[1], start[2], start[3], start[4]]);
    let mut body_bytes = [0; 8];
    body_bytes.copy_from_slice(&start[5..]);
    let body_bytes = u64::from_le_bytes(body_bytes);
    if head_bytes > HEAD_BYTES_MAX || body_bytes > body_bytes_max {
        return Err(invalid("a frame longer than its bound"));
    }
    let head = exactly(from, u64::from(head_bytes))?;
    let body = exactly(from, body_bytes)?;
    Ok(Frame { kind, head, body })
}

fn exactly(from: &mut impl Read, bytes: u64) -> io::Result<Vec<u8>> {
    let mut out = Vec::new();
    from.take(bytes).read_to_end(&mut out)?;
    if out.len() as u64 == bytes { Ok(out) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

fn kind(byte: u8) -> Option<FrameKind> {
    use FrameKind::{Hello, Member, On, Outcome, Sample, Start, Stop};
    [Start, Hello, Sample, Member, Outcome, On, Stop].into_iter().find(|kind| *kind as u8 == byte)
}

pub(super) fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_cut_anywhere_is_an_error_and_no_panic() {
        let mut whole = Vec::new();
        send(&mut whole, &Start { memory_bytes_max: 1, cpu_ms_max: 2 }, b"body").expect("a vector takes all");
        assert_eq!(receive(&mut &whole[..], 4).expect("whole").body, b"body");
        for end in 0..whole.len() {
            assert!(receive(&mut &whole[..end], 4).is_err(), "cut at {end}");
        }
        assert!(receive(&mut &whole[..], 3).is_err(), "longer than the bound");
    }
}
