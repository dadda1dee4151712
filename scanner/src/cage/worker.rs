//! The process in the cage: confines itself, then answers samples until its socket closes.

use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use super::confine::{allow_cpu, confine};
use super::wire::{self, FrameKind, MemberHead, Start};
use crate::file::{Flow, Form, Limits, Member, walk};

/// Bytes of a sample that a worker takes; its memory limit ends it long before.
const SAMPLE_BYTES_MAX: u64 = 1 << 40;

/// Runs a worker on its standard input, which is one end of a socket pair. The hidden subcommand calls this and
/// nothing else; it returns when the other end is closed.
pub fn worker_main() -> ExitCode {
    // A panic ends the process and is this sample's answer; what it would print is hostile text.
    std::panic::set_hook(Box::new(|_| {}));
    match io::stdin().as_fd().try_clone_to_owned().map(UnixStream::from).and_then(|mut stream| serve(&mut stream)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn serve(stream: &mut UnixStream) -> io::Result<()> {
    let start: Start = expect(stream, FrameKind::Start, 0)?.head()?;
    let confinement = confine(start.memory_bytes_max);
    wire::send(stream, &confinement, &[])?;
    loop {
        let frame = match expect(stream, FrameKind::Sample, SAMPLE_BYTES_MAX) {
            Err(cause) if cause.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            other => other?,
        };
        let limits: Limits = frame.head()?;
        allow_cpu(cpu_used_ms(), start.cpu_ms_max.min(limits.time_ms_max))?;
        answer(stream, &frame.body, &limits)?;
    }
}

fn answer(stream: &mut UnixStream, sample: &[u8], limits: &Limits) -> io::Result<()> {
    let clock = Clock { start: Instant::now(), waited: std::cell::Cell::new(Duration::ZERO) };
    let allowed = Duration::from_millis(limits.time_ms_max);
    let mut failure = None;
    let outcome = walk(sample, limits, &|| clock.used() >= allowed, &mut |member| {
        let waiting = Instant::now();
        let flow = hand_over(stream, member).unwrap_or_else(|cause| {
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

fn hand_over(stream: &mut UnixStream, member: Member<'_>) -> io::Result<Flow> {
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
    match wire::receive(stream, 0)?.kind {
        FrameKind::On => Ok(Flow::On),
        FrameKind::Stop => Ok(Flow::Stop),
        _ => Err(wire::invalid("an answer that is none")),
    }
}

fn expect(stream: &mut UnixStream, kind: FrameKind, body_bytes_max: u64) -> io::Result<wire::Frame> {
    let frame = wire::receive(stream, body_bytes_max)?;
    if frame.kind == kind { Ok(frame) } else { Err(wire::invalid("a frame out of order")) }
}

fn cpu_used_ms() -> u64 {
    let used = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    u64::try_from(used.tv_sec).unwrap_or(0) * 1000 + u64::try_from(used.tv_nsec).unwrap_or(0) / 1_000_000
}
