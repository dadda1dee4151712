//! Workers as their caller sees them: bytes in, buffers out, or a fault that names what happened.
//!
//! 1. At most `workers_max` processes at once; a caller waits for one with a deadline.
//! 2. A worker goes back to the idle ones only after the whole answer of its sample.
//! 3. Any other end kills and reaps it; the next caller starts another.

use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use thiserror::Error;

use super::confine::Confinement;
use super::wire::{self, FrameKind, MemberHead, Start};
use crate::file::{Flow, Limits, Member, Outcome};

/// Time for a process to start and confine itself.
const START_TIME: Duration = Duration::from_secs(30);
/// Time between a closed socket and the end of its process.
const END_TIME: Duration = Duration::from_millis(500);
/// Beyond a sample's own time, for the worker to notice and say so itself.
const GRACE: Duration = Duration::from_secs(2);

/// What to do where a guard of the kernel is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unguarded {
    /// No worker is used that is not wholly confined.
    Refuse,
    /// Workers run with the guards there are; `Pool::confinement` says which are missing.
    Report,
}

/// How a pool starts its workers, and what each may use.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The binary that has the hidden subcommand: this one, as a rule.
    pub program: PathBuf,
    /// Arguments that make it call `worker_main`.
    pub arguments: Vec<String>,
    /// Processes at once.
    pub workers_max: usize,
    /// Address space of one worker, bytes. A sample, one member per level of depth and a decoder's window must
    /// fit: 1 GiB holds the default limits with room for a chain of the largest members.
    pub memory_bytes_max: u64,
    /// Processor time for one sample, milliseconds.
    pub cpu_ms_max: u64,
    /// Samples after which a worker is replaced, so that what one leaks does not add up.
    pub samples_max: u32,
    /// Where the kernel lacks a guard.
    pub unguarded: Unguarded,
}

impl Settings {
    /// Defaults for a binary and its arguments.
    pub fn new(program: PathBuf, arguments: Vec<String>) -> Self {
        Self {
            program,
            arguments,
            workers_max: std::thread::available_parallelism().map_or(1, usize::from),
            memory_bytes_max: 1 << 30,
            cpu_ms_max: 120_000,
            samples_max: 10_000,
            unguarded: Unguarded::Report,
        }
    }
}

/// Why a sample has no whole answer from the cage. Buffers seen before a fault were seen.
#[derive(Debug, Error)]
pub enum Fault {
    /// The worker ended: a panic, a signal, memory or processor time used up.
    #[error("the worker died on this sample: {how}")]
    Died {
        /// Exit status or signal.
        how: String,
    },
    /// The worker gave no answer in time and was killed.
    #[error("the worker took longer than {ms} ms on this sample and was killed")]
    Overtime {
        /// The time it had.
        ms: u64,
    },
    /// All workers are taken. Come back later.
    #[error("no worker became free within {ms} ms")]
    Busy {
        /// The time waited.
        ms: u64,
    },
    /// No worker can be started.
    #[error("no worker can be started from {program}: {cause}")]
    Start {
        /// The binary.
        program: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// The settings ask for guards that this kernel lacks.
    #[error("workers cannot be confined here: {}", missing.join("; "))]
    Unconfined {
        /// Guards and reasons.
        missing: Vec<String>,
    },
}

/// What a pool has been through, for metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Processes started.
    pub started: u64,
    /// Samples answered whole.
    pub answered: u64,
    /// Samples on which a worker died.
    pub died: u64,
    /// Samples on which a worker was killed for its time.
    pub overtime: u64,
}

/// A set of caged workers.
pub struct Pool {
    settings: Settings,
    state: Mutex<State>,
    freed: Condvar,
    started: AtomicU64,
    answered: AtomicU64,
    died: AtomicU64,
    overtime: AtomicU64,
}

#[derive(Default)]
struct State {
    idle: Vec<Worker>,
    taken: Vec<u32>,
    confinement: Option<Confinement>,
    taken_count: usize,
}

impl Pool {
    /// A pool with its first worker started, so that a missing binary or guard is known at once.
    pub fn start(settings: Settings) -> Result<Self, Fault> {
        let pool = Self {
            settings,
            state: Mutex::default(),
            freed: Condvar::new(),
            started: AtomicU64::new(0),
            answered: AtomicU64::new(0),
            died: AtomicU64::new(0),
            overtime: AtomicU64::new(0),
        };
        let worker = pool.spawn()?;
        pool.lock().idle.push(worker);
        Ok(pool)
    }

    /// What confines the workers: of the last one started.
    pub fn confinement(&self) -> Option<Confinement> {
        self.lock().confinement.clone()
    }

    /// What the pool has been through.
    pub fn counts(&self) -> Counts {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Counts {
            started: read(&self.started),
            answered: read(&self.answered),
            died: read(&self.died),
            overtime: read(&self.overtime),
        }
    }

    /// Process ids of all workers, idle and taken.
    pub fn worker_ids(&self) -> Vec<u32> {
        let state = self.lock();
        state.idle.iter().map(|worker| worker.child.id()).chain(state.taken.iter().copied()).collect()
    }

