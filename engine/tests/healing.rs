//! A damaged sample that comes again is stored anew, and then serves all of its items.

mod support;

use engine::disk::{Disk, SimulatedDisk};
use engine::{Engine, Settings, Stored};
use model::Blake3;
use std::path::PathBuf;
use std::sync::Arc;
use support::{Fixture, body, offer, put, read, small, stream, try_read};

fn settings() -> Settings {
    Settings { segment_bytes: Some(1 << 20), ..small() }
}

/// A closed store with three samples, the second of which was forwarded twice.
struct Store {
    fixture: Fixture,
    disk: SimulatedDisk,
    told: Vec<Stored>,
}

const LENGTH: usize = 9000;

fn content(n: u64) -> Vec<u8> {
    body(n, LENGTH)
}

impl Store {
    fn new() -> Self {
        let fixture = Fixture::new();
        let disk = SimulatedDisk::new();
        let (engine, _) = Engine::open(fixture.path(), settings(), Arc::new(disk.clone())).unwrap();
        let mut told: Vec<_> = (0..3).map(|n| put(&engine, &content(n), "first").unwrap()).collect();
        told.push(put(&engine, &content(1), "second").unwrap());
        engine.close();
        Self { fixture, disk, told }
    }

    fn path(&self, ending: &str) -> PathBuf {
        self.disk.paths().into_iter().find(|path| path.to_string_lossy().ends_with(ending)).unwrap()
    }

    /// Flips a bit in the middle of the second sample's payload: its head still reads.
    fn damaged(self) -> Self {
        let digest = self.told[1].blake3;
        self.flipped(&digest, 128 + 2000)
    }

    fn flipped(self, digest: &Blake3, after_digest: usize) -> Self {
        let segment = self.path(".seg");
        let whole = self.disk.content(&segment).unwrap();
        let at = whole.windows(32).position(|window| window == digest.0).unwrap();
        self.disk.damage(&segment, |bytes| bytes[at + after_digest] ^= 4);
        self
    }

    fn open(&self) -> Engine {
        Engine::open(self.fixture.path(), settings(), Arc::new(self.disk.clone())).unwrap().0
    }

    fn verify(&self) -> engine::VerifyReport {
        engine::verify(self.fixture.path(), Arc::new(self.disk.clone()), &mut |_| {}).unwrap()
    }

    fn forget_the_list(&self) {
        self.disk.unlink(&self.path("damaged.list")).unwrap();
    }
}

#[test]
fn a_sample_that_a_read_found_damaged_is_asked_for_and_stored_anew() {
    let store = Store::new().damaged();
    let engine = store.open();
    let digest = store.told[1].blake3;
    assert!(engine.knows(&digest), "nobody has looked at its content yet");
    let error = try_read(&engine, &digest).unwrap_err();
    assert!(error.to_string().contains(&digest.to_string()), "{error}");
    assert!(!engine.knows(&digest));
    assert!(offer(&engine, &digest, "third").is_none(), "an offer by digest must be answered with: send the bytes");
    let again = put(&engine, &content(1), "third").unwrap();
    assert!(!again.duplicate);
    assert_eq!(engine.counters().healed.read(), 1);
    assert_eq!(read(&engine, &digest), content(1), "all items of the sample have their content again");
    assert!(offer(&engine, &digest, "fourth").unwrap().unwrap().duplicate);
    assert!(put(&engine, &content(1), "fifth").unwrap().duplicate);
    assert_eq!(engine.counters().healed.read(), 1, "it is stored anew once");
}

#[test]
fn what_is_damaged_and_has_no_other_copy_is_still_read_as_far_as_it_goes() {
    let store = Store::new().damaged();
    let engine = store.open();
    let digest = store.told[1].blake3;
    for _ in 0..2 {
        assert!(try_read(&engine, &digest).unwrap_err().to_string().contains("damaged"));
    }
}

