//! Rules as whoever has buffers sees them: sources once, then buffers in, numbers of rules out.

use std::io;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use cage::frame::{expect, invalid, send};
use cage::{Confinement, Counts, Crew, Fault, Line, Settings};

use super::wire::{BUFFER, HOLDS, Holds, READY, Ready, SOURCES, Sources, Time};
use crate::compile::{CompileError, Source};
use crate::limits::{REPORT_BYTES_MAX, SOURCE_BYTES_MAX};
use crate::report::Report;
use crate::rules::Found;

/// Why there is no pool.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The sources are too large together.
    #[error("{0}")]
    Sources(String),
    /// No worker got ready with them: it cannot be started or confined, or died of them, or took too long.
    #[error("YARA rules cannot be made ready: {0}")]
    Worker(#[from] Fault),
}

/// A set of caged workers that hold the same rules.
///
/// A worker that a buffer kills, or that is too slow, costs that buffer a fault; the next one gets a new worker, which
/// compiles the rules again.
pub struct Pool {
    crew: Crew,
    report: Report,
}

/// What each new worker is told.
struct Text {
    files: Vec<(String, usize)>,
    bytes: Vec<u8>,
    /// What the first of them answers.
    answer: OnceLock<Result<Report, String>>,
}

impl Pool {
    /// A pool with its first worker started and all sources compiled in it.
    ///
    /// # Errors
    /// Any [`StartError`]. Rules that are wrong are no error but in the report.
    pub fn start(settings: Settings, sources: &[Source<'_>]) -> Result<Self, StartError> {
        let bytes = sources.iter().map(|source| source.text.len()).sum();
        if bytes > SOURCE_BYTES_MAX {
            return Err(StartError::Sources(CompileError::ManyBytes { bytes }.to_string()));
        }
        let text = Arc::new(Text {
            files: sources.iter().map(|source| (source.name.to_owned(), source.text.len())).collect(),
            bytes: sources.iter().flat_map(|source| source.text).copied().collect(),
            answer: OnceLock::new(),
        });
        let told = Arc::clone(&text);
        let crew = Crew::start(settings, Box::new(move |line| told.tell(line)))?;
        match text.answer.get() {
            Some(Ok(report)) => Ok(Self { crew, report: report.clone() }),
            Some(Err(refused)) => Err(StartError::Sources(refused.clone())),
            None => Err(StartError::Sources("a worker that says nothing of its rules".to_owned())),
        }
    }

    /// What came of the sources.
    pub fn report(&self) -> &Report {
        &self.report
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

    /// The rules that hold in `bytes`, which has at most `time` of a worker; a worker that does not notice itself is
    /// killed two seconds later. The same time is waited for a worker to become free.
    ///
    /// # Errors
    /// Any [`Fault`]: this buffer was not tried.
    pub fn scan(&self, bytes: &[u8], time: Duration) -> Result<Found, Fault> {
        self.crew.work(time, |line| {
            let ms = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
            send(line, BUFFER, &Time { ms }, bytes)?;
            let Holds { rules, is_whole } = expect(line, HOLDS, 0)?.head()?;
            // What a worker says is no more trusted than the buffer it was given.
            let known = rules.iter().all(|rule| (*rule as usize) < self.report.rules.len());
            if known { Ok(Found { rules, is_whole }) } else { Err(invalid("a rule that is not there")) }
        })
    }
}

impl Text {
    fn tell(&self, line: &mut Line<'_>) -> io::Result<()> {
        let report_wanted = self.answer.get().is_none();
        send(line, SOURCES, &Sources { files: self.files.clone(), report_wanted }, &self.bytes)?;
        let frame = expect(line, READY, REPORT_BYTES_MAX)?;
        let Ready { refused } = frame.head()?;
        let answer = match refused {
            Some(refused) => Err(refused),
            None if report_wanted => Ok(serde_json::from_slice(frame.body())?),
            None => return Ok(()),
        };
        // The first answer counts; the others are of the same text.
        let _told = self.answer.set(answer);
        Ok(())
    }
}
