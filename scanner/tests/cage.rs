//! The cage with real worker processes.
#![cfg(target_os = "linux")]

use std::io::Write;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use scanner::cage::{Fault, Pool, Settings};
use scanner::file::{Flow, Limit, Limits, TroubleKind};

fn settings() -> Settings {
    Settings { workers_max: 2, ..Settings::new(PathBuf::from(env!("CARGO_BIN_EXE_cage-worker")), Vec::new()) }
}

fn signal(id: u32, name: &str) {
    let sent = Command::new("kill").args([name, &id.to_string()]).status().expect("kill is everywhere");
    assert!(sent.success(), "{name} to {id}");
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(bytes).expect("a vector takes all");
    packed.finish().expect("a vector takes all")
}

/// Seconds of work for a worker: four levels of compressed zeroes.
fn heavy() -> Vec<u8> {
    gzip(&vec![0; 100 << 20])
}

#[test]
fn a_sample_comes_back_as_without_a_cage() {
    let pool = Pool::start(settings()).expect("starts");
    let sample = gzip(b"<html>Hello <b>World</b></html>");
    let mut caged = Vec::new();
    let outcome = pool.walk(&sample, &Limits::default(), &mut |member| {
        caged.push((member.path.to_vec(), member.form, member.kind, member.targets, member.bytes.to_vec()));
        Flow::On
    });
    let mut streamed = Vec::new();
    let again = pool.walk_wholly(&sample, &Limits::default(), &mut |member| {
        streamed.push((member.path.to_vec(), member.form, member.kind, member.targets, member.bytes.to_vec()));
    });
    assert_eq!(again.expect("answered"), *outcome.as_ref().expect("answered"));
    assert_eq!(streamed, caged);
    let mut free = Vec::new();
    let plain = scanner::file::walk(&sample, &Limits::default(), &|| false, &mut |member| {
        free.push((member.path.to_vec(), member.form, member.kind, member.targets, member.bytes.to_vec()));
        Flow::On
    });
    assert_eq!(outcome.expect("answered"), plain);
    assert_eq!(caged, free);
    assert!(caged.len() >= 4, "{caged:?}");
}

