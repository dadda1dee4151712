//! Rules in the cage with real worker processes.
#![cfg(target_os = "linux")]

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use cage::{Fault, Settings, Unguarded};
use yara::limits::SCAN_TIME;
use yara::{Pool, Source, StartError};

const RULES: &str = "rule found { strings: $a = \"needle\" condition: $a } rule never { condition: false }";

fn settings() -> Settings {
    Settings { workers_max: 1, ..Settings::new(PathBuf::from(env!("CARGO_BIN_EXE_yara-worker")), Vec::new()) }
}

fn pool_of(settings: Settings, text: &str) -> Result<Pool, StartError> {
    Pool::start(settings, &[Source { name: "a.yar", text: text.as_bytes() }])
}

fn pool(text: &str) -> Pool {
    pool_of(settings(), text).expect("starts")
}

fn signal(id: u32, name: &str) {
    let sent = Command::new("kill").args([name, &id.to_string()]).status().expect("kill is everywhere");
    assert!(sent.success(), "{name} to {id}");
}

#[test]
fn the_cage_answers_as_the_rules_do() {
    let pool = pool(RULES);
    let names: Vec<&str> = pool.report().rules.iter().map(|rule| rule.signature.as_str()).collect();
    assert_eq!(names, ["YARA.found", "YARA.never"]);
    assert_eq!(pool.scan(b"a needle here", SCAN_TIME).expect("answered").rules, [0]);
    let none = pool.scan(b"nothing", SCAN_TIME).expect("answered");
    assert!(none.rules.is_empty() && none.is_whole);
    assert_eq!(pool.counts().answered, 2);
}

#[test]
fn nothing_runs_unconfined_where_that_is_refused() {
    let pool = pool(RULES);
    let confinement = pool.confinement().expect("a worker has said it");
    assert!(confinement.limits.holds() && confinement.calls.holds(), "{confinement:?}");
    let refused = pool_of(Settings { unguarded: Unguarded::Refuse, ..settings() }, RULES);
    assert_eq!(refused.is_ok(), confinement.missing().is_empty());
}

#[test]
fn complaints_come_out_of_the_cage() {
    let pool = pool("rule a { condition: $x }\nrule b { condition: true }");
    assert_eq!(pool.report().complaints.len(), 1);
    assert_eq!(pool.scan(b"", SCAN_TIME).expect("answered").rules, [0]);
}

#[test]
fn a_worker_killed_again_and_again_never_loses_an_answer() {
    const KILLS: usize = 200;
    let pool = pool(RULES);
    for n in 0..KILLS {
        // While it is idle: a new one answers, or this buffer is told that its worker died on the way out.
        signal(pool.worker_ids()[0], "-KILL");
        match pool.scan(b"needle", SCAN_TIME) {
            Ok(found) => assert_eq!(found.rules, [0], "{n}"),
            Err(Fault::Died { .. }) => {}
            Err(other) => panic!("{n}: {other}"),
        }
        assert_eq!(pool.scan(b"needle", SCAN_TIME).expect("a new worker answers").rules, [0], "{n}");
    }
    let counts = pool.counts();
    assert_eq!(counts.answered + counts.died, 2 * KILLS as u64);
    assert!(counts.started > KILLS as u64, "{counts:?}");
}

#[test]
fn killed_in_the_middle_of_a_buffer_it_costs_that_buffer_only() {
    let pool = pool(&format!(
        "{RULES} rule slow {{ condition: filesize == 1 and for all i in (0..100000000000) : ( i >= 0 ) }}"
    ));
    std::thread::scope(|scope| {
        let slow = scope.spawn(|| pool.scan(b"x", Duration::from_secs(60)));
        while !slow.is_finished() {
            // One that is gone already cannot be killed.
            let ids = pool.worker_ids().into_iter().map(|id| id.to_string());
            let _gone = Command::new("kill").arg("-KILL").args(ids).stderr(std::process::Stdio::null()).status();
        }
        let fault = slow.join().expect("no panic");
        assert!(matches!(fault, Err(Fault::Died { .. } | Fault::Start { .. })), "{fault:?}");
    });
    assert_eq!(pool.scan(b"needle", SCAN_TIME).expect("a new worker answers").rules, [0]);
}

