//! A peer that is a server: a child on a Unix socket in the store's folder, ended with the store.

use anyhow::{Context, Result, bail};
use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// An empty server is ready in a fraction of a second; a busy machine gets more.
const READY_WITHIN: Duration = Duration::from_secs(60);
/// An orderly end may have to write out what is in memory.
const STOP_WITHIN: Duration = Duration::from_secs(120);
/// Between two looks.
const LOOK_INTERVAL: Duration = Duration::from_millis(10);

/// A running server; dropping it kills it.
pub struct Server(Child);

impl Server {
    /// Starts `command`, its output in `log`, and waits until `connect` gives a connection.
    pub fn start<C>(mut command: Command, log: &Path, connect: impl Fn() -> Result<C>) -> Result<(Self, C)> {
        let out = File::create(log)?;
        command.stdin(Stdio::null()).stdout(out.try_clone()?).stderr(out);
        let mut server = Self(command.spawn().with_context(|| format!("cannot start {command:?}"))?);
        let said = || std::fs::read_to_string(log).unwrap_or_default();
        let started = Instant::now();
        loop {
            let failed = match connect() {
                Ok(connection) => return Ok((server, connection)),
                Err(error) => error,
            };
            if let Some(status) = server.0.try_wait()? {
                bail!("{command:?} ended with {status}: {}", said());
            }
            if started.elapsed() > READY_WITHIN {
                return Err(failed.context(format!("{command:?} does not answer: {}", said())));
            }
            std::thread::sleep(LOOK_INTERVAL);
        }
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.0.id()
    }

    /// Ends it with a signal of `kill(1)` and waits.
    pub fn stop(mut self, signal: &str) -> Result<()> {
        Command::new("kill").args([signal, &self.0.id().to_string()]).status().context("kill")?;
        let asked = Instant::now();
        while self.0.try_wait()?.is_none() {
            if asked.elapsed() > STOP_WITHIN {
                bail!("a peer's server does not end");
            }
            std::thread::sleep(LOOK_INTERVAL);
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
