//! The lane is served by its own thread or by a caller that found it free: whoever does, nothing that was queued
//! waits for work that may never come, and nobody waits for ever on a store that is closing.
//!
//! The store's locks and channels are the real ones and the interleavings those of the machine; a hand-over that
//! loses its wake-up shows as an answer that does not come. Every wait is bounded.

mod support;

use engine::disk::NullDisk;
use engine::{Ask, Engine, Outcome, Settings, Submission, SubmitError};
use model::Blake3;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Arc, Barrier};
use std::time::Duration;
use support::{Fixture, arrival, body, put, small};

/// An answer that takes longer does not come: the slowest machine takes seconds.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs `work` on a thread of its own and waits for its end; a thread that hangs is left behind by the failure.
fn within_patience<T: Send + 'static>(what: &str, work: impl FnOnce() -> T + Send + 'static) -> T {
    let (tell, told) = sync_channel(1);
    std::thread::spawn(move || tell.send(work()));
    wait(&told, what)
}

fn wait<T>(told: &Receiver<T>, what: &str) -> T {
    match told.recv_timeout(PATIENCE) {
        Ok(done) => done,
        Err(RecvTimeoutError::Timeout) => panic!("{what}: no answer within {PATIENCE:?}"),
        Err(RecvTimeoutError::Disconnected) => panic!("{what}: the thread that was to answer died"),
    }
}

/// A store on a disk that does nothing, so that batches end within microseconds and hand-overs are many.
fn quick(fixture: &Fixture) -> Engine {
    fixture.open_on(Settings { prepare_bytes: 0, ..small() }, Arc::new(NullDisk))
}

#[test]
fn work_queued_while_a_caller_finishes_its_batch_is_served_with_no_other_work_coming() {
    /// Each round ends in silence, so a round in which the hand-over is lost never ends.
    const ROUNDS: u64 = 3000;
    const CALLERS: u64 = 3;
    let fixture = Fixture::new();
    let engine = quick(&fixture);
    let barrier = Arc::new(Barrier::new(CALLERS as usize + 1));
    let (tell, told) = sync_channel(CALLERS as usize);
    for caller in 0..CALLERS {
        let (engine, barrier, tell) = (engine.clone(), Arc::clone(&barrier), tell.clone());
        std::thread::spawn(move || {
            for round in 0..ROUNDS {
                barrier.wait();
                // Bodies of different lengths, so that callers reach the lane at different moments of its batch.
                let outcome = put(&engine, &body(round * CALLERS + caller, (round % 9 * caller * 100) as usize), "c1");
                if tell.send(outcome).is_err() {
                    return;
                }
            }
        });
    }
    for round in 0..ROUNDS {
        barrier.wait();
        for _ in 0..CALLERS {
            let outcome = wait(&told, &format!("round {round}"));
            assert!(outcome.is_ok(), "round {round}: {outcome:?}");
        }
    }
    assert_eq!(engine.quota().items, ROUNDS * CALLERS);
    engine.close();
}

#[test]
fn bodies_offers_and_deletions_from_many_threads_are_each_answered_once() {
    const THREADS: u64 = 16;
    const EACH: u64 = 40;
    let fixture = Fixture::new();
    // What is offered and deleted is read back, so this disk keeps what it is given.
    let engine = fixture.open(small());
    let known = put(&engine, &body(1, 2000), "c1").unwrap().blake3;
    let (tell, told) = sync_channel::<u64>(THREADS as usize);
    for thread in 0..THREADS {
        let (engine, tell) = (engine.clone(), tell.clone());
        std::thread::spawn(move || {
            let answered = (0..EACH).filter(|n| answered(&engine, &known, thread, *n)).count();
            let _ = tell.send(answered as u64);
        });
    }
    for thread in 0..THREADS {
        assert_eq!(wait(&told, &format!("{thread} of {THREADS} threads have ended")), EACH);
    }
    engine.close();
}

/// One of the four ways to the lane, by `n`; whether the answer says that it was done.
fn answered(engine: &Engine, known: &Blake3, thread: u64, n: u64) -> bool {
    let bytes = body(1_000 + thread * 1_000 + n, 500);
    match n % 4 {
        0 => put(engine, &bytes, "c1").is_ok(),
        1 => submit(engine, &bytes).recv().is_ok_and(|outcome| outcome.is_ok()),
        2 => support::offer(engine, known, "c2").is_some_and(|outcome| outcome.is_ok()),
        _ => match put(engine, &bytes, "c1") {
            Ok(stored) => engine.delete(&[stored.item], "test").is_ok_and(|gone| gone == [stored.item]),
            Err(_) => false,
        },
    }
}

fn submit(engine: &Engine, bytes: &[u8]) -> Receiver<Outcome> {
    let ask = Ask { raw_bytes: bytes.len() as u64, known: false, client: "c1" };
    let permit = engine.admit(&ask).unwrap();
    let mut buffer = engine.buffer(bytes.len());
    buffer.extend_from_slice(bytes);
    let (answer, outcome) = sync_channel(1);
    let done = Box::new(move |outcome| drop(answer.send(outcome)));
    engine.submit(Submission { permit, body: buffer, arrival: arrival("c1"), expected: None }, done);
    outcome
}

#[test]
fn a_closed_store_answers_whoever_still_comes() {
    let fixture = Fixture::new();
    let engine = fixture.open(small());
    let stored = put(&engine, &body(1, 500), "c1").unwrap();
    engine.close();
    let again = engine.clone();
    let late = within_patience("a body", move || put(&again, &body(2, 500), "c1"));
    assert!(matches!(late, Err(SubmitError::Stopped(_))), "{late:?}");
    let again = engine.clone();
    let late = within_patience("a deletion", move || again.delete(&[stored.item], "test"));
    assert!(matches!(late, Err(SubmitError::Stopped(_))), "{late:?}");
}

#[test]
fn closing_under_load_answers_every_caller() {
    const ROUNDS: u64 = 30;
    const CALLERS: u64 = 6;
    for round in 0..ROUNDS {
        let fixture = Fixture::new();
        let engine = quick(&fixture);
        let (tell, told) = sync_channel(CALLERS as usize);
        for caller in 0..CALLERS {
            let (engine, tell) = (engine.clone(), tell.clone());
            std::thread::spawn(move || {
                let stored = (0_u64..).map(|n| put(&engine, &body(caller << 32 | n, 300), "c1"));
                let last = stored.take_while(Result::is_ok).count();
                let _ = tell.send(last);
            });
        }
        // Closed at a moment that the first arrivals set and no clock.
        while engine.quota().items < round * 2 {
            std::thread::yield_now();
        }
        let closing = engine.clone();
        within_patience("closing", move || closing.close());
        let stored: usize = (0..CALLERS).map(|_| wait(&told, &format!("round {round}, a caller"))).sum();
        assert_eq!(stored as u64, engine.quota().items, "round {round}: what was answered and what the books hold");
    }
}
