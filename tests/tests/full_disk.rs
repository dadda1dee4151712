//! A disk that others have filled to the last byte: arrivals are refused and nothing is lost, deleting works and gives
//! room back, and the store goes on.

use engine::disk::{self, IoMode};
use engine::{Ask, Engine, FullReason, Refusal, Settings, Submission, SubmitError};
use model::{Arrival, Blake3, ItemId};
use std::fs::File;
use std::io::Write;
use std::path::Path;
use tests::capability::Capability;
use tests::image::{FileSystem, Image};

fn open(data: &Path) -> Engine {
    let settings = Settings { segment_bytes: Some(4 << 20), finish: false, scrub: false, ..Settings::default() };
    let (engine, recovery) = Engine::open(data, settings, disk::disk(IoMode::Plain).unwrap()).unwrap();
    assert!(recovery.damage.is_empty(), "{:?}", recovery.damage);
    engine
}

fn body(seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    let next = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 24) as u8
    };
    (0..100_000).map(next).collect()
}

fn put(engine: &Engine, seed: u64) -> Result<(ItemId, Blake3), SubmitError> {
    let body = body(seed);
    let permit = engine.admit(&Ask { raw_bytes: body.len() as u64, known: false, client: "c" })?;
    let arrival = Arrival { client: "c".to_owned(), ..Arrival::default() };
    let stored = engine.put(Submission { permit, body: body.into(), arrival, expected: None })?;
    Ok((stored.item, stored.blake3))
}

/// Room for the store, so that filling it takes a few hundred samples.
const ROOM_BYTES: u64 = 40 << 20;

/// Takes the file system's space but for `leave` bytes.
fn fill(path: &Path, leave: u64) {
    let disk = disk::disk(IoMode::Plain).unwrap();
    let mut file = File::create_new(path).unwrap();
    let mut piece = vec![1; 1 << 20];
    while !piece.is_empty() && disk.free_bytes(path.parent().unwrap()).unwrap() > leave {
        // Not every free byte can be had, so smaller and smaller pieces are tried.
        if file.write_all(&piece).is_err() {
            piece.truncate(piece.len() / 2);
        }
    }
    let _ = file.sync_all();
}

#[test]
fn deleting_works_on_a_disk_that_is_full_to_the_last_byte() {
    if !Capability::PowerCut(FileSystem::Ext4).is_here() {
        return;
    }
    let mut image = Image::new(FileSystem::Ext4).unwrap();
    image.mount().unwrap();
    fill(&image.root().join("ballast"), ROOM_BYTES);
    let data = image.root().join("data");
    let engine = open(&data);
    let mut stored = Vec::new();
    let refused = loop {
        match put(&engine, stored.len() as u64 + 1) {
            Ok(one) => stored.push(one),
            Err(error) => break error,
        }
    };
    assert!(
        matches!(refused, SubmitError::Refused(Refusal::Full { what: FullReason::Disk, .. })),
        "a full disk is an answer, not a failure: {refused}"
    );
    let junk = image.root().join("junk");
    fill(&junk, 0);
    let again = put(&engine, 1 << 40).unwrap_err();
    assert!(matches!(again, SubmitError::Refused(Refusal::Full { .. })), "{again}");

    let half: Vec<_> = stored.drain(..stored.len() / 2).map(|(item, _)| item).collect();
    let used = engine.quota().used_bytes;
    assert_eq!(engine.delete(&half, "test").unwrap(), half);
    engine.tidy();
    assert!(engine.quota().used_bytes < used * 3 / 4, "{} of {used}", engine.quota().used_bytes);
    for (seed, (_, digest)) in stored.iter().enumerate() {
        let sample = engine.sample(digest).unwrap().unwrap();
        assert!(sample.read(0, 200_000).unwrap() == body((half.len() + seed) as u64 + 1));
    }
    std::fs::remove_file(&junk).unwrap();
    engine.close();
    drop(engine);
    let engine = open(&data);
    put(&engine, 1 << 41).unwrap();
    assert_eq!(engine.quota().items, stored.len() as u64 + 1);
    engine.close();
    drop(engine);
    image.unmount().unwrap();
}