#[test]
fn damage_that_verify_found_is_healed_by_the_next_arrival_after_it() {
    let store = Store::new().damaged();
    assert_eq!(store.verify().damage.len(), 1);
    let engine = store.open();
    assert!(!put(&engine, &content(1), "third").unwrap().duplicate);
    assert!(put(&engine, &content(0), "third").unwrap().duplicate, "its neighbours are as before");
    engine.close();
    drop(engine);
    let report = store.verify();
    assert_eq!(report.damage, [], "every item has its content");
    assert_eq!(report.healed.len(), 1);
    assert_eq!(report.items, 6);
}

#[test]
fn the_good_copy_wins_after_a_restart_that_remembers_nothing() {
    for cut_off in [true, false] {
        let mut store = Store::new().damaged();
        let digest = store.told[1].blake3;
        let engine = store.open();
        assert!(try_read(&engine, &digest).is_err());
        put(&engine, &content(1), "third").unwrap();
        engine.close();
        store.forget_the_list();
        if cut_off {
            store.disk = store.disk.killed();
        }
        drop(engine);
        let engine = store.open();
        assert_eq!(read(&engine, &digest), content(1));
        assert!(put(&engine, &content(1), "fourth").unwrap().duplicate);
        engine.close();
        drop(engine);
        engine::rebuild(store.fixture.path(), Arc::new(store.disk.clone()), &mut |_| {}).unwrap();
        assert_eq!(read(&store.open(), &digest), content(1), "and after a rebuild");
    }
}

#[test]
fn a_sample_whose_head_is_lost_is_healed_and_no_longer_named() {
    let store = Store::new();
    let digest = store.told[1].blake3;
    let store = store.flipped(&digest, 0);
    assert!(!store.verify().damage.is_empty());
    let engine = store.open();
    assert!(!put(&engine, &content(1), "third").unwrap().duplicate);
    assert_eq!(engine.counters().healed.read(), 1);
    engine.close();
    drop(engine);
    assert_eq!(store.verify().damage, []);
}

#[test]
fn the_new_copy_stays_as_long_as_an_item_of_the_old_one_does() {
    let store = Store::new().damaged();
    let engine = store.open();
    let digest = store.told[1].blake3;
    assert!(try_read(&engine, &digest).is_err());
    let again = put(&engine, &content(1), "third").unwrap();
    engine.delete(&[again.item], "admin").unwrap();
    engine.tidy();
    assert_eq!(read(&engine, &digest), content(1), "two items of the damaged copy rely on it");
    engine.delete(&[store.told[1].item], "admin").unwrap();
    engine.tidy();
    assert_eq!(read(&engine, &digest), content(1), "one item of the damaged copy relies on it");
    engine.delete(&[store.told[3].item], "admin").unwrap();
    engine.tidy();
    assert!(!engine.knows(&digest));
    assert!(engine.sample(&digest).unwrap().is_none(), "both copies are gone");
    assert_eq!(engine.quota().used_samples, 2);
    engine.close();
    drop(engine);
    assert_eq!(store.verify().damage, [], "and what is dropped is no damage");
}

#[test]
fn a_large_sample_is_healed_too_and_its_damage_bears_its_name() {
    let fixture = Fixture::new();
    let disk = SimulatedDisk::new();
    let open = || Engine::open(fixture.path(), settings(), Arc::new(disk.clone())).unwrap().0;
    let engine = open();
    let bytes = body(9, 3 << 20);
    let first = stream(&engine, &bytes, "first").unwrap();
    engine.close();
    drop(engine);
    let file = disk.paths().into_iter().find(|path| path.to_string_lossy().ends_with(".large")).unwrap();
    disk.damage(&file, |bytes| bytes[1 << 20] ^= 1);
    let engine = open();
    let error = try_read(&engine, &first.blake3).unwrap_err().to_string();
    assert!(error.contains(&first.blake3.to_string()), "{error}");
    let again = stream(&engine, &bytes, "second").unwrap();
    assert!(!again.duplicate);
    assert!(read(&engine, &first.blake3) == bytes);
}
