//! The threads that scan.

use super::cage::Cage;
use super::sample::{Collector, Failure, Report, bytes_of, scan_bytes};
use crate::definitions::Active;
use crate::retest::Larder;
use crossbeam_channel::{Receiver, Sender, bounded};
use engine::Engine;
use model::{Blake3, SampleId, Sequence};
use scanner::file::Limits;
use scanner::ruleset::Scratch;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Samples that may be handed over and not answered yet: enough that no thread waits for the next, few enough that a
/// stop does not wait long.
pub const IN_FLIGHT_MAX: usize = 64;

/// A sample to scan.
pub struct Job {
    /// Its id.
    pub sample: SampleId,
    /// Its address.
    pub blake3: Blake3,
    /// With what.
    pub active: Arc<Active>,
}

/// What came of a job.
#[derive(Debug)]
pub struct Answer {
    /// The sample.
    pub sample: SampleId,
    /// Its address.
    pub blake3: Blake3,
    /// The set that it was scanned with.
    pub sequence: Sequence,
    /// What was found, or why nothing is known.
    pub result: Result<Report, Failure>,
    /// How long it took.
    pub took: Duration,
}

/// Threads, and the way to them.
pub struct Scanners {
    jobs: Option<Sender<Job>>,
    threads: Vec<JoinHandle<()>>,
}

impl Scanners {
    /// Starts as many threads as there are processors. `done` is called on them with every answer.
    ///
    /// # Errors
    /// A thread cannot be started.
    pub fn start(
        engine: &Engine,
        cage: &Arc<Cage>,
        larder: &Arc<Larder>,
        done: impl Fn(Answer) + Clone + Send + 'static,
    ) -> std::io::Result<Self> {
        let (jobs, queue) = bounded::<Job>(IN_FLIGHT_MAX);
        let mut threads = Vec::new();
        for number in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            let (engine, cage, larder) = (engine.clone(), Arc::clone(cage), Arc::clone(larder));
            let (queue, done) = (queue.clone(), done.clone());
            let work = move || work(&engine, &cage, &larder, &queue, &done);
            threads.push(std::thread::Builder::new().name(format!("scan-{number}")).spawn(work)?);
        }
        Ok(Self { jobs: Some(jobs), threads })
    }

    /// Hands a job over; false when as many as may be are under way.
    pub fn give(&self, job: Job) -> bool {
        self.jobs.as_ref().is_some_and(|jobs| jobs.try_send(job).is_ok())
    }
}

impl Drop for Scanners {
    fn drop(&mut self) {
        self.jobs = None;
        for thread in self.threads.drain(..) {
            // It does not panic; if it did, the reason is already on stderr.
            let _ = thread.join();
        }
    }
}

fn work(engine: &Engine, cage: &Cage, larder: &Larder, queue: &Receiver<Job>, done: &impl Fn(Answer)) {
    engine::run_in_background();
    let mut scratch = Scratch::default();
    let mut builder: Option<Collector> = None;
    while let Ok(job) = queue.recv() {
        let began = Instant::now();
        let rule = larder.rule();
        if builder.is_none() {
            builder = rule.map(|rule| Collector::new(Arc::clone(rule)));
        }
        let builder = builder.as_mut().filter(|_| rule.is_some());
        let result = one(engine, cage, &job, &mut scratch, builder);
        done(Answer {
            sample: job.sample,
            blake3: job.blake3,
            sequence: job.active.sequence,
            result,
            took: began.elapsed(),
        });
    }
}

fn one(
    engine: &Engine,
    cage: &Cage,
    job: &Job,
    scratch: &mut Scratch,
    builder: Option<&mut Collector>,
) -> Result<Report, Failure> {
    let limits = &Limits::default();
    let pool = cage.pool().map_err(|fault| Failure::Down(fault.to_string()))?;
    match bytes_of(engine, &job.blake3, limits)? {
        Some(bytes) => scan_bytes(&pool, job.active.detector.view(), scratch, &bytes, limits, builder),
        None => {
            let remark = format!("not scanned: it has more than {} bytes", limits.file_bytes_max);
            Ok(Report { remarks: vec![remark], facts: builder.map(|_| Box::default()), ..Report::default() })
        }
    }
}
