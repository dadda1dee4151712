//! The process in the cage: confines itself, then serves until its socket closes.

use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::process::ExitCode;

use serde::{Deserialize, Serialize};

use crate::confine::confine;
use crate::frame;

/// What a worker may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bounds {
    /// Address space, bytes.
    pub memory_bytes_max: u64,
    /// Processor time for one job, milliseconds; the worker sets it with [`crate::allow_cpu`] before each.
    pub cpu_ms_max: u64,
}

/// Runs a worker on its standard input, which is one end of a socket pair: confined first, then `serve`, which answers
/// jobs until it meets the end of the stream. The hidden subcommand calls this and nothing else.
pub fn run(serve: impl FnOnce(&mut UnixStream, Bounds) -> io::Result<()>) -> ExitCode {
    // A panic ends the process and is this job's answer; what it would print is hostile text.
    std::panic::set_hook(Box::new(|_| {}));
    let stream = io::stdin().as_fd().try_clone_to_owned().map(UnixStream::from);
    match stream.and_then(|mut stream| confined(&mut stream, serve)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn confined(stream: &mut UnixStream, serve: impl FnOnce(&mut UnixStream, Bounds) -> io::Result<()>) -> io::Result<()> {
    let bounds: Bounds = frame::expect(stream, frame::START, 0)?.head()?;
    let confinement = confine(bounds.memory_bytes_max);
    frame::send(stream, frame::HELLO, &confinement, &[])?;
    match serve(stream, bounds) {
        // The caller has no more jobs.
        Err(cause) if cause.kind() == io::ErrorKind::UnexpectedEof => Ok(()),
        other => other,
    }
}
