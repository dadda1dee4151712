//! A server process that must not outlive the program that measures it.

use anyhow::{Context, Error, Result, bail};
use std::io::ErrorKind;
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};
use workload::Absent;

/// Between two looks whether it has ended.
const LOOK_INTERVAL: Duration = Duration::from_millis(10);

/// A running process; dropping it kills it.
#[derive(Debug)]
pub struct Server {
    name: String,
    child: Child,
}

impl Server {
    /// Starts it.
    ///
    /// # Errors
    /// [`Absent`] when the program is not there; `install` is the command that brings it.
    pub fn start(name: &str, command: &mut Command, install: &str) -> Result<Self> {
        let absent = || Absent { program: name.to_owned(), install: install.to_owned() };
        let child = command.spawn().map_err(|error| match error.kind() {
            ErrorKind::NotFound => Error::from(absent()),
            _ => Error::from(error).context(format!("cannot start {name}")),
        })?;
        Ok(Self { name: name.to_owned(), child })
    }

    /// Its process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The child, for its pipes.
    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Fails when it has ended by itself.
    ///
    /// # Errors
    /// It has.
    pub fn alive(&mut self) -> Result<()> {
        match self.child.try_wait()? {
            Some(status) => bail!("{} ended early with {status}", self.name),
            None => Ok(()),
        }
    }

    /// Asks it to end and waits for that.
    ///
    /// # Errors
    /// It does not end within `within`.
    pub fn stop(mut self, within: Duration) -> Result<ExitStatus> {
        Command::new("kill").args(["-TERM", &self.pid().to_string()]).status().context("kill")?;
        let asked = Instant::now();
        while asked.elapsed() < within {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            std::thread::sleep(LOOK_INTERVAL);
        }
        bail!("{} did not end within {} s", self.name, within.as_secs())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks `ready` until it says yes.
///
/// # Errors
/// The server ended, or was not ready `within`.
pub fn wait_until(server: &mut Server, within: Duration, mut ready: impl FnMut() -> bool) -> Result<()> {
    let asked = Instant::now();
    while !ready() {
        server.alive()?;
        if asked.elapsed() > within {
            bail!("{} was not ready within {} s", server.name, within.as_secs());
        }
        std::thread::sleep(LOOK_INTERVAL);
    }
    Ok(())
}
