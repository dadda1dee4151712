//! How a PostgreSQL of one's own is started: a new data folder, a Unix socket in it, nobody else's
//! settings. Both who measure it as a store and who need it below another server start it so.

use crate::absent::{self, Absent};
use std::ffi::OsStr;
use std::fs;
use std::io::{Error, Result};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Debian keeps each version's programs in a folder of its own.
const VERSIONS: &str = "/usr/lib/postgresql";
const INSTALL: &str = "apt-get install -y --no-install-recommends postgresql";
/// The superuser of the new cluster; its database is `postgres`.
pub const USER: &str = "peer";
/// Durable as delivered; the rest is what its manual advises for bulk writes on a machine of this size:
/// memory for the log, no checkpoint inside a run, no replication, no background vacuum of a table that
/// only grows.
const SETTINGS: &[&str] = &[
    "listen_addresses=",
    "fsync=on",
    "synchronous_commit=on",
    "full_page_writes=on",
    "shared_buffers=1GB",
    "wal_buffers=64MB",
    "max_wal_size=32GB",
    "checkpoint_timeout=30min",
    "wal_level=minimal",
    "max_wal_senders=0",
    "autovacuum=off",
    "jit=off",
];

/// The folder of the newest version's programs.
///
/// # Errors
/// There is none.
pub fn programs() -> std::result::Result<PathBuf, Absent> {
    let versions = fs::read_dir(VERSIONS).into_iter().flatten().flatten();
    let number = |path: &PathBuf| path.file_name().and_then(OsStr::to_str).and_then(|name| name.parse::<u32>().ok());
    let newest = versions.map(|entry| entry.path()).max_by_key(number);
    let absent = || Absent { program: "postgres".to_owned(), install: INSTALL.to_owned() };
    let programs = newest.ok_or_else(absent)?.join("bin");
    absent::require(&programs.join("postgres").to_string_lossy(), INSTALL)?;
    Ok(programs)
}

/// Makes a new cluster below `dir`, which is absolute, and gives the command that serves it with its
/// socket in `dir`.
///
/// # Errors
/// `initdb` does not end well; its words are told.
pub fn prepared(programs: &Path, dir: &Path) -> Result<Command> {
    let data = dir.join("postgres");
    let mut init = unprivileged(&programs.join("initdb"));
    init.args(["--no-sync", "--auth=trust", "--encoding=UTF8", "--no-locale", "--username", USER, "-D"]).arg(&data);
    let made = init.output()?;
    if !made.status.success() {
        return Err(Error::other(format!("initdb: {}", String::from_utf8_lossy(&made.stderr).trim())));
    }
    let mut command = unprivileged(&programs.join("postgres"));
    command.arg("-D").arg(&data).arg("-k").arg(dir);
    for setting in SETTINGS {
        command.args(["-c", setting]);
    }
    Ok(command)
}

/// PostgreSQL refuses to run as root, so root starts it in a user namespace where it is somebody else.
fn unprivileged(program: &Path) -> Command {
    // The owner of our own process is who we are.
    let is_root = fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0);
    if !is_root {
        return Command::new(program);
    }
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-user=65534", "--map-group=65534", "--"]).arg(program);
    command
}
