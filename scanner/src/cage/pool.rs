//! The cage as whoever has a sample sees it: bytes in, buffers out.

use std::io;
use std::time::Duration;

use ::cage::{Confinement, Counts, Crew, Fault, Line, Settings};

use super::strip;
use super::wire::{self, FrameKind, Job, MemberHead, StripJob};
use crate::file::{Flow, Limits, Member, Outcome};
use crate::strip::{Found, NotStripped, Stripped};

/// A set of caged workers that open samples.
pub struct Pool {
    crew: Crew,
}

impl Pool {
    /// A pool with its first worker started, so that a missing binary or guard is known at once.
    pub fn start(settings: Settings) -> Result<Self, Fault> {
        Ok(Self { crew: Crew::start(settings, Box::new(|_| Ok(())))? })
    }

    /// What confines the workers: of the last one started.
    pub fn confinement(&self) -> Option<Confinement> {
        self.crew.confinement()
    }

    /// What the pool has been through.
    pub fn counts(&self) -> Counts {
        self.crew.counts()
    }

    /// Process ids of all workers, idle and taken.
    pub fn worker_ids(&self) -> Vec<u32> {
        self.crew.worker_ids()
    }

    /// `file::walk` in the cage. `see` runs here, on the caller's thread; its time does not count as the worker's.
    /// Buffers seen before a fault were seen.
    pub fn walk(
        &self,
        sample: &[u8],
        limits: &Limits,
        see: &mut dyn FnMut(Member<'_>) -> Flow,
    ) -> Result<Outcome, Fault> {
        let job = Job { limits: limits.clone(), asks: true };
        self.crew.work(Duration::from_millis(limits.time_ms_max), |line| answer(line, sample, &job, see))
    }

    /// As [`walk`](Self::walk), to the end whatever comes: the worker goes on while a buffer is seen, so this is faster.
    ///
    /// # Errors
    /// Any [`Fault`].
    pub fn walk_wholly(
        &self,
        sample: &[u8],
        limits: &Limits,
        see: &mut dyn FnMut(Member<'_>),
    ) -> Result<Outcome, Fault> {
        let job = Job { limits: limits.clone(), asks: false };
        let mut see = |member: Member<'_>| {
            see(member);
            Flow::On
        };
        self.crew.work(Duration::from_millis(limits.time_ms_max), |line| answer(line, sample, &job, &mut see))
    }

    /// [`strip::strip`](crate::strip::strip) in the cage. The sample has `limits.time_ms_max`.
    ///
    /// # Errors
    /// Any [`Fault`]: nothing is known of the sample. The inner one says why nothing of it may leave.
    pub fn strip(
        &self,
        sample: &[u8],
        found: Option<Found>,
        limits: &Limits,
    ) -> Result<Result<Stripped, NotStripped>, Fault> {
        let job = StripJob { limits: limits.clone(), found };
        self.crew.work(Duration::from_millis(limits.time_ms_max), |line| strip::ask(line, sample, &job))
    }
}

fn answer(
    line: &mut Line<'_>,
    sample: &[u8],
    job: &Job,
    see: &mut dyn FnMut(Member<'_>) -> Flow,
) -> io::Result<Outcome> {
    // Normalising can lengthen (a short reference for a long one), never beyond twice.
    let body_bytes_max = job.limits.file_bytes_max.max(2 * sample.len() as u64 + 4096);
    wire::send(line, job, sample)?;
    loop {
        let frame = wire::receive(line, body_bytes_max)?;
        match frame.kind {
            FrameKind::Member => {
                let head: MemberHead = frame.head()?;
                let flow = see(Member {
                    path: &head.path,
                    depth: head.depth,
                    containers: &head.containers,
                    kind: head.kind,
                    form: head.form,
                    targets: head.targets,
                    digests: head.digests,
                    executable: head.executable.as_ref(),
                    file_bytes: head.file_bytes,
                    bytes: if head.whole_sample { sample } else { frame.body() },
                });
                let sign = match flow {
                    Flow::On => FrameKind::On,
                    Flow::Stop => FrameKind::Stop,
                };
                if job.asks {
                    wire::send_sign(line, sign)?;
                }
            }
            FrameKind::Outcome => return frame.head(),
            FrameKind::Sample
            | FrameKind::On
            | FrameKind::Stop
            | FrameKind::Strip
            | FrameKind::Part
            | FrameKind::Ending => return Err(wire::invalid("a frame out of order")),
        }
    }
}
