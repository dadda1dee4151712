//! Power cuts below every system call: what was acknowledged is there after the next mount.
#![allow(clippy::print_stdout, reason = "the seed and the size of a run are worth a line")]

use engine::disk::{self, Disk, IoMode, PlainDisk};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tests::capability::Capability;
use tests::image::{FileSystem, Image};
use tests::ledger::{Depth, Findings, Ledger};
use tests::sample::mix;
use tests::victim::{Io, Victim};

/// About 70 ms each, beside opening and reading back.
const CYCLES: u64 = 20;
/// Room for the samples of one cycle.
const INDICES_OF_A_CYCLE: u64 = 1_000_000;
/// The cut comes at a random moment up to this after the first acks.
const LIFE_MS_MAX: u64 = 80;
/// Acks before a cut: enough that a store without syncs has something to lose.
const ACKS_MIN: usize = 20;
/// A control run may be lucky, but not this often.
const CONTROL_RUNS_MAX: u64 = 3;

#[test]
fn on_ext4_every_acknowledged_sample_survives_a_power_cut() {
    cut_over_and_over(FileSystem::Ext4, Io::Plain);
}

#[test]
fn on_ext4_every_acknowledged_sample_survives_a_power_cut_under_io_uring() {
    cut_over_and_over(FileSystem::Ext4, Io::Uring);
}

#[test]
fn on_xfs_every_acknowledged_sample_survives_a_power_cut() {
    cut_over_and_over(FileSystem::Xfs, Io::Plain);
}

#[test]
fn on_xfs_every_acknowledged_sample_survives_a_power_cut_under_io_uring() {
    cut_over_and_over(FileSystem::Xfs, Io::Uring);
}

#[test]
fn without_syncs_a_power_cut_loses_acknowledged_samples_so_the_tests_beside_prove_something() {
    for file_system in [FileSystem::Ext4, FileSystem::Xfs] {
        if Capability::PowerCut(file_system).is_here() {
            assert!(loses_without_syncs(file_system), "nothing was lost on {file_system:?} in {CONTROL_RUNS_MAX} runs");
        }
    }
}

fn cut_over_and_over(file_system: FileSystem, io: Io) {
    let here = Capability::PowerCut(file_system).is_here() && (io != Io::Uring || Capability::IoUring.is_here());
    if !here {
        return;
    }
    let seed = number("LAZARET_SEED").unwrap_or_else(clock);
    let cycles = number("LAZARET_CYCLES").unwrap_or(CYCLES);
    let mut image = Image::new(file_system).unwrap();
    image.mount().unwrap();
    let store = image.root().join("store");
    let mut ledger = Ledger::default();
    for cycle in 0..cycles {
        cut_once(&mut image, &store, io, &mut ledger, seed, cycle);
        let depth = if cycle + 1 == cycles { Depth::All } else { Depth::New };
        let findings = ledger
            .judge(&store, real_disk(io), depth)
            .unwrap_or_else(|error| panic!("seed {seed}, cycle {cycle}: {error}"));
        assert!(findings.are_none(), "seed {seed}, cycle {cycle}: {findings:#?}");
    }
    println!("{file_system:?} {}: {cycles} cuts, {} acknowledged samples, seed {seed}", io.name(), ledger.len());
    image.unmount().unwrap();
}

fn loses_without_syncs(file_system: FileSystem) -> bool {
    let seed = clock();
    let mut image = Image::new(file_system).unwrap();
    image.mount().unwrap();
    for run in 0..CONTROL_RUNS_MAX {
        let store = image.root().join(format!("store-{run}"));
        let mut ledger = Ledger::default();
        cut_once(&mut image, &store, Io::Unsynced, &mut ledger, seed, run);
        // A store that does not even open has lost what it acknowledged.
        let lost = match ledger.judge(&store, real_disk(Io::Plain), Depth::All) {
            Ok(Findings { lost, .. }) => !lost.is_empty(),
            Err(_) => true,
        };
        if lost {
            return true;
        }
    }
    false
}

/// A victim at work, the power gone at a random moment, the file system mounted again.
fn cut_once(image: &mut Image, store: &Path, io: Io, ledger: &mut Ledger, seed: u64, cycle: u64) {
    let chance = mix(seed ^ mix(cycle));
    let mut victim = Victim::start(Path::new(env!("CARGO_BIN_EXE_victim")), store, io, cycle * INDICES_OF_A_CYCLE);
    victim.hear(ACKS_MIN);
    victim.hear_for(Duration::from_millis(chance % LIFE_MS_MAX));
    let before = victim.said();
    image.cut_power().unwrap();
    let all = victim.bury();
    // XFS looks whether an inode is pinned after it has looked whether it is shut down (`xfs_fsync_seq`). A shutdown between
    // the two unpins it, and a sync that was under way reports success for what is lost. A machine without power reports
    // nothing, so what was said behind the cut is not held against it.
    ledger.add(if image.file_system() == FileSystem::Xfs { &before } else { &all });
    image.unmount().unwrap();
    image.mount().unwrap();
}

fn real_disk(io: Io) -> Arc<dyn Disk> {
    match io {
        Io::Plain => disk::disk(IoMode::Plain).unwrap(),
        Io::Uring => disk::disk(IoMode::Uring).unwrap(),
        Io::Unsynced => Arc::new(PlainDisk::without_syncs()),
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn clock() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as u64)
}
