//! The simulated disk fails each n-th call of each kind, once and for good, also during recovery, for every n until
//! the workload passes untouched. Whatever fails: no panic, nothing answered is lost, nothing is silently wrong.

mod support;

use engine::disk::{Call, Fault, SimulatedDisk};
use engine::{Engine, Settings, Stored};
use std::path::Path;
use std::sync::Arc;
use support::{Fixture, body, put, small, stream};

/// What clients were told, and whether the sample is still to be there.
#[derive(Default)]
struct Told {
    stored: Vec<(Stored, Vec<u8>)>,
    deleted: Vec<Stored>,
    /// A deletion that was not answered may or may not have happened.
    unsure: Vec<Stored>,
}

fn settings() -> Settings {
    Settings { segment_bytes: Some(64 << 10), max_bytes: 64 << 20, pack_threads: 1, ..small() }
}

/// Puts, duplicates, a large sample, deletions, compaction, the finish pass, a close and a second start.
fn workload(path: &Path, disk: &SimulatedDisk, told: &mut Told) {
    let open = || Engine::open(path, settings(), Arc::new(disk.clone())).ok().map(|(engine, _)| engine);
    let Some(engine) = open() else { return };
    for n in 0..10 {
        let body = body(n, 9_000 + n as usize * 1000);
        if let Ok(stored) = put(&engine, &body, "c1") {
            told.stored.push((stored, body));
        }
    }
    let again = body(3, 12_000);
    if let Ok(stored) = put(&engine, &again, "c2") {
        told.stored.push((stored, again));
    }
    let large = body(77, 1_500_000);
    if let Ok(stored) = stream(&engine, &large, "c1") {
        told.stored.push((stored, large));
    }
    let doomed: Vec<_> =
        told.stored.iter().filter(|(stored, _)| stored.item.0 % 2 == 0).map(|(stored, _)| *stored).collect();
    let ids: Vec<_> = doomed.iter().map(|stored| stored.item).collect();
    match engine.delete(&ids, "test") {
        Ok(gone) => told.deleted.extend(doomed.into_iter().filter(|stored| gone.contains(&stored.item))),
        Err(_) => told.unsure.extend(doomed),
    }
    told.stored.retain(|(stored, _)| !told.deleted.contains(stored) && !told.unsure.contains(stored));
    for n in 20..24 {
        let body = body(n, 30_000);
        if let Ok(stored) = put(&engine, &body, "c3") {
            told.stored.push((stored, body));
        }
    }
    engine.tidy();
    engine.close();
    drop(engine);
    // A second start meets the same fault when it is for good, and recovery itself meets it when it comes late.
    if let Some(engine) = open() {
        let body = body(30, 5_000);
        if let Ok(stored) = put(&engine, &body, "c4") {
            told.stored.push((stored, body));
        }
    }
}

/// Everything told is true on this disk.
fn check(path: &Path, disk: SimulatedDisk, told: &Told, what: &str) {
    disk.plan(None);
    let (engine, recovery) =
        Engine::open(path, settings(), Arc::new(disk)).unwrap_or_else(|error| panic!("{what}: does not open: {error}"));
    assert!(recovery.damage.is_empty(), "{what}: {:?}", recovery.damage);
    for (stored, body) in &told.stored {
        assert!(support::listed(&engine, stored.item), "{what}: item {} was answered and is not listed", stored.item);
        assert!(engine.knows(&stored.blake3), "{what}: the content of item {} is gone", stored.item);
        let plain = support::try_read(&engine, &stored.blake3).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert!(plain == *body, "{what}: item {} reads back other bytes", stored.item);
    }
    let next = put(&engine, format!("after {what}").as_bytes(), "c9").unwrap_or_else(|error| panic!("{what}: {error}"));
    assert!(told.stored.iter().all(|(stored, _)| stored.item < next.item), "{what}: an id repeats");
    // The catalogue has the whole log once it has the newest item, and so all deletions.
    assert!(support::listed(&engine, next.item), "{what}");
    for stored in &told.deleted {
        assert!(!support::listed(&engine, stored.item), "{what}: item {} was deleted and is listed", stored.item);
    }
    engine.close();
}

/// Runs the workload with the n-th call of a kind failing, for every n until the fault is not met.
fn every_nth(call: Call) {
    for for_good in [false, true] {
        for nth in 1.. {
            let fixture = Fixture::new();
            let disk = SimulatedDisk::new();
            disk.plan(Some(Fault { call, nth, for_good }));
            let mut told = Told::default();
            workload(fixture.path(), &disk, &mut told);
            let hit = disk.fault_hit();
            let what = format!("{call:?} {nth} {}", if for_good { "for good" } else { "once" });
            // As another process finds it, and as it is after a power cut with some undurable sectors kept.
            let copy = fixture.copy();
            let found = disk.killed().relocated(fixture.path(), copy.path());
            check(copy.path(), found, &told, &format!("{what}, killed"));
            // A read that fails leaves nothing behind that a power cut could take.
            let cuts = if call == Call::Read { 1..1 } else { 1..4 };
            for seed in cuts {
                let copy = fixture.copy();
                let found = disk.power_cut(seed).relocated(fixture.path(), copy.path());
                check(copy.path(), found, &told, &format!("{what}, power cut {seed}"));
            }
            if !hit {
                assert!(nth > 1, "{call:?} never happens, so its failing proves nothing");
                break;
            }
        }
    }
}

macro_rules! faults {
    ($($name:ident: $call:expr;)*) => {
        $(#[test]
        fn $name() {
            every_nth($call);
        })*
    };
}

faults! {
    a_failing_write_loses_nothing_that_was_answered: Call::Write;
    a_short_write_loses_nothing_that_was_answered: Call::ShortWrite;
    a_failing_sync_loses_nothing_that_was_answered: Call::Sync;
    a_full_disk_loses_nothing_that_was_answered: Call::Allocate;
    a_failing_open_loses_nothing_that_was_answered: Call::Open;
    a_failing_rename_loses_nothing_that_was_answered: Call::Rename;
    a_failing_unlink_loses_nothing_that_was_answered: Call::Unlink;
    a_failing_directory_sync_loses_nothing_that_was_answered: Call::SyncDir;
    a_failing_seal_loses_nothing_that_was_answered: Call::Finish;
    a_failing_read_loses_nothing_that_was_answered: Call::Read;
}

#[test]
fn a_power_cut_without_syncs_would_lose_data() {
    // The control: the same simulation does lose what was never synced, so the tests above prove something.
    use engine::disk::Disk;
    let disk = SimulatedDisk::new();
    let path = Path::new("/store/file");
    let mut lane = disk.create_lane(path).unwrap();
    lane.prepare(0, 4096).unwrap();
    let lost =
        (1..50).filter(|seed| disk.power_cut(*seed).content(path).is_none_or(|content| content.is_empty())).count();
    assert!(lost > 5 && lost < 49, "{lost}");
}
