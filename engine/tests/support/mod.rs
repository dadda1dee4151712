//! What the engine's tests share: a data directory, bodies, and short ways to put and read.
#![allow(dead_code, missing_docs)]

use engine::disk::{Disk, PlainDisk};
use engine::{Ask, Engine, Outcome, Settings, Submission, SubmitError};
use model::{Arrival, Blake3, RetryKey};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

pub struct Fixture {
    dir: tempfile::TempDir,
}

impl Fixture {
    pub fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    pub fn open(&self, settings: Settings) -> Engine {
        self.open_on(settings, Arc::new(PlainDisk::new()))
    }

    pub fn open_on(&self, settings: Settings, disk: Arc<dyn Disk>) -> Engine {
        let (engine, recovery) = Engine::open(self.path(), settings, disk).unwrap();
        assert!(recovery.damage.is_empty(), "{:?}", recovery.damage);
        engine
    }

    /// Every file in the data directory whose name ends so.
    pub fn files(&self, ending: &str) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut dirs = vec![self.path().to_owned()];
        while let Some(dir) = dirs.pop() {
            for entry in std::fs::read_dir(dir).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    dirs.push(path);
                } else if path.to_string_lossy().ends_with(ending) {
                    found.push(path);
                }
            }
        }
        found
    }

    /// The data directory as another process would find it now.
    pub fn copy(&self) -> Self {
        let copy = Self::new();
        for file in self.files("") {
            let to = copy.path().join(file.strip_prefix(self.path()).unwrap());
            std::fs::create_dir_all(to.parent().unwrap()).unwrap();
            std::fs::copy(&file, to).unwrap();
        }
        copy
    }
}

/// Tiny segments, so that rolling, sealing and compaction are common.
pub fn small() -> Settings {
    Settings {
        max_bytes: 256 << 20,
        segment_bytes: Some(256 << 10),
        large_bytes_min: 1 << 20,
        finish: false,
        scrub: false,
        prepare_bytes: 64 << 10,
        ..Settings::default()
    }
}

/// Bytes that compress about as binaries do: half of them repeat.
pub fn body(seed: u64, len: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    (0..len)
        .map(|at| {
            if at % 16 < 8 {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                (state >> 32) as u8
            } else {
                (at % 16) as u8
            }
        })
        .collect()
}

pub fn arrival(client: &str) -> Arrival {
    Arrival {
        received_at_ms: 1_700_000_000_000,
        client: client.to_owned(),
        name: "/tmp/suspect".to_owned(),
        reason: "cannot be cleaned".to_owned(),
        ..Arrival::default()
    }
}

pub fn put(engine: &Engine, body: &[u8], client: &str) -> Outcome {
    put_arrival(engine, body, arrival(client), None)
}

pub fn put_keyed(engine: &Engine, body: &[u8], client: &str, key: u8) -> Outcome {
    let arrival = Arrival { retry_key: Some(RetryKey([key; 16])), ..arrival(client) };
    put_arrival(engine, body, arrival, None)
}

pub fn put_expecting(engine: &Engine, body: &[u8], client: &str, expected: blake3::Hash) -> Outcome {
    put_arrival(engine, body, arrival(client), Some(Blake3(*expected.as_bytes())))
}

fn put_arrival(engine: &Engine, body: &[u8], arrival: Arrival, expected: Option<Blake3>) -> Outcome {
    let ask = Ask { raw_bytes: body.len() as u64, known: false, client: &arrival.client };
    let permit = engine.admit(&ask).map_err(SubmitError::Refused)?;
    let mut buffer = engine.buffer(body.len());
    buffer.extend_from_slice(body);
    engine.put(Submission { permit, body: buffer, arrival, expected })
}

pub fn stream(engine: &Engine, body: &[u8], client: &str) -> Outcome {
    let permit = engine.admit(&Ask { raw_bytes: 0, known: false, client }).map_err(SubmitError::Refused)?;
    let mut writer = engine.large(permit, arrival(client))?;
    for piece in body.chunks(100_003) {
        writer.write(piece)?;
    }
    let (answer, outcome) = sync_channel(1);
    writer.finish(None, Box::new(move |outcome| drop(answer.send(outcome))));
    outcome.recv().unwrap()
}

/// `None` when the content is unknown.
pub fn offer(engine: &Engine, digest: &Blake3, client: &str) -> Option<Outcome> {
    let permit = engine.admit(&Ask { raw_bytes: 0, known: true, client }).unwrap();
    let (answer, outcome) = sync_channel(1);
    let done = Box::new(move |outcome| drop(answer.send(outcome)));
    engine.offer(permit, digest, arrival(client), done).ok()?;
    Some(outcome.recv().unwrap())
}

pub fn read(engine: &Engine, digest: &Blake3) -> Vec<u8> {
    try_read(engine, digest).unwrap()
}

pub fn try_read(engine: &Engine, digest: &Blake3) -> Result<Vec<u8>, engine::ReadError> {
    let sample = engine.sample(digest)?.expect("the sample is here");
    let mut plain = Vec::new();
    while (plain.len() as u64) < sample.raw_bytes() {
        plain.extend(sample.read(plain.len() as u64, 1 << 20)?);
    }
    Ok(plain)
}

/// Whether the catalogue lists an item, once it has come so far in the log.
pub fn listed(engine: &Engine, item: model::ItemId) -> bool {
    assert!(
        engine.catalogue().reach(item.0, std::time::Duration::from_secs(30)),
        "the catalogue does not reach {item}"
    );
    engine.catalogue().item(item).unwrap().is_some()
}
