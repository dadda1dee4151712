use super::samples::{PRIVATE, mail, pe, word, zip};
use scanner::cage::{Fault, Pool, Settings};
use scanner::file::{Flow, Form, Limits};
use scanner::strip::{Found, Match, NotStripped, strip};
use std::path::PathBuf;

fn pool() -> Pool {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_cage-worker"));
    Pool::start(Settings { workers_max: 1, ..Settings::new(program, Vec::new()) }).expect("starts")
}

#[test]
fn a_sample_is_stripped_as_without_a_cage() {
    let pool = pool();
    let place = Some(Match { form: Form::Raw, range: 3..9 });
    let limits = Limits::default();
    for (sample, found) in [
        (pe(), None),
        (mail(&[("a.zip", &zip(&[("a.exe", &pe()), ("b.doc", &word())]))]), None),
        (PRIVATE.to_vec(), None),
        (PRIVATE.to_vec(), Some(Found { path: Vec::new(), place })),
        (Vec::new(), None),
    ] {
        let free = strip(&sample, found.clone(), &limits, &|| false);
        assert_eq!(pool.strip(&sample, found, &limits).expect("answered"), free);
    }
    assert_eq!(pool.counts().answered, 5);
}

#[test]
fn one_worker_strips_and_opens_in_turn() {
    let pool = pool();
    let limits = Limits::default();
    for _ in 0..3 {
        assert!(pool.strip(&word(), None, &limits).expect("answered").is_ok());
        assert!(pool.walk(&word(), &limits, &mut |_| Flow::On).expect("answered").complete());
    }
    assert_eq!(pool.counts().started, 1);
}

#[test]
fn time_up_is_said_by_the_worker_itself() {
    let limits = Limits { time_ms_max: 0, ..Limits::default() };
    assert_eq!(pool().strip(&word(), None, &limits).expect("answered within the grace"), Err(NotStripped::Time));
}

#[test]
fn a_worker_that_dies_sends_nothing_and_the_next_answers() {
    let pool = pool();
    let id = pool.worker_ids()[0].to_string();
    let stopped = std::process::Command::new("kill").args(["-STOP", &id]).status().expect("kill is everywhere");
    assert!(stopped.success());
    let limits = Limits { time_ms_max: 100, ..Limits::default() };
    let fault = pool.strip(&pe(), None, &limits);
    assert!(matches!(fault, Err(Fault::Overtime { .. })), "{fault:?}");
    assert!(pool.strip(&pe(), None, &Limits::default()).expect("a new worker answers").is_ok());
}
