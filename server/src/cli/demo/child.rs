//! Servers of the demo: child processes of their own, so that they can be killed without mercy.
//! 1. It listens on loopback, on ports that the system picks.
//! 2. It never outlives the demo: dropping it kills it.

use crate::cli::Failure;
use crate::cli::screen::escaped;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// A fresh server is ready in milliseconds, a recovering one in two seconds; a busy machine gets more.
const READY_DEADLINE: Duration = Duration::from_secs(20);
/// Draining ends with the requests in flight, and there are none.
const STOP_DEADLINE: Duration = Duration::from_secs(30);
/// Between two looks whether it has ended.
const LOOK_INTERVAL: Duration = Duration::from_millis(10);

/// A running server.
#[derive(Debug)]
pub struct Server {
    process: Process,
    /// Its HTTP API.
    pub http: SocketAddr,
    /// Its native intake.
    pub intake: SocketAddr,
    /// From the start of the process to its line on stdout.
    pub ready_after: Duration,
}

impl Server {
    /// Starts `lazaret serve` on `data` and waits until it is ready. What it says on stderr goes to `log`.
    ///
    /// # Errors
    /// It does not start, or is not ready in time; its last words are told.
    pub fn start(data: &Path, config: Option<&Path>, log: &Path) -> Result<Self, Failure> {
        let mut arguments: Vec<&OsStr> = vec!["serve".as_ref(), "--data".as_ref(), data.as_ref()];
        let any = OsStr::new("127.0.0.1:0");
        for door in ["--listen", "--intake-listen", "--defcast-listen"] {
            arguments.extend([OsStr::new(door), any]);
        }
        if let Some(config) = config {
            arguments.extend([OsStr::new("--config"), config.as_ref()]);
        }
        let (process, ready_after) = Process::start(&arguments, log)?;
        let (http, intake) = (process.address("http")?, process.address("intake")?);
        Ok(Self { process, http, intake, ready_after })
    }

    /// Its process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.child.id()
    }

    /// Its address as a URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.http)
    }

    /// `kill -9`: no handler runs, nothing is flushed.
    ///
    /// # Errors
    /// It cannot be signalled.
    pub fn kill(mut self) -> Result<(), Failure> {
        let killed = self.process.child.kill().and_then(|()| self.process.child.wait());
        killed.map(|_| ()).map_err(|error| Failure::No(format!("cannot kill the server: {error}")))
    }

    /// Asks it to drain and end (SIGTERM) and waits for that.
    ///
    /// # Errors
    /// It cannot be signalled, or does not end in time.
    pub fn stop(self) -> Result<ExitStatus, Failure> {
        self.process.stop()
    }
}

/// A running analysis centre.
#[derive(Debug)]
pub struct Centre {
    process: Process,
    /// Where quarantines reach it.
    pub http: SocketAddr,
}

impl Centre {
    /// Starts `lazaret centre` and waits until it is ready.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub fn start(data: &Path, goodware: &Path, log: &Path) -> Result<Self, Failure> {
        let arguments: [&OsStr; 7] = [
            "centre".as_ref(),
            "--data".as_ref(),
            data.as_ref(),
            "--goodware".as_ref(),
            goodware.as_ref(),
            "--listen".as_ref(),
            "127.0.0.1:0".as_ref(),
        ];
        let (process, _) = Process::start(&arguments, log)?;
        let http = process.address("http")?;
        Ok(Self { process, http })
    }

    /// Asks it to end and waits for that.
    ///
    /// # Errors
    /// As [`Server::stop`].
    pub fn stop(self) -> Result<ExitStatus, Failure> {
        self.process.stop()
    }
}

/// A process of this very binary that says on stdout, in one line, when it is ready.
#[derive(Debug)]
struct Process {
    child: Child,
    log: PathBuf,
    line: String,
}

impl Process {
    /// Starts it, and says how long it took to be ready.
    fn start(arguments: &[&OsStr], log: &Path) -> Result<(Self, Duration), Failure> {
        let failed = |why: String| Failure::No(format!("the server did not start: {why}"));
        let io = |error: std::io::Error| failed(error.to_string());
        let stderr = File::options().append(true).create(true).open(log).map_err(io)?;
        let mut command = Command::new(std::env::current_exe().map_err(io)?);
        command.args(arguments);
        let started = Instant::now();
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(stderr).spawn().map_err(io)?;
        let Some(stdout) = child.stdout.take() else { return Err(failed("it has no stdout".to_owned())) };
        let (sender, lines) = mpsc::channel();
        // The thread ends with the child's stdout.
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let ready = lines.recv_timeout(READY_DEADLINE);
        let ready_after = started.elapsed();
        let mut process = Self { child, log: log.to_owned(), line: ready.unwrap_or_default() };
        if process.line.contains(" ready ") {
            return Ok((process, ready_after));
        }
        // It is of no use any more; that it may have ended already is fine.
        let _ = process.child.kill();
        let _ = process.child.wait();
        Err(failed(last_words(log)))
    }

    /// An address in its line.
    fn address(&self, name: &str) -> Result<SocketAddr, Failure> {
        let found = self.line.split(' ').find_map(|word| word.strip_prefix(name)?.strip_prefix('=')?.parse().ok());
        found.ok_or_else(|| Failure::No(format!("there is no address of {name} in '{}'", self.line)))
    }

    fn stop(mut self) -> Result<ExitStatus, Failure> {
        let failed = |why: String| Failure::No(format!("cannot stop the server: {why}"));
        let signal = format!("kill -TERM {}", self.child.id());
        Command::new("sh").args(["-c", &signal]).status().map_err(|error| failed(error.to_string()))?;
        let asked = Instant::now();
        while asked.elapsed() < STOP_DEADLINE {
            if let Some(status) = self.child.try_wait().map_err(|error| failed(error.to_string()))? {
                return Ok(status);
            }
            std::thread::sleep(LOOK_INTERVAL);
        }
        Err(failed(format!("it did not end within {} s: {}", STOP_DEADLINE.as_secs(), last_words(&self.log))))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn last_words(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().rev().take(5).collect();
    if lines.is_empty() {
        return "it said nothing".to_owned();
    }
    lines.into_iter().rev().map(escaped).collect::<Vec<_>>().join("\n")
}
