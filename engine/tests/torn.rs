//! The last batch of a segment that a crash left open: torn or damaged, nothing of it is destroyed.

mod support;

use engine::disk::{Disk, SimulatedDisk};
use engine::{Engine, OpenError, Settings, Stored};
use std::path::PathBuf;
use std::sync::Arc;
use support::{Fixture, body, put, read, small, try_read};

const PAGE: usize = 4096;

fn settings() -> Settings {
    Settings { segment_bytes: Some(1 << 20), ..small() }
}

/// A killed store with four samples of one batch each; the catalogue has seen them all.
struct Store {
    fixture: Fixture,
    disk: SimulatedDisk,
    told: Vec<Stored>,
    segment: PathBuf,
    whole: Vec<u8>,
}

impl Store {
    fn new() -> Self {
        let fixture = Fixture::new();
        let disk = SimulatedDisk::new();
        let (engine, _) = Engine::open(fixture.path(), settings(), Arc::new(disk.clone())).unwrap();
        let told: Vec<_> = (0..4).map(|n| put(&engine, &body(n, 500), "c").unwrap()).collect();
        assert!(support::listed(&engine, told[3].item));
        let disk = disk.killed();
        drop(engine);
        let segment = disk.paths().into_iter().find(|path| path.to_string_lossy().ends_with(".seg")).unwrap();
        let whole = disk.content(&segment).unwrap();
        Self { fixture, disk, told, segment, whole }
    }

    /// Where the last batch starts: each takes one page.
    fn last_batch(&self) -> usize {
        self.whole.iter().rposition(|byte| *byte != 0).unwrap() / PAGE * PAGE
    }

    fn flip(&self, at: usize) {
        self.disk.damage(&self.segment, |bytes| bytes[at] ^= 16);
    }

    fn open(&self) -> Result<(Engine, engine::Recovery), OpenError> {
        Engine::open(self.fixture.path(), settings(), Arc::new(self.disk.clone()))
    }

    fn rebuild(&self) -> engine::RebuildReport {
        engine::rebuild(self.fixture.path(), Arc::new(self.disk.clone()), &mut |_| {}).unwrap()
    }
}

#[test]
fn a_flip_in_the_head_of_the_last_batch_costs_no_sample() {
    let store = Store::new();
    store.flip(store.last_batch() + 8);
    let (engine, recovery) = store.open().unwrap();
    assert_eq!((recovery.damage.len(), recovery.torn_bytes, recovery.torn.len()), (1, 0, 0));
    for (n, stored) in store.told.iter().enumerate() {
        assert_eq!(read(&engine, &stored.blake3), body(n as u64, 500));
    }
}

#[test]
fn a_flip_in_the_content_of_the_last_batch_is_named_with_its_sample_and_can_be_healed() {
    let store = Store::new();
    let digest = store.told[3].blake3;
    let at = store.whole.windows(32).rposition(|window| window == digest.0).unwrap() + 300;
    store.flip(at);
    let (engine, recovery) = store.open().unwrap();
    assert!(recovery.damage.iter().any(|damage| damage.digest == Some(digest)), "{:?}", recovery.damage);
    assert_eq!(engine.catalogue().count(&engine::catalogue::Filter::default()).unwrap(), 4, "its item is listed");
    assert!(try_read(&engine, &digest).is_err());
    assert!(!put(&engine, &body(3, 500), "c").unwrap().duplicate);
    assert_eq!(read(&engine, &digest), body(3, 500));
}

#[test]
fn a_flip_in_the_head_of_the_newest_record_refuses_with_what_was_cut_and_where_it_is_kept() {
    let store = Store::new();
    let digest = store.told[3].blake3;
    let at = store.whole.windows(32).rposition(|window| window == digest.0).unwrap();
    store.flip(at);
    let Err(error) = store.open() else { panic!("the catalogue knows an item that the log has not") };
    let text = error.to_string();
    let OpenError::LogBehind { catalogue: 4, log: 3, torn } = error else { panic!("{text}") };
    let kept = torn[0].kept.clone().unwrap();
    for part in ["up to 1 items", "lazaret rebuild", &format!("cut at {}", store.last_batch()), &kept.to_string_lossy()]
    {
        assert!(text.contains(part), "{part:?} is not in {text}");
    }
    let expected = &store.disk.content(&kept).unwrap();
    assert_eq!(expected.len() as u64, torn[0].bytes);
    assert!(
        store.whole[store.last_batch()..].windows(64).any(|window| expected.windows(64).any(|kept| kept == window))
    );
    assert_eq!(store.rebuild().items, 3, "and rebuild gives the item up");
    let (engine, _) = store.open().unwrap();
    assert!(put(&engine, &body(4, 500), "c").is_ok());
}

#[test]
fn a_torn_write_that_nobody_was_told_of_is_cut_and_kept_aside() {
    let store = Store::new();
    // Half of a fifth batch: a copy of the fourth, which names itself the fourth and is therefore none.
    let last = store.last_batch();
    store.disk.damage(&store.segment, |bytes| {
        if bytes.len() < last + 2 * PAGE {
            bytes.resize(last + 2 * PAGE, 0);
        }
        let half = bytes[last..last + 700].to_vec();
        bytes[last + PAGE..last + PAGE + 700].copy_from_slice(&half);
        // Its record is one that nobody has seen: another sequence makes its head unreadable.
        bytes[last + PAGE + 64 + 16] ^= 1;
    });
    let (engine, recovery) = store.open().unwrap();
    assert_eq!((recovery.damage.len(), recovery.torn.len()), (0, 1));
    let tail = &recovery.torn[0];
    assert_eq!((tail.offset, tail.items), ((last + PAGE) as u64, 0));
    assert!(tail.bytes > 200 && tail.bytes <= 700);
    assert_eq!(store.disk.content(tail.kept.as_ref().unwrap()).unwrap().len() as u64, tail.bytes);
    assert_eq!(read(&engine, &store.told[3].blake3), body(3, 500));
}

#[test]
fn only_the_newest_tails_are_kept() {
    let store = Store::new();
    let dir = store.segment.parent().unwrap().to_owned();
    for number in 100..112 {
        store.disk.write_small(&dir.join(format!("{number:08}-4096.torn")), b"an older tail").unwrap();
    }
    drop(store.open().unwrap());
    let mut kept: Vec<_> =
        store.disk.paths().into_iter().filter(|path| path.to_string_lossy().ends_with(".torn")).collect();
    kept.sort();
    assert_eq!(kept.len(), 8);
    assert!(kept[0].ends_with("00000104-4096.torn"), "{kept:?}");
}
