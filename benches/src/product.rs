//! The product behind the workload's interface.

use clap::ValueEnum;
use engine::disk::{self, Disk, NullDisk};
use engine::{Ask, CodecPolicy, Effort, Engine, Refusal, Settings, Submission};
use model::Arrival;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use workload::{Stored, Writer};

/// What lies under the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Under {
    /// System calls.
    Plain,
    /// io_uring.
    Uring,
    /// Nothing: the roof.
    Null,
}

impl Under {
    /// Opens it.
    ///
    /// # Errors
    /// The host forbids io_uring.
    pub fn disk(self) -> io::Result<Arc<dyn Disk>> {
        match self {
            Self::Plain => disk::disk(disk::IoMode::Plain),
            Self::Uring => disk::disk(disk::IoMode::Uring),
            Self::Null => Ok(Arc::new(NullDisk)),
        }
    }
}

/// Who decides how hard to compress.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Codec {
    /// zstd 1, as every peer.
    Level1,
    /// By backlog.
    Adaptive,
    /// Not at all.
    Raw,
}

impl Codec {
    /// The engine's word for it.
    #[must_use]
    pub fn policy(self) -> CodecPolicy {
        match self {
            Self::Level1 => CodecPolicy::Fixed(Effort::Usual),
            Self::Adaptive => CodecPolicy::Adaptive,
            Self::Raw => CodecPolicy::Fixed(Effort::Raw),
        }
    }
}

/// How a writer hands its samples in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Door {
    /// The writer packs on its own thread and may serve the lane.
    Put,
    /// The engine's packers do it, as for the server's doors.
    Submit,
}

/// Settings of a measured store: limits far away, the rest as a user has it, background work as asked.
#[must_use]
pub fn settings(codec: Codec, background: bool) -> Settings {
    Settings {
        max_bytes: 64 << 30,
        max_samples: 100_000_000,
        codec: codec.policy(),
        finish: background,
        scrub: background,
        ..Settings::default()
    }
}

/// A folder for a store, on the file system of the build and not in memory as /tmp may be; it vanishes
/// when dropped.
///
/// # Errors
/// The folder cannot be made.
pub fn folder() -> io::Result<TempDir> {
    let parent = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/scratch");
    std::fs::create_dir_all(&parent)?;
    tempfile::tempdir_in(parent)
}

/// One closed-loop writer.
pub struct Putter {
    engine: Engine,
    client: String,
    door: Door,
}

impl Putter {
    /// A writer with a client's name of its own.
    #[must_use]
    pub fn new(engine: &Engine, number: usize, door: Door) -> Self {
        Self { engine: engine.clone(), client: format!("client-{number}"), door }
    }
}

impl Writer for Putter {
    fn store(&mut self, sample_bytes: usize, fill: &mut dyn FnMut(&mut Vec<u8>)) -> Result<Stored, String> {
        let ask = Ask { raw_bytes: sample_bytes as u64, known: false, client: &self.client };
        let permit = loop {
            match self.engine.admit(&ask) {
                Ok(permit) => break permit,
                Err(Refusal::SlowDown { retry_after_ms, .. }) => {
                    std::thread::sleep(Duration::from_millis(retry_after_ms));
                }
                Err(refusal) => return Err(refusal.to_string()),
            }
        };
        let mut body = self.engine.buffer(sample_bytes);
        fill(&mut body);
        let arrival = Arrival { client: self.client.clone(), name: "/bench/sample".to_owned(), ..Arrival::default() };
        let submission = Submission { permit, body, arrival, expected: None };
        let outcome = match self.door {
            Door::Put => self.engine.put(submission),
            Door::Submit => self.engine.submit_and_wait(submission),
        };
        outcome.map(|receipt| Stored { bytes: receipt.stored.0 }).map_err(|error| error.to_string())
    }
}
