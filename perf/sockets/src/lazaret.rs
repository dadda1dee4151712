//! Our own server, as a user starts it: the release binary, a configuration file, loopback.

use crate::child::Server;
use anyhow::{Context, Result, bail};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// Where `cargo build --release` leaves it, from the root of the work tree.
pub const PROGRAM: &str = "target/release/lazaret";
/// Draining and the last rows of a long catalogue queue.
const STOP_WITHIN: Duration = Duration::from_secs(120);

/// What lies under the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Under {
    /// The disk, as a user has it.
    Disk,
    /// Nothing: every sample is forgotten. What is left is the server itself.
    Nothing,
}

/// A running `lazaret serve`.
#[derive(Debug)]
pub struct Lazaret {
    server: Server,
    log: PathBuf,
    /// Its HTTP API.
    pub http: SocketAddr,
    /// Its native intake.
    pub intake: SocketAddr,
}

impl Lazaret {
    /// Starts it with its data below `dir` and these lines as its configuration.
    ///
    /// # Errors
    /// It is not built, or does not start; its last words are told.
    pub fn start(dir: &Path, config: &str, disk: Under) -> Result<Self> {
        let (config_file, log) = (dir.join("lazaret.toml"), dir.join("lazaret.log"));
        std::fs::write(&config_file, config).with_context(|| format!("cannot write {}", config_file.display()))?;
        let stderr = File::create(&log).with_context(|| format!("cannot make {}", log.display()))?;
        let mut command = Command::new(PROGRAM);
        command.arg("serve").arg("--data").arg(dir.join("data")).arg("--config").arg(&config_file);
        command.args(["--listen", "127.0.0.1:0", "--intake-listen", "127.0.0.1:0", "--defcast-listen", "127.0.0.1:0"]);
        if disk == Under::Nothing {
            command.arg("--no-op-disk-for-measurement");
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(stderr);
        let mut server = Server::start("lazaret", &mut command, "cargo build --release --package server")?;
        let stdout = server.child().stdout.take().context("the server has no stdout")?;
        let mut line = String::new();
        // It says one line when it is ready and closes its stdout when it ends, so this wait has an end.
        BufReader::new(stdout).read_line(&mut line)?;
        let address = |name: &str| {
            line.split_whitespace().find_map(|word| word.strip_prefix(name)?.strip_prefix('=')?.parse().ok())
        };
        match (address("http"), address("intake")) {
            (Some(http), Some(intake)) => Ok(Self { server, log, http, intake }),
            _ => bail!("lazaret did not start: {}", std::fs::read_to_string(&log).unwrap_or_default().trim()),
        }
    }

    /// Its process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.server.pid()
    }

    /// Drains and ends it.
    ///
    /// # Errors
    /// It does not end well; its log is told.
    pub fn stop(self) -> Result<()> {
        let status = self.server.stop(STOP_WITHIN)?;
        if !status.success() {
            bail!("lazaret ended with {status}: {}", std::fs::read_to_string(&self.log).unwrap_or_default().trim());
        }
        Ok(())
    }
}
