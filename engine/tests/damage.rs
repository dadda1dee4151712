//! Damage at rest: a bit flipped anywhere in a segment is found and named, and its neighbours stay as they were.

mod support;

use engine::disk::SimulatedDisk;
use engine::{Engine, Settings, Stored};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use support::{Fixture, body, put, small};

fn settings() -> Settings {
    Settings { segment_bytes: Some(1 << 20), ..small() }
}

struct Store {
    fixture: Fixture,
    disk: SimulatedDisk,
    told: Vec<(Stored, Vec<u8>)>,
}

impl Store {
    /// Three batches or more in one segment; closed, so that it is sealed, or as a kill leaves it.
    fn new(closed: bool) -> Self {
        let fixture = Fixture::new();
        let disk = SimulatedDisk::new();
        let (engine, _) = Engine::open(fixture.path(), settings(), Arc::new(disk.clone())).unwrap();
        let put = |n: u64| {
            let body = body(n, 60 + n as usize * 40);
            (put(&engine, &body, "c1").unwrap(), body)
        };
        let told: Vec<_> = (0..6).map(put).collect();
        assert!(support::listed(&engine, told[5].0.item));
        let disk = if closed {
            engine.close();
            drop(engine);
            disk
        } else {
            disk.killed()
        };
        Self { fixture, disk, told }
    }

    fn segment(&self) -> PathBuf {
        let paths = self.disk.paths();
        paths.into_iter().find(|path| path.extension().is_some_and(|ending| ending == "seg")).unwrap()
    }

    fn flipped(&self, segment: &Path, bit: usize) -> SimulatedDisk {
        let disk = self.disk.killed();
        disk.damage(segment, |bytes| bytes[bit / 8] ^= 1 << (bit % 8));
        disk
    }

    /// How many of the samples read back right, and how many are named as damaged or missing. A wrong byte fails.
    fn read_all(&self, engine: &Engine) -> (usize, usize) {
        let mut right = 0;
        let mut named = 0;
        for (stored, body) in &self.told {
            match engine.sample(&stored.blake3) {
                Ok(Some(_)) => match support::try_read(engine, &stored.blake3) {
                    Ok(plain) => {
                        assert!(plain == *body, "item {} reads back other bytes without a word", stored.item);
                        right += 1;
                    }
                    Err(_) => named += 1,
                },
                Ok(None) | Err(_) => named += 1,
            }
        }
        (right, named)
    }
}

/// Every byte that carries something, and of the zeroes between every 64th; each with another of its bits flipped.
fn bits(bytes: &[u8]) -> impl Iterator<Item = usize> {
    let carrying = bytes.iter().enumerate().filter(|(at, byte)| **byte != 0 || at % 64 == 1);
    carrying.map(|(at, _)| at * 8 + (at * 5 + 3) % 8)
}

#[test]
fn a_flipped_bit_in_a_sealed_segment_is_named_and_its_neighbours_stay() {
    let store = Store::new(true);
    let segment = store.segment();
    let whole = store.disk.content(&segment).unwrap();
    let (mut silent, mut found) = (0, 0);
    for bit in bits(&whole) {
        let disk = store.flipped(&segment, bit);
        let report = engine::verify(store.fixture.path(), Arc::new(disk.clone()), &mut |_| {}).unwrap();
        let (engine, _) = Engine::open(store.fixture.path(), settings(), Arc::new(disk)).unwrap();
        let (right, named) = store.read_all(&engine);
        assert!(right >= store.told.len() - 1, "byte {}: {right} of {} still read", bit / 8, store.told.len());
        assert!(named == 0 || !report.damage.is_empty(), "byte {}: a sample is damaged and verify is silent", bit / 8);
        if report.damage.is_empty() {
            silent += 1
        } else {
            found += 1
        }
        drop(engine);
    }
    // What is silent must be what carries nothing: padding, and copies that the start makes anew (footer, batch heads).
    let carrying: u64 = store.told.iter().map(|(stored, _)| stored.stored.0).sum();
    assert!(found as u64 >= carrying / 2, "{found} flips found, {silent} silent, {carrying} bytes of records");
}

