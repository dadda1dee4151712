//! clamd with one signature, over a Unix socket: what a scanner's door costs.

use crate::child::{Server, wait_until};
use anyhow::{Context, Result, ensure};
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// Loading one signature takes no time; a busy machine gets more.
const READY_WITHIN: Duration = Duration::from_secs(60);
/// Where Debian puts it, which need not be on the search path.
const PROGRAM: &str = "/usr/sbin/clamd";
/// What brings it.
const INSTALL: &str = "apt-get install -y --no-install-recommends clamav-daemon";

/// A running clamd.
#[derive(Debug)]
pub struct Clamd {
    _server: Server,
    socket: PathBuf,
}

impl Clamd {
    /// Starts it below `dir`, which should be short and absolute: the socket lies in it. As many threads
    /// as sessions, no self check; its database is one digest that no sample has.
    ///
    /// # Errors
    /// It is not installed or does not answer.
    pub fn start(dir: &Path, sessions: usize) -> Result<Self> {
        let dir = std::path::absolute(dir)?;
        let (database, socket) = (dir.join("database"), dir.join("clamd.sock"));
        std::fs::create_dir(&database)?;
        // A digest signature: MD5, length, name.
        std::fs::write(database.join("one.hdb"), "00000000000000000000000000000001:65535:Nothing.Has.This\n")?;
        let mut config = String::new();
        for (key, value) in [
            ("Foreground", "yes".to_owned()),
            ("LocalSocket", socket.display().to_string()),
            ("DatabaseDirectory", database.display().to_string()),
            ("TemporaryDirectory", dir.display().to_string()),
            ("LogFile", dir.join("clamd.log").display().to_string()),
            ("MaxThreads", sessions.max(2).to_string()),
            ("MaxQueue", (sessions * 4).to_string()),
            ("IdleTimeout", "600".to_owned()),
            ("SelfCheck", "0".to_owned()),
        ] {
            writeln!(config, "{key} {value}")?;
        }
        let config_file = dir.join("clamd.conf");
        std::fs::write(&config_file, config)?;
        let mut command = Command::new(PROGRAM);
        command.arg("--config-file").arg(&config_file).stdin(Stdio::null()).stdout(Stdio::null());
        command.stderr(std::fs::File::create(dir.join("clamd.err"))?);
        let mut server = Server::start("clamd", &mut command, INSTALL)?;
        let ready = || UnixStream::connect(&socket).is_ok();
        wait_until(&mut server, READY_WITHIN, ready).with_context(|| log_of(&dir))?;
        Ok(Self { _server: server, socket })
    }

    /// A session: many samples over one connection.
    ///
    /// # Errors
    /// It does not answer.
    pub fn session(&self) -> Result<Session> {
        let mut stream = UnixStream::connect(&self.socket).context("cannot reach clamd")?;
        stream.write_all(b"zIDSESSION\0")?;
        Ok(Session { stream: BufReader::new(stream), answer: Vec::new() })
    }
}

fn log_of(dir: &Path) -> String {
    let read = |name: &str| std::fs::read_to_string(dir.join(name)).unwrap_or_default();
    format!("clamd says: {} {}", read("clamd.err").trim(), read("clamd.log").trim())
}

/// One session, one sample at a time.
#[derive(Debug)]
pub struct Session {
    stream: BufReader<UnixStream>,
    answer: Vec<u8>,
}

impl Session {
    /// Sends a sample and waits for the verdict.
    ///
    /// # Errors
    /// The connection broke, or the verdict is not that nothing was found.
    pub fn scan(&mut self, body: &[u8]) -> Result<()> {
        let stream = self.stream.get_mut();
        stream.write_all(b"zINSTREAM\0")?;
        stream.write_all(&u32::try_from(body.len())?.to_be_bytes())?;
        stream.write_all(body)?;
        // A chunk of no bytes ends the stream.
        stream.write_all(&0_u32.to_be_bytes())?;
        self.answer.clear();
        ensure!(self.stream.read_until(0, &mut self.answer)? > 0, "clamd hung up");
        let answer = String::from_utf8_lossy(&self.answer);
        ensure!(answer.trim_end_matches('\0').ends_with("stream: OK"), "clamd said {answer:?}");
        Ok(())
    }
}
