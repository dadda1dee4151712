//! Stores seeded samples from several threads and says `ACK <index> <item> .` after each receipt, until
//! it is killed. Anything that breaks a promise while it runs is said as `WRONG ...`.
#![allow(clippy::print_stdout, reason = "the lines are the result")]

use clap::{Parser, ValueEnum};
use engine::disk::{Disk, IoMode, PlainDisk};
use engine::{Ask, Engine, Outcome, Refusal, Submission, SubmitError};
use model::Blake3;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tests::{ledger, sample};

/// Enough for batches of several records, few enough for two cores.
const THREADS: u64 = 8;

#[derive(Clone, Copy, ValueEnum)]
enum Io {
    Plain,
    Uring,
    Unsynced,
}

#[derive(Parser)]
struct Arguments {
    #[arg(long)]
    store: PathBuf,
    #[arg(long, value_enum)]
    io: Io,
    /// Index of the first sample.
    #[arg(long)]
    first: u64,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let opened = disk(arguments.io).map_err(|error| error.to_string()).and_then(|disk| {
        Engine::open(&arguments.store, ledger::settings(), disk).map_err(|error| format!("{error:?}"))
    });
    let (engine, _) = match opened {
        Ok(opened) => opened,
        Err(error) => {
            println!("WRONG the store does not open: {error}");
            return ExitCode::FAILURE;
        }
    };
    let next = AtomicU64::new(arguments.first);
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| while store(&engine, next.fetch_add(1, Ordering::Relaxed)) {});
        }
    });
    ExitCode::FAILURE
}

fn disk(io: Io) -> std::io::Result<Arc<dyn Disk>> {
    match io {
        Io::Plain => engine::disk::disk(IoMode::Plain),
        Io::Uring => engine::disk::disk(IoMode::Uring),
        Io::Unsynced => Ok(Arc::new(PlainDisk::without_syncs())),
    }
}

/// Stores one sample, every seventh twice as a client does whose answer was lost. False ends the thread.
fn store(engine: &Engine, index: u64) -> bool {
    let first = put(engine, index);
    let outcome = if index % 7 == 3 && first.is_ok() { put(engine, index) } else { first.clone() };
    match (first, outcome) {
        (Ok(first), Ok(again)) if first.item == again.item => {
            say(&format!("ACK {index} {} .\n", first.item));
            true
        }
        (Ok(first), Ok(again)) => {
            say(&format!(
                "WRONG sample {index} sent twice with one key became items {} and {}\n",
                first.item, again.item
            ));
            false
        }
        // The disk is gone: the store stops, says so, and the process ends.
        (Err(SubmitError::Stopped(reason)), _) | (_, Err(SubmitError::Stopped(reason))) => {
            say(&format!("STOPPED {reason}\n"));
            false
        }
        (Err(error), _) | (_, Err(error)) => {
            say(&format!("WRONG sample {index}: {error}\n"));
            false
        }
    }
}

fn put(engine: &Engine, index: u64) -> Outcome {
    let content = sample::content(index);
    let arrival = sample::arrival(index);
    let permit = loop {
        let ask = Ask { raw_bytes: content.len() as u64, known: false, client: &arrival.client };
        match engine.admit(&ask) {
            Ok(permit) => break permit,
            Err(Refusal::SlowDown { retry_after_ms, .. }) => std::thread::sleep(Duration::from_millis(retry_after_ms)),
            Err(Refusal::Stopped) => return Err(SubmitError::Stopped(Refusal::Stopped.to_string())),
            Err(refusal) => return Err(refusal.into()),
        }
    };
    if content.len() as u64 > sample::LARGE_BYTES_MIN {
        let mut writer = engine.large(permit, arrival)?;
        for piece in content.chunks(50_000) {
            writer.write(piece)?;
        }
        let (answer, outcome) = std::sync::mpsc::channel();
        writer.finish(None, Box::new(move |outcome| drop(answer.send(outcome))));
        return outcome.recv().unwrap_or_else(|_| Err(SubmitError::Stopped("no answer came".to_owned())));
    }
    let mut body = engine.buffer(content.len());
    body.extend_from_slice(&content);
    engine.put(Submission { permit, body, arrival, expected: None::<Blake3> })
}

/// One write for each line, so that a kill leaves half a line at most.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    if out.write_all(line.as_bytes()).and_then(|()| out.flush()).is_err() {
        // Nobody listens any more.
        std::process::exit(1);
    }
}