    /// `file::walk` in the cage. `see` runs here, on the caller's thread; its time does not count as the worker's.
    pub fn walk(
        &self,
        sample: &[u8],
        limits: &Limits,
        see: &mut dyn FnMut(Member<'_>) -> Flow,
    ) -> Result<Outcome, Fault> {
        let mut worker = self.take(Duration::from_millis(limits.time_ms_max))?;
        let id = worker.child.id();
        let allowed = Duration::from_millis(limits.time_ms_max) + GRACE;
        let result = worker.answer(sample, limits, allowed, see);
        let answer = match result {
            Ok(outcome) => {
                self.answered.fetch_add(1, Ordering::Relaxed);
                Ok(outcome)
            }
            Err(cause) if is_timeout(&cause) => {
                self.overtime.fetch_add(1, Ordering::Relaxed);
                Err(Fault::Overtime { ms: limits.time_ms_max })
            }
            Err(cause) => {
                self.died.fetch_add(1, Ordering::Relaxed);
                Err(Fault::Died { how: worker.end(&cause) })
            }
        };
        let keep = answer.is_ok() && worker.samples < self.settings.samples_max;
        let mut state = self.lock();
        state.taken.retain(|taken| *taken != id);
        state.taken_count -= 1;
        if keep {
            state.idle.push(worker);
        }
        drop(state);
        self.freed.notify_one();
        answer
    }

    fn take(&self, wait: Duration) -> Result<Worker, Fault> {
        let deadline = Instant::now() + wait;
        let mut state = self.lock();
        while state.taken_count >= self.settings.workers_max {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Fault::Busy { ms: wait.as_millis() as u64 });
            }
            state = self.freed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        state.taken_count += 1;
        // One that died while idle died of nothing that this sample did.
        let idle = std::iter::from_fn(|| state.idle.pop()).find_map(|mut worker| worker.is_alive().then_some(worker));
        drop(state);
        let worker = match idle.map_or_else(|| self.spawn(), Ok) {
            Ok(worker) => worker,
            Err(fault) => {
                self.lock().taken_count -= 1;
                self.freed.notify_one();
                return Err(fault);
            }
        };
        self.lock().taken.push(worker.child.id());
        Ok(worker)
    }

    fn spawn(&self) -> Result<Worker, Fault> {
        let failed = |cause| Fault::Start { program: self.settings.program.clone(), cause };
        let (worker, confinement) = Worker::start(&self.settings).map_err(failed)?;
        self.started.fetch_add(1, Ordering::Relaxed);
        let missing = confinement.missing();
        self.lock().confinement = Some(confinement);
        match self.settings.unguarded {
            Unguarded::Refuse if !missing.is_empty() => Err(Fault::Unconfined { missing }),
            Unguarded::Refuse | Unguarded::Report => Ok(worker),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is whole between its statements: a panic in `see` holds no lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Worker {
    child: Child,
    stream: UnixStream,
    samples: u32,
}

impl Worker {
    fn start(settings: &Settings) -> io::Result<(Self, Confinement)> {
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
        let mut worker = Self { child, stream: ours, samples: 0 };
        let start = Start { memory_bytes_max: settings.memory_bytes_max, cpu_ms_max: settings.cpu_ms_max };
        let mut stream = Timed { stream: &worker.stream, left: START_TIME };
        wire::send(&mut stream, &start, &[])?;
        let hello = wire::receive(&mut stream, 0)?;
        if hello.kind != FrameKind::Hello {
            return Err(wire::invalid("a worker that does not say what confines it"));
        }
        let confinement = hello.head()?;
        worker.samples = 0;
        Ok((worker, confinement))
    }

    fn answer(
        &mut self,
        sample: &[u8],
        limits: &Limits,
        allowed: Duration,
        see: &mut dyn FnMut(Member<'_>) -> Flow,
    ) -> io::Result<Outcome> {
        self.samples += 1;
        // Normalising can lengthen (a short reference for a long one), never beyond twice.
        let body_bytes_max = limits.file_bytes_max.max(2 * sample.len() as u64 + 4096);
        let mut stream = Timed { stream: &self.stream, left: allowed };
        wire::send(&mut stream, limits, sample)?;
        loop {
            let frame = wire::receive(&mut stream, body_bytes_max)?;
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
                        bytes: if head.whole_sample { sample } else { &frame.body },
                    });
                    let sign = match flow {
                        Flow::On => FrameKind::On,
                        Flow::Stop => FrameKind::Stop,
                    };
                    wire::send_sign(&mut stream, sign)?;
                }
                FrameKind::Outcome => return frame.head(),
                _ => return Err(wire::invalid("a frame out of order")),
            }
        }
    }

    fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// How it ended, in words; kills it if it has not.
    fn end(&mut self, cause: &io::Error) -> String {
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

impl Drop for Worker {
    fn drop(&mut self) {
        // Errors mean that it is gone already.
        let _killed = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// A socket with a purse of time: what is waited is taken out.
struct Timed<'a> {
    stream: &'a UnixStream,
    left: Duration,
}

impl Timed<'_> {
    fn spend<T>(&mut self, work: impl FnOnce(&UnixStream) -> io::Result<T>) -> io::Result<T> {
        if self.left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.stream.set_read_timeout(Some(self.left))?;
        self.stream.set_write_timeout(Some(self.left))?;
        let start = Instant::now();
        let result = work(self.stream);
        self.left = self.left.saturating_sub(start.elapsed());
        result
    }
}

impl Read for Timed<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.spend(|mut stream| stream.read(out))
    }
}

impl Write for Timed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.spend(|mut stream| stream.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn is_timeout(cause: &io::Error) -> bool {
    matches!(cause.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock)
}
