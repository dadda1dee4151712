//! The finish pass on large samples: a smaller file takes the place of the first, and no moment is without one of them.

mod support;

use engine::disk::{Call, Fault, SimulatedDisk};
use engine::{Engine, Settings, Stored};
use std::path::PathBuf;
use std::sync::Arc;
use support::{Fixture, body, put, read, small, stream};

fn settings() -> Settings {
    Settings { large_bytes_min: 256 << 10, ..small() }
}

/// Counted lines: level 3 makes less than half of what level 1 does.
fn content() -> Vec<u8> {
    (1..200_000_u32).flat_map(|number| format!("{number}\n").into_bytes()).collect()
}

/// A store with one large sample in a sealed segment, and newer records behind it.
fn filled(fixture: &Fixture, disk: &SimulatedDisk, content: &[u8]) -> (Engine, Stored) {
    let engine = Engine::open(fixture.path(), settings(), Arc::new(disk.clone())).unwrap().0;
    let stored = stream(&engine, content, "c").unwrap();
    let mut last = stored;
    for n in 0..24 {
        last = put(&engine, &body(n, 30_000), "c").unwrap();
    }
    assert!(support::listed(&engine, last.item));
    (engine, stored)
}

fn large_files(disk: &SimulatedDisk) -> Vec<PathBuf> {
    disk.paths().into_iter().filter(|path| path.to_string_lossy().ends_with(".large")).collect()
}

fn stored_bytes(engine: &Engine, stored: &Stored) -> u64 {
    engine.sample(&stored.blake3).unwrap().unwrap().stored_bytes()
}

#[test]
fn a_large_sample_gets_a_smaller_file_and_the_first_goes() {
    let (fixture, disk, content) = (Fixture::new(), SimulatedDisk::new(), content());
    let (engine, stored) = filled(&fixture, &disk, &content);
    let (first, before) = (large_files(&disk), stored_bytes(&engine, &stored));
    let open_for_reading = engine.sample(&stored.blake3).unwrap().unwrap();
    let used = engine.quota().used_bytes;
    engine.tidy();
    let second = large_files(&disk);
    assert_eq!(second.len(), 1);
    assert_ne!(first, second);
    assert!(stored_bytes(&engine, &stored) < before, "{} is not below {before}", stored_bytes(&engine, &stored));
    assert!(engine.quota().used_bytes < used, "the quota counts what is there");
    assert_eq!(engine.quota().reserved_bytes, 0);
    assert_eq!(open_for_reading.read(0, 1000).unwrap(), content[..1000], "who was reading reads on");
    assert!(read(&engine, &stored.blake3) == content);
    engine.tidy();
    assert_eq!(large_files(&disk), second, "it is done once");
    let used = engine.quota().used_bytes;
    engine.close();
    drop(engine);
    let (engine, recovery) = Engine::open(fixture.path(), settings(), Arc::new(disk.clone())).unwrap();
    assert_eq!(recovery.damage, []);
    assert!(read(&engine, &stored.blake3) == content);
    assert!(engine.quota().used_bytes.abs_diff(used) <= 64 << 10, "{} is not {used}", engine.quota().used_bytes);
    engine.delete(&[stored.item], "admin").unwrap();
    engine.tidy();
    assert_eq!(large_files(&disk), Vec::<PathBuf>::new());
}

#[test]
fn what_does_not_get_smaller_keeps_its_file_and_is_not_tried_again() {
    let (fixture, disk) = (Fixture::new(), SimulatedDisk::new());
    let mut state = 1_u64;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    })
    .take(700_000)
    .collect();
    let (engine, stored) = filled(&fixture, &disk, &noise);
    let first = large_files(&disk);
    engine.tidy();
    assert_eq!(large_files(&disk), first);
    let packed = engine.counters().packed.iter().map(|count| count.read()).sum::<u64>();
    engine.tidy();
    assert_eq!(engine.counters().packed.iter().map(|count| count.read()).sum::<u64>(), packed);
    assert!(read(&engine, &stored.blake3) == noise);
}

#[test]
fn a_full_store_leaves_a_large_sample_as_it_is() {
    let (fixture, disk, content) = (Fixture::new(), SimulatedDisk::new(), content());
    let (engine, stored) = filled(&fixture, &disk, &content);
    let first = large_files(&disk);
    let quota = engine.quota();
    engine.change_limits(quota.used_bytes + (64 << 10), quota.max_samples, 80, 90);
    engine.tidy();
    assert_eq!(large_files(&disk), first);
    assert!(read(&engine, &stored.blake3) == content);
}

/// Reads are left to `faults.rs`: here each would be a run of its own for every block.
const CALLS: [Call; 9] = [
    Call::Write,
    Call::ShortWrite,
    Call::Sync,
    Call::Allocate,
    Call::Open,
    Call::Rename,
    Call::Unlink,
    Call::SyncDir,
    Call::Finish,
];

#[test]
fn a_disk_that_fails_at_any_call_of_the_pass_costs_nothing_now_nor_after_a_kill() {
    let content = content();
    for call in CALLS {
        for nth in 1.. {
            let (fixture, disk) = (Fixture::new(), SimulatedDisk::new());
            let (engine, stored) = filled(&fixture, &disk, &content);
            let first = large_files(&disk);
            disk.plan(Some(Fault { call, nth, for_good: nth % 2 == 0 }));
            engine.tidy();
            let hit = disk.fault_hit();
            assert!(hit || large_files(&disk) != first, "{call:?} {nth}: untouched, the pass does its work");
            let after = if nth % 3 == 0 { disk.power_cut(nth) } else { disk.killed() };
            disk.plan(None);
            after.plan(None);
            assert!(read(&engine, &stored.blake3) == content, "{call:?} {nth}: while it runs");
            drop(engine);
            let (engine, recovery) = Engine::open(fixture.path(), settings(), Arc::new(after.clone())).unwrap();
            assert_eq!(recovery.damage, [], "{call:?} {nth}");
            assert!(read(&engine, &stored.blake3) == content, "{call:?} {nth}: after a restart");
            assert_eq!(large_files(&after).len(), 1, "{call:?} {nth}: no file is left over");
            engine.tidy();
            assert!(read(&engine, &stored.blake3) == content, "{call:?} {nth}: after the pass again");
            if !hit {
                break;
            }
        }
    }
}
