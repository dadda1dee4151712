//! A server of the demo: a child process of its own, so that it can be killed without mercy.
//! 1. It listens on loopback, on ports that the system picks.
//! 2. It never outlives the demo: dropping it kills it.

use crate::cli::Failure;
use crate::cli::screen::escaped;
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
    child: Child,
    log: PathBuf,
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
        let failed = |why: String| Failure::No(format!("the server did not start: {why}"));
        let io = |error: std::io::Error| failed(error.to_string());
        let stderr = File::options().append(true).create(true).open(log).map_err(io)?;
        let mut command = Command::new(std::env::current_exe().map_err(io)?);
        command.arg("serve").arg("--data").arg(data).args(["--listen", "127.0.0.1:0"]);
        command.args(["--intake-listen", "127.0.0.1:0", "--defcast-listen", "127.0.0.1:0"]);
        if let Some(config) = config {
            command.arg("--config").arg(config);
        }
        let started = Instant::now();
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(stderr).spawn().map_err(io)?;
        let Some(stdout) = child.stdout.take() else { return Err(failed("it has no stdout".to_owned())) };
        let (sender, line) = mpsc::channel();
        // The thread ends with the child's stdout.
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let ready = line.recv_timeout(READY_DEADLINE);
        let ready_after = started.elapsed();
        let address = |name: &str| {
            let line = ready.as_deref().ok()?;
            line.split(' ').find_map(|word| word.strip_prefix(name)?.strip_prefix('=')?.parse().ok())
        };
        match (address("http"), address("intake")) {
            (Some(http), Some(intake)) => Ok(Self { child, log: log.to_owned(), http, intake, ready_after }),
            (None, _) | (_, None) => {
                // It is of no use any more; that it may have ended already is fine.
                let _ = child.kill();
                let _ = child.wait();
                Err(failed(last_words(log)))
            }
        }
    }

    /// Its process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
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
        let killed = self.child.kill().and_then(|()| self.child.wait());
        killed.map(|_| ()).map_err(|error| Failure::No(format!("cannot kill the server: {error}")))
    }

    /// Asks it to drain and end (SIGTERM) and waits for that.
    ///
    /// # Errors
    /// It cannot be signalled, or does not end in time.
    pub fn stop(mut self) -> Result<ExitStatus, Failure> {
        let failed = |why: String| Failure::No(format!("cannot stop the server: {why}"));
        let signal = format!("kill -TERM {}", self.pid());
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

impl Drop for Server {
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
