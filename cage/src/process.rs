//! One worker as its caller holds it: a process, a socket, and a purse of time.

use std::cell::Cell;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::confine::Confinement;
use crate::crew::{Greeting, Settings};
use crate::frame;
use crate::worker::Bounds;

/// Time for a process to start and confine itself.
const START_TIME: Duration = Duration::from_secs(30);
/// Time between a closed socket and the end of its process.
const END_TIME: Duration = Duration::from_millis(500);

/// A process; dropping it kills and reaps it.
pub(crate) struct Process {
    child: Child,
    stream: UnixStream,
    /// The longest wait that the socket allows, as it was told.
    patience: Cell<Duration>,
    pub jobs: u32,
}

impl Process {
    /// Starts one, hears what confines it, and gives it what every worker of its crew needs.
    pub fn start(settings: &Settings, greet: &Greeting) -> io::Result<(Self, Confinement)> {
        let (ours, theirs) = UnixStream::pair()?;
        let child = Command::new(&settings.program)
            .args(&settings.arguments)
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        // From here on a failure kills and reaps the child.
        let mut process = Self { child, stream: ours, patience: Cell::new(Duration::ZERO), jobs: 0 };
        let bounds = Bounds { memory_bytes_max: settings.memory_bytes_max, cpu_ms_max: settings.cpu_ms_max };
        let mut line = process.line(START_TIME);
        frame::send(&mut line, frame::START, &bounds, &[])?;
        let confinement = frame::expect(&mut line, frame::HELLO, 0)?.head()?;
        match greet(&mut line) {
            Ok(()) => Ok((process, confinement)),
            Err(cause) if is_timeout(&cause) => Err(cause),
            Err(cause) => {
                Err(io::Error::new(cause.kind(), format!("the worker did not get ready: {}", process.end(&cause))))
            }
        }
    }

    /// The socket, with so much time to wait for the worker.
    pub fn line(&self, left: Duration) -> Line<'_> {
        Line { stream: &self.stream, patience: &self.patience, left }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// How it ended, in words; kills it if it has not.
    pub fn end(&mut self, cause: &io::Error) -> String {
        if cause.kind() == io::ErrorKind::InvalidData {
            return format!("it answered nonsense: {cause}");
        }
        // Its socket is closed, and its status follows at once, unless it closed the socket and lives on.
        let deadline = Instant::now() + END_TIME;
        while self.is_alive() && Instant::now() < deadline {
            std::thread::yield_now();
        }
        let _killed = self.child.kill();
        match self.child.wait() {
            Ok(status) => status.to_string(),
            Err(cause) => cause.to_string(),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Errors mean that it is gone already.
        let _killed = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// A socket with a purse of time: what is waited is taken out, what the caller does in between is not.
pub struct Line<'a> {
    stream: &'a UnixStream,
    patience: &'a Cell<Duration>,
    left: Duration,
}

impl Line<'_> {
    fn spend<T>(&mut self, work: impl FnOnce(&UnixStream) -> io::Result<T>) -> io::Result<T> {
        if self.left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        // Told anew only when it would wait too long by a sixteenth, or not long enough: most jobs need no such call.
        let patience = self.patience.get();
        if patience < self.left || patience > self.left + self.left / 16 {
            self.stream.set_read_timeout(Some(self.left))?;
            self.stream.set_write_timeout(Some(self.left))?;
            self.patience.set(self.left);
        }
        let start = Instant::now();
        let result = work(self.stream);
        self.left = self.left.saturating_sub(start.elapsed());
        result
    }
}

impl Read for Line<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.spend(|mut stream| stream.read(out))
    }
}

impl Write for Line<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.spend(|mut stream| stream.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub(crate) fn is_timeout(cause: &io::Error) -> bool {
    matches!(cause.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock)
}