#[test]
fn every_guard_that_this_kernel_offers_holds() {
    let pool = Pool::start(settings()).expect("starts");
    let confinement = pool.confinement().expect("a worker has said it");
    assert!(confinement.limits.holds() && confinement.calls.holds(), "{confinement:?}");
    let refused = Pool::start(Settings { unguarded: scanner::cage::Unguarded::Refuse, ..settings() });
    match refused {
        Ok(_) => assert!(confinement.missing().is_empty(), "{confinement:?}"),
        Err(Fault::Unconfined { missing }) => assert_eq!(missing, confinement.missing()),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn a_worker_killed_again_and_again_never_hurts_its_caller() {
    const KILLS: usize = 100;
    let pool = Pool::start(Settings { workers_max: 1, ..settings() }).expect("starts");
    let sample = gzip(&gzip(b"what is inside of both"));
    for n in 0..KILLS {
        // Killed while it waits for the answer to the first buffer: in the middle of its sample.
        let fault = pool.walk(&sample, &Limits::default(), &mut |member| {
            if member.depth == 0 {
                signal(pool.worker_ids()[0], "-KILL");
            }
            Flow::On
        });
        assert!(matches!(fault, Err(Fault::Died { .. })), "{n}: {fault:?}");
        let mut last = Vec::new();
        let outcome = pool.walk(&sample, &Limits::default(), &mut |member| {
            last = member.bytes.to_vec();
            Flow::On
        });
        assert!(outcome.expect("a new worker answers").complete());
        assert_eq!(last, b"what is inside of both");
    }
    let counts = pool.counts();
    assert_eq!((counts.died, counts.answered), (KILLS as u64, KILLS as u64));
}

#[test]
fn a_worker_that_died_while_idle_costs_no_sample() {
    let pool = Pool::start(Settings { workers_max: 1, ..settings() }).expect("starts");
    signal(pool.worker_ids()[0], "-KILL");
    // The signal is delivered before `kill` returns; the process may still be on its way out, and that is the
    // one case in which this sample is told that its worker died.
    match pool.walk(b"plain text", &Limits::default(), &mut |_| Flow::On) {
        Ok(outcome) => assert!(outcome.complete()),
        Err(Fault::Died { .. }) => {}
        Err(other) => panic!("{other}"),
    }
    assert!(pool.walk(b"plain text", &Limits::default(), &mut |_| Flow::On).is_ok());
}

#[test]
fn a_worker_that_stands_still_is_killed_in_time() {
    let pool = Pool::start(Settings { workers_max: 1, ..settings() }).expect("starts");
    let limits = Limits { time_ms_max: 200, ..Limits::default() };
    let fault = pool.walk(&gzip(b"inside"), &limits, &mut |member| {
        if member.depth == 0 {
            signal(pool.worker_ids()[0], "-STOP");
        }
        Flow::On
    });
    assert!(matches!(fault, Err(Fault::Overtime { ms: 200 })), "{fault:?}");
    assert!(pool.walk(&gzip(b"inside"), &limits, &mut |_| Flow::On).is_ok());
}

#[test]
fn a_worker_out_of_memory_dies_alone() {
    let small = Settings { memory_bytes_max: 64 << 20, workers_max: 1, ..settings() };
    let pool = Pool::start(small).expect("starts");
    let fault = pool.walk(&heavy(), &Limits::default(), &mut |_| Flow::On);
    assert!(matches!(fault, Err(Fault::Died { .. })), "{fault:?}");
    assert!(pool.walk(&gzip(b"small"), &Limits::default(), &mut |_| Flow::On).expect("answered").complete());
}

#[test]
fn time_up_is_said_by_the_worker_itself() {
    let pool = Pool::start(settings()).expect("starts");
    let limits = Limits { time_ms_max: 0, ..Limits::default() };
    let outcome = pool.walk(&gzip(b"inside"), &limits, &mut |_| Flow::On).expect("answered within the grace");
    assert_eq!(outcome.limits(), [Limit::Time]);
    assert_eq!(outcome.troubles[0].kind, TroubleKind::Limit(Limit::Time));
}

#[test]
fn a_caller_that_stops_gets_no_further_buffer() {
    let pool = Pool::start(settings()).expect("starts");
    let mut seen = 0;
    let outcome = pool.walk(&gzip(b"inside"), &Limits::default(), &mut |_| {
        seen += 1;
        Flow::Stop
    });
    assert!(outcome.expect("answered").stopped);
    assert_eq!(seen, 1);
}

#[test]
fn two_callers_share_the_workers_and_keep_their_samples() {
    let pool = Pool::start(settings()).expect("starts");
    let mixed = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for caller in 0..4u8 {
            let (pool, mixed) = (&pool, &mixed);
            scope.spawn(move || {
                let sample = gzip(&vec![b'a' + caller; 5000]);
                for _ in 0..25 {
                    let outcome = pool.walk(&sample, &Limits::default(), &mut |member| {
                        let own = member.depth == 0 || member.bytes.iter().all(|byte| *byte == b'a' + caller);
                        mixed.fetch_or(!own, Ordering::Relaxed);
                        Flow::On
                    });
                    assert!(outcome.expect("answered").complete());
                }
            });
        }
    });
    assert!(!mixed.load(Ordering::Relaxed));
    assert!(pool.worker_ids().len() <= 2);
}

#[test]
fn a_binary_that_is_not_there_is_named() {
    let fault = Pool::start(Settings::new(PathBuf::from("/nowhere/worker"), Vec::new())).err().expect("no such binary");
    assert!(fault.to_string().contains("/nowhere/worker"), "{fault}");
}