#[test]
fn a_flipped_bit_in_a_segment_that_a_crash_left_open_never_costs_an_answered_neighbour() {
    let store = Store::new(false);
    let segment = store.segment();
    let whole = store.disk.content(&segment).unwrap();
    // Each of these batches is one page, and its trailer ends it.
    let last_batch = whole.iter().rposition(|byte| *byte != 0).unwrap() / 4096 * 4096;
    // The last batch is claimed by no other, but the catalogue has seen its item.
    let mut refused = 0;
    for bit in bits(&whole) {
        let disk = store.flipped(&segment, bit);
        let copy = store.fixture.copy();
        let disk = disk.relocated(store.fixture.path(), copy.path());
        match Engine::open(copy.path(), settings(), Arc::new(disk)) {
            Ok((engine, recovery)) => {
                let (right, named) = store.read_all(&engine);
                assert!(right >= store.told.len() - 1, "byte {}: only {right} read", bit / 8);
                let told = !recovery.damage.is_empty() || recovery.torn_bytes > 0;
                assert!(named == 0 || told, "byte {}: a sample is gone without a word", bit / 8);
            }
            // Only where the head of the newest item's record is gone does nothing tell that it was ever there, but for
            // the catalogue. A flip before the last batch must not cost what lies behind.
            Err(engine::OpenError::LogBehind { torn, .. }) if bit / 8 >= last_batch => {
                assert_eq!(torn.len(), 1, "byte {}: the message says what was cut", bit / 8);
                refused += 1;
            }
            Err(error) => panic!("byte {}: {error}", bit / 8),
        }
    }
    // Head, metadata and table of one record.
    assert!((1..400).contains(&refused), "{refused} flips refused a start");
}

#[test]
fn a_segment_whose_first_page_is_lost_still_gives_its_samples() {
    let store = Store::new(true);
    let segment = store.segment();
    let disk = store.disk.killed();
    disk.damage(&segment, |bytes| bytes[..4096].fill(0));
    let (engine, _) = Engine::open(store.fixture.path(), settings(), Arc::new(disk)).unwrap();
    assert_eq!(store.read_all(&engine), (store.told.len(), 0));
}

#[test]
fn a_lost_middle_is_named_and_both_sides_stay() {
    let store = Store::new(false);
    let segment = store.segment();
    let disk = store.disk.killed();
    // The second batch starts at the second page after the header.
    disk.damage(&segment, |bytes| bytes[8192..12288].fill(0));
    let (engine, recovery) = Engine::open(store.fixture.path(), settings(), Arc::new(disk)).unwrap();
    assert_eq!(recovery.damage.len(), 1, "{:?}", recovery.damage);
    assert_eq!(recovery.damage[0].range, 8192..12288);
    let (right, named) = store.read_all(&engine);
    assert_eq!((right, named), (store.told.len() - 1, 1));
}

#[test]
fn a_damaged_sample_that_comes_again_is_stored_again() {
    let store = Store::new(true);
    let segment = store.segment();
    let disk = store.disk.killed();
    let (lost, bytes) = &store.told[2];
    let whole = disk.content(&segment).unwrap();
    let head = whole.windows(32).position(|window| window == lost.blake3.0).unwrap();
    // The head's digest itself: the record no longer reads as this sample.
    disk.damage(&segment, |bytes| bytes[head] ^= 1);
    let (engine, _) = Engine::open(store.fixture.path(), settings(), Arc::new(disk)).unwrap();
    assert!(!engine.knows(&lost.blake3));
    let again = put(&engine, bytes, "c2").unwrap();
    assert!(!again.duplicate);
    assert_eq!(support::read(&engine, &lost.blake3), *bytes);
}
