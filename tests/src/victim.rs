//! Starts the program that stores samples until it is killed, and hears which it acknowledged.

use crate::kernel;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// A victim that neither acknowledges nor ends by then hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// Held shared while a store is open in this process, and alone while a victim is started: between fork and exec the
/// new process holds every lock file that is open here, and another test's next victim would find its store in use.
pub(crate) static OPEN_OR_FORK: RwLock<()> = RwLock::new(());

/// Through which implementation of the seam the victim writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Io {
    /// System calls.
    Plain,
    /// io_uring.
    Uring,
    /// System calls that sync nothing: the control run, which must lose data.
    Unsynced,
}

impl Io {
    /// The victim's argument.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Uring => "uring",
            Self::Unsynced => "unsynced",
        }
    }
}

/// A sample that the victim was told is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ack {
    /// Which sample.
    pub index: u64,
    /// The item it was told.
    pub item: u64,
}

/// A running victim.
pub struct Victim {
    child: Child,
    lines: Receiver<String>,
    reader: JoinHandle<()>,
    heard: Vec<Ack>,
}

impl Victim {
    /// Starts `program` on a store; it stores samples from index `first` on.
    ///
    /// # Panics
    /// It cannot be started.
    #[must_use]
    pub fn start(program: &Path, store: &Path, io: Io, first: u64) -> Self {
        let mut command = Command::new(program);
        command.arg("--store").arg(store).args(["--io", io.name(), "--first", &first.to_string()]);
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let alone = OPEN_OR_FORK.write().unwrap_or_else(PoisonError::into_inner);
        let mut child = kernel::die_with_parent(&mut command)
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {}: {error}", program.display()));
        drop(alone);
        let stdout = BufReader::new(child.stdout.take().expect("its output was asked for as a pipe"));
        let (sender, lines) = channel();
        let reader = std::thread::spawn(move || {
            for line in stdout.split(b'\n').map_while(Result::ok) {
                if sender.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                    break;
                }
            }
        });
        Self { child, lines, reader, heard: Vec::new() }
    }

    /// Listens until `acks` were heard, at most `PATIENCE`.
    ///
    /// # Panics
    /// The victim ended by itself, hangs, or reports that something went wrong.
    pub fn hear(&mut self, acks: usize) {
        let deadline = Instant::now() + PATIENCE;
        while self.heard.len() < acks {
            assert!(self.hear_until(deadline), "{acks} acks within {PATIENCE:?}, heard {}", self.heard.len());
        }
    }

    /// Listens for a time, whatever is said.
    ///
    /// # Panics
    /// The victim ended by itself or reports that something went wrong.
    pub fn hear_for(&mut self, time: Duration) {
        let deadline = Instant::now() + time;
        while self.hear_until(deadline) {}
    }

    /// Kills it with SIGKILL, waits for its end and returns every ack it gave.
    ///
    /// # Panics
    /// It had ended by itself, or its last words report that something went wrong.
    #[must_use]
    pub fn kill(mut self) -> Vec<Ack> {
        if let Some(status) = self.child.try_wait().expect("a child of ours") {
            panic!("the victim was to run until killed, but ended with {status}");
        }
        self.child.kill().expect("a child that has not been waited for");
        self.child.wait().expect("a child of ours");
        self.reader.join().expect("the reader only splits lines");
        while let Ok(line) = self.lines.try_recv() {
            self.heard.extend(read(&line));
        }
        self.heard
    }

    /// Every ack so far.
    ///
    /// # Panics
    /// It reports that something went wrong.
    #[must_use]
    pub fn said(&mut self) -> Vec<Ack> {
        while let Ok(line) = self.lines.try_recv() {
            self.heard.extend(read(&line));
        }
        self.heard.clone()
    }

    /// The same when the ground was taken from under it: it may have ended by itself with a clear error.
    #[must_use]
    pub fn bury(mut self) -> Vec<Ack> {
        // It may have ended already; then there is nothing to kill.
        let _ = self.child.kill();
        self.child.wait().expect("a child of ours");
        self.reader.join().expect("the reader only splits lines");
        while let Ok(line) = self.lines.try_recv() {
            self.heard.extend(read(&line));
        }
        self.heard
    }

    /// Takes one line; whether one came before the deadline.
    fn hear_until(&mut self, deadline: Instant) -> bool {
        match self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(line) => {
                self.heard.extend(read(&line));
                true
            }
            Err(RecvTimeoutError::Timeout) => false,
            Err(RecvTimeoutError::Disconnected) => {
                panic!("the victim was to run until killed, but ended with {:?}", self.child.wait())
            }
        }
    }
}

/// An ack; half a line, which a kill leaves, is none.
fn read(line: &str) -> Option<Ack> {
    let mut words = line.split(' ');
    match words.next() {
        Some("WRONG") => panic!("the victim says: {line}"),
        Some("ACK") => {}
        Some(_) | None => return None,
    }
    let ack = Ack { index: words.next()?.parse().ok()?, item: words.next()?.parse().ok()? };
    (words.next() == Some(".")).then_some(ack)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_an_ack_is_none() {
        assert_eq!(read("ACK 17 230 ."), Some(Ack { index: 17, item: 230 }));
        for cut in 0.."ACK 17 230 .".len() {
            assert_eq!(read(&"ACK 17 230 ."[..cut]), None);
        }
    }
}
