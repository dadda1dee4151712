//! Kill -9 under load: no acknowledged sample lost, none wrong, none half there, none twice.
#![allow(clippy::print_stdout, reason = "the seed and the size of a run are worth a line")]

use engine::disk::{self, IoMode};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tests::capability::{Capability, scratch};
use tests::ledger::{Depth, Ledger};
use tests::sample::mix;
use tests::victim::{Io, Victim};

/// The issue asks for 200 in CI, both implementations of the seam together.
const CYCLES: u64 = 120;
/// A store grows over this many cycles, then a new one begins.
const CYCLES_OF_A_STORE: u64 = 20;
/// Room for the samples of one cycle: a victim stores some ten thousand a second at most.
const INDICES_OF_A_CYCLE: u64 = 1_000_000;
/// The kill comes at a random moment up to this, so that it also meets opening and recovery.
const LIFE_MS_MAX: u64 = 60;

#[test]
fn no_acknowledged_sample_is_lost_wrong_or_twice_when_the_process_is_killed() {
    kill_over_and_over(Io::Plain, IoMode::Plain);
}

#[test]
fn the_same_holds_when_writes_go_through_io_uring() {
    if Capability::IoUring.is_here() {
        kill_over_and_over(Io::Uring, IoMode::Uring);
    }
}

fn kill_over_and_over(io: Io, mode: IoMode) {
    let seed = number("LAZARET_SEED").unwrap_or_else(clock);
    let cycles = number("LAZARET_CYCLES").unwrap_or(CYCLES);
    let mut acked = 0;
    let mut done = 0;
    while done < cycles {
        let folder = tempfile::tempdir_in(scratch()).unwrap();
        let ends = (done + CYCLES_OF_A_STORE).min(cycles);
        acked += kill_one_store(folder.path(), io, mode, seed, done..ends);
        done = ends;
    }
    println!("{}: {cycles} kills, {acked} acknowledged samples, seed {seed}", io.name());
    assert!(acked as u64 > cycles, "{acked} samples acknowledged in {cycles} cycles prove nothing");
}

fn kill_one_store(store: &Path, io: Io, mode: IoMode, seed: u64, cycles: std::ops::Range<u64>) -> usize {
    let mut ledger = Ledger::default();
    for cycle in cycles.clone() {
        let chance = mix(seed ^ mix(cycle));
        let mut victim = Victim::start(Path::new(env!("CARGO_BIN_EXE_victim")), store, io, cycle * INDICES_OF_A_CYCLE);
        // Every fourth is killed at any moment, also while it opens; the others once they are at work.
        if !chance.is_multiple_of(4) {
            victim.hear(1);
        }
        victim.hear_for(Duration::from_millis(chance / 4 % LIFE_MS_MAX));
        ledger.add(&victim.kill());
        let last = cycle + 1 == cycles.end;
        // Some stores are killed again before anybody looked: a recovery of a recovery.
        if last || !(chance / 1024).is_multiple_of(3) {
            let depth = if last { Depth::All } else { Depth::New };
            let disk = disk::disk(mode).unwrap();
            let findings =
                ledger.judge(store, disk, depth).unwrap_or_else(|error| panic!("seed {seed}, cycle {cycle}: {error}"));
            assert!(findings.are_none(), "seed {seed}, cycle {cycle}: {findings:#?}");
        }
    }
    ledger.len()
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn clock() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as u64)
}
