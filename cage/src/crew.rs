//! Workers as their caller sees them: a job in, its answer out, or a fault that names what happened.
//!
//! 1. At most `workers_max` processes at once; a caller waits for one with a deadline.
//! 2. A worker goes back to the idle ones only after the whole answer of its job.
//! 3. Any other end kills and reaps it; the next caller starts another.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use thiserror::Error;

use crate::confine::Confinement;
use crate::process::{Line, Process, is_timeout};

/// Beyond a job's own time, for the worker to notice and say so itself.
const GRACE: Duration = Duration::from_secs(2);

/// What a crew says to each new worker, which is confined by then, and hears from it.
pub type Greeting = Box<dyn Fn(&mut Line<'_>) -> io::Result<()> + Send + Sync>;

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
            // A caller's thread waits while its worker works, and the other way round: two for each processor keep it busy.
            workers_max: 2 * std::thread::available_parallelism().map_or(1, usize::from),
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
pub struct Crew {
    settings: Settings,
    greet: Greeting,
    state: Mutex<State>,
    freed: Condvar,
    started: AtomicU64,
    answered: AtomicU64,
    died: AtomicU64,
    overtime: AtomicU64,
}

#[derive(Default)]
struct State {
    idle: Vec<Process>,
    taken: Vec<u32>,
    confinement: Option<Confinement>,
    taken_count: usize,
}

impl Crew {
    /// A crew with its first worker started, so that a missing binary or guard is known at once.
    ///
    /// # Errors
    /// [`Fault::Start`] or [`Fault::Unconfined`].
    pub fn start(settings: Settings, greet: Greeting) -> Result<Self, Fault> {
        let crew = Self {
            settings,
            greet,
            state: Mutex::default(),
            freed: Condvar::new(),
            started: AtomicU64::new(0),
            answered: AtomicU64::new(0),
            died: AtomicU64::new(0),
            overtime: AtomicU64::new(0),
        };
        let worker = crew.spawn()?;
        crew.lock().idle.push(worker);
        Ok(crew)
    }

    /// What confines the workers: of the last one started.
    pub fn confinement(&self) -> Option<Confinement> {
        self.lock().confinement.clone()
    }

    /// What the crew has been through.
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
        state.idle.iter().map(Process::id).chain(state.taken.iter().copied()).collect()
    }

    /// Does a job with one worker. `job` talks with it; what it waits comes out of `time` and a grace, what it does
    /// itself does not. The same time is waited for a worker to become free.
    ///
    /// # Errors
    /// Any [`Fault`]; after `Died` and `Overtime` that worker is gone and another takes the next job.
    pub fn work<T>(&self, time: Duration, job: impl FnOnce(&mut Line<'_>) -> io::Result<T>) -> Result<T, Fault> {
        let mut worker = self.take(time)?;
        let id = worker.id();
        worker.jobs += 1;
        let answer = match job(&mut worker.line(time + GRACE)) {
            Ok(answer) => {
                self.answered.fetch_add(1, Ordering::Relaxed);
                Ok(answer)
            }
            Err(cause) if is_timeout(&cause) => {
                self.overtime.fetch_add(1, Ordering::Relaxed);
                Err(Fault::Overtime { ms: time.as_millis() as u64 })
            }
            Err(cause) => {
                self.died.fetch_add(1, Ordering::Relaxed);
                Err(Fault::Died { how: worker.end(&cause) })
            }
        };
        let keep = answer.is_ok() && worker.jobs < self.settings.samples_max;
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

    fn take(&self, wait: Duration) -> Result<Process, Fault> {
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
        self.lock().taken.push(worker.id());
        Ok(worker)
    }

    fn spawn(&self) -> Result<Process, Fault> {
        let failed = |cause| Fault::Start { program: self.settings.program.clone(), cause };
        let (worker, confinement) = Process::start(&self.settings, &self.greet).map_err(failed)?;
        self.started.fetch_add(1, Ordering::Relaxed);
        let missing = confinement.missing();
        self.lock().confinement = Some(confinement);
        match self.settings.unguarded {
            Unguarded::Refuse if !missing.is_empty() => Err(Fault::Unconfined { missing }),
            Unguarded::Refuse | Unguarded::Report => Ok(worker),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is whole between its statements: a panic in a job holds no lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