#[test]
fn time_up_is_said_by_the_worker_and_what_held_before_is_kept() {
    let pool = pool(
        "rule first { condition: true }\n\
         rule slow { condition: for all i in (0..1000000) : ( for all j in (0..1000000) : ( i + j >= 0 ) ) }",
    );
    let start = Instant::now();
    let found = pool.scan(b"x", Duration::from_millis(200)).expect("within the grace");
    assert!(!found.is_whole && found.rules == [0], "{found:?}");
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    assert_eq!(pool.counts().started, 1, "the worker lives");
}

#[test]
fn a_pathological_expression_never_holds_its_caller() {
    // Each place of the buffer begins a candidate that is followed to its end.
    let pool = pool(
        "rule a { strings: $a = /aaaa(a|aa)*(a|b|aa)*(aa|a)*[^a]b{1,200}c/ $b = /(a?){50}a{50}.*x.*y.*z/s condition: $a or $b }",
    );
    let buffer = vec![b'a'; 4 << 20];
    let start = Instant::now();
    match pool.scan(&buffer, Duration::from_millis(500)) {
        Ok(found) => assert!(found.rules.is_empty() && !found.is_whole),
        Err(Fault::Overtime { ms }) => assert_eq!(ms, 500),
        Err(other) => panic!("{other}"),
    }
    assert!(start.elapsed() < Duration::from_secs(6), "{:?}", start.elapsed());
    assert!(pool.scan(b"small", SCAN_TIME).expect("answered").is_whole);
}

#[test]
fn a_worker_that_stands_still_is_killed_in_time() {
    let pool = pool(RULES);
    signal(pool.worker_ids()[0], "-STOP");
    let fault = pool.scan(b"needle", Duration::from_millis(200));
    assert!(matches!(fault, Err(Fault::Overtime { ms: 200 })), "{fault:?}");
    assert_eq!(pool.scan(b"needle", SCAN_TIME).expect("a new one").rules, [0]);
}

#[test]
fn a_worker_out_of_memory_dies_alone() {
    let pool = pool_of(Settings { memory_bytes_max: 64 << 20, ..settings() }, RULES).expect("starts");
    let fault = pool.scan(&vec![b'n'; 128 << 20], SCAN_TIME);
    assert!(matches!(fault, Err(Fault::Died { .. })), "{fault:?}");
    assert_eq!(pool.scan(b"needle", SCAN_TIME).expect("a new one").rules, [0]);
}

#[test]
fn sources_that_kill_their_worker_are_an_error_here_and_no_more() {
    let small = Settings { memory_bytes_max: 48 << 20, ..settings() };
    let many: String = (0..20_000)
        .map(|n| format!("rule r{n} {{ strings: $a = /unique{n}[a-z]{{1,99}}(x|y)+end{n}/ condition: $a }}\n"))
        .collect();
    let refused = pool_of(small, &many).err().expect("not within 48 MiB");
    assert!(matches!(refused, StartError::Worker(Fault::Start { .. })), "{refused}");
    assert!(refused.to_string().contains("did not get ready"), "{refused}");
}

#[test]
fn two_callers_share_the_workers_and_keep_their_buffers() {
    let text: String = (0..4).map(|n| format!("rule r{n} {{ strings: $a = \"caller{n}\" condition: $a }}\n")).collect();
    let pool = pool_of(Settings { workers_max: 2, ..settings() }, &text).expect("starts");
    std::thread::scope(|scope| {
        for caller in 0..4u32 {
            let pool = &pool;
            scope.spawn(move || {
                for _ in 0..50 {
                    let buffer = format!("this is caller{caller}");
                    assert_eq!(pool.scan(buffer.as_bytes(), SCAN_TIME).expect("answered").rules, [caller]);
                }
            });
        }
    });
    assert!(pool.worker_ids().len() <= 2);
}
