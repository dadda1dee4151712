//! What another scanner, or a curious person, finds in a data directory: no sample, nothing that runs.

use engine::disk::{IoMode, disk};
use engine::{Ask, Engine, Settings, Submission};
use model::Arrival;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tests::capability::scratch;

/// The test file of the European Institute for Computer Antivirus Research, in two halves so that no
/// scanner takes this source for it.
const EICAR: [&str; 2] = ["X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-", "ANTIVIRUS-TEST-FILE!$H+H*"];

#[test]
fn no_byte_run_of_a_sample_and_nothing_executable_lies_in_the_data_directory() {
    let folder = tempfile::tempdir_in(scratch()).unwrap();
    let store = folder.path().join("store");
    let eicar = EICAR.concat().into_bytes();
    // Alone, and inside samples too small, too even and too large to be stored in one way.
    let script = [b"#!/bin/sh\n".as_slice(), &eicar].concat();
    let padded = [vec![0; 70_000], eicar.clone(), vec![7; 70_000]].concat();
    let large = [noise(3_000_000), eicar.clone()].concat();
    let settings = Settings { large_bytes_min: 1 << 20, segment_bytes: Some(4 << 20), ..Settings::default() };
    let (engine, _) = Engine::open(&store, settings, disk(IoMode::Plain).unwrap()).unwrap();
    for sample in [&eicar, &script, &padded, &large] {
        put(&engine, sample);
    }
    assert_clean(&store);
    engine.close();
    assert_clean(&store);
}

fn assert_clean(store: &Path) {
    let needle = &EICAR[0].as_bytes()[20..];
    let files = files(store);
    assert!(files.len() >= 3, "a store has a key, a segment and a catalogue: {files:?}");
    for path in files {
        let bytes = fs::read(&path).unwrap();
        assert!(!bytes.windows(needle.len()).any(|run| run == needle), "{} holds EICAR's text", path.display());
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o111, 0, "{} is executable: {mode:o}", path.display());
    }
    let mode = fs::metadata(store).unwrap().permissions().mode();
    assert_eq!(mode & 0o077, 0, "the data directory is open to others: {mode:o}");
}

fn put(engine: &Engine, sample: &[u8]) {
    let permit = engine.admit(&Ask { raw_bytes: sample.len() as u64, known: false, client: "desk" }).unwrap();
    let arrival = Arrival { client: "desk".to_owned(), name: "eicar.com".to_owned(), ..Arrival::default() };
    if sample.len() > 1 << 20 {
        let mut writer = engine.large(permit, arrival).unwrap();
        writer.write(sample).unwrap();
        let (answer, outcome) = std::sync::mpsc::channel();
        writer.finish(None, Box::new(move |outcome| drop(answer.send(outcome))));
        outcome.recv().unwrap().unwrap();
        return;
    }
    let mut body = engine.buffer(sample.len());
    body.extend_from_slice(sample);
    engine.put(Submission { permit, body, arrival, expected: None }).unwrap();
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

/// Bytes that do not compress.
fn noise(count: usize) -> Vec<u8> {
    (0..count as u64).map(|at| tests::sample::mix(at) as u8).collect()
}
