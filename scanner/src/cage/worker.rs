//! The process in the cage answers samples until its socket closes.

use std::io;
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use super::strip;
use super::wire::{self, FrameKind, Job, MemberHead, StripJob};
use crate::file::{Flow, Form, Member, walk};

/// Bytes of a sample that a worker takes; its memory limit ends it long before.
const SAMPLE_BYTES_MAX: u64 = 1 << 40;

/// Runs a worker that opens samples. The hidden subcommand calls this and nothing else; it returns when the other end is
/// closed.
pub fn worker_main() -> ExitCode {
    ::cage::run(|stream, bounds| {
        loop {
            let frame = wire::receive(stream, SAMPLE_BYTES_MAX)?;
            match frame.kind {
                FrameKind::Sample => {
                    let job: Job = frame.head()?;
                    ::cage::allow_cpu(bounds.cpu_ms_max.min(job.limits.time_ms_max))?;
                    answer(stream, frame.body(), &job)?;
                }
                FrameKind::Strip => {
                    let job: StripJob = frame.head()?;
                    ::cage::allow_cpu(bounds.cpu_ms_max.min(job.limits.time_ms_max))?;
                    strip::answer(stream, frame.body(), job)?;
                }
                FrameKind::Member
                | FrameKind::Outcome
                | FrameKind::On
                | FrameKind::Stop
                | FrameKind::Part
                | FrameKind::Ending => return Err(wire::invalid("a frame out of order")),
            }
        }
    })
}

fn answer(stream: &mut UnixStream, sample: &[u8], job: &Job) -> io::Result<()> {
    let clock = Clock { start: Instant::now(), waited: std::cell::Cell::new(Duration::ZERO) };
    let allowed = Duration::from_millis(job.limits.time_ms_max);
    let mut failure = None;
    let outcome = walk(sample, &job.limits, &|| clock.used() >= allowed, &mut |member| {
        let waiting = Instant::now();
        let flow = hand_over(stream, member, job.asks).unwrap_or_else(|cause| {
            failure = Some(cause);
            Flow::Stop
        });
        clock.waited.set(clock.waited.get() + waiting.elapsed());
        flow
    });
    match failure {
        Some(cause) => Err(cause),
        None => wire::send(stream, &outcome, &[]),
    }
}

/// Time without the waiting for the caller, who matches signatures meanwhile.
struct Clock {
    start: Instant,
    waited: std::cell::Cell<Duration>,
}

impl Clock {
    fn used(&self) -> Duration {
        self.start.elapsed().saturating_sub(self.waited.get())
    }
}

fn hand_over(stream: &mut UnixStream, member: Member<'_>, asks: bool) -> io::Result<Flow> {
    let whole_sample = member.depth == 0 && member.form == Form::Raw;
    let head = MemberHead {
        path: member.path.to_vec(),
        depth: member.depth,
        containers: member.containers.to_vec(),
        kind: member.kind,
        form: member.form,
        targets: member.targets,
        digests: member.digests,
        executable: member.executable.cloned(),
        file_bytes: member.file_bytes,
        whole_sample,
    };
    wire::send(stream, &head, if whole_sample { &[] } else { member.bytes })?;
    if !asks {
        return Ok(Flow::On);
    }
    match wire::receive(stream, 0)?.kind {
        FrameKind::On => Ok(Flow::On),
        FrameKind::Stop => Ok(Flow::Stop),
        _ => Err(wire::invalid("an answer that is none")),
    }
}
