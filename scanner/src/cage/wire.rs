//! Which frames a pool and a worker exchange, and what their heads are.

use std::io::{self, Read, Write};

use ::cage::frame;
pub(super) use ::cage::frame::invalid;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::file::{Digests, Executable, Form, Kind, Limits, Outcome, Targets};
use crate::strip::{Found, Kept, NotStripped};

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum FrameKind {
    /// To the worker: `Job` and a sample.
    Sample = frame::FIRST_KIND,
    /// From the worker: `MemberHead` and the buffer; without a body it is the sample itself.
    Member,
    /// From the worker, last of a sample: `Outcome`.
    Outcome,
    /// To the worker, after each member where that is asked: go on.
    On,
    /// To the worker, likewise: stop.
    Stop,
    /// To the worker: `StripJob` and a sample.
    Strip,
    /// From the worker, for each part of a stripped sample: `PartHead` and the part.
    Part,
    /// From the worker, last of a stripped sample: `Ending`.
    Ending,
}

/// What a worker is to do with a sample.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Job {
    pub(super) limits: Limits,
    /// Whether it asks after each member if it is to go on.
    pub(super) asks: bool,
}

/// What a worker is to strip a sample by.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct StripJob {
    pub(super) limits: Limits,
    pub(super) found: Option<Found>,
}

/// A part without its bytes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct PartHead {
    pub(super) path: Vec<String>,
    pub(super) what: Kept,
}

/// All parts were sent, or why there are none.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Ending(pub(super) Result<(), NotStripped>);

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

/// A frame of a known kind.
pub(super) struct Frame {
    pub(super) kind: FrameKind,
    frame: frame::Frame,
}

impl Frame {
    pub(super) fn head<T: DeserializeOwned>(&self) -> io::Result<T> {
        self.frame.head()
    }

    pub(super) fn body(&self) -> &[u8] {
        self.frame.body()
    }
}

/// Heads that belong to a kind of frame.
pub(super) trait Head: Serialize {
    const KIND: FrameKind;
}

impl Head for Job {
    const KIND: FrameKind = FrameKind::Sample;
}
impl Head for MemberHead {
    const KIND: FrameKind = FrameKind::Member;
}
impl Head for Outcome {
    const KIND: FrameKind = FrameKind::Outcome;
}
impl Head for StripJob {
    const KIND: FrameKind = FrameKind::Strip;
}
impl Head for PartHead {
    const KIND: FrameKind = FrameKind::Part;
}
impl Head for Ending {
    const KIND: FrameKind = FrameKind::Ending;
}

/// Sends a frame.
pub(super) fn send<H: Head>(to: &mut impl Write, head: &H, body: &[u8]) -> io::Result<()> {
    frame::send(to, H::KIND as u8, head, body)
}

/// Sends a frame that says nothing but its kind.
pub(super) fn send_sign(to: &mut impl Write, kind: FrameKind) -> io::Result<()> {
    frame::send_sign(to, kind as u8)
}

/// Receives a frame whose body has at most `body_bytes_max` bytes.
pub(super) fn receive(from: &mut impl Read, body_bytes_max: u64) -> io::Result<Frame> {
    let frame = frame::receive(from, body_bytes_max)?;
    let kind = kind(frame.kind).ok_or_else(|| invalid("a frame of no known kind"))?;
    Ok(Frame { kind, frame })
}

fn kind(byte: u8) -> Option<FrameKind> {
    use FrameKind::{Ending, Member, On, Outcome, Part, Sample, Stop, Strip};
    [Sample, Member, Outcome, On, Stop, Strip, Part, Ending].into_iter().find(|kind| *kind as u8 == byte)
}
