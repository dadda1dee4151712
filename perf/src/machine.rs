//! What a record must name to be read later.

use serde::{Deserialize, Serialize};
use std::fs;
use std::path::Path;
use std::process::Command;

/// The machine, as far as it bears on the figures.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Machine {
    /// Cores that the programs may use.
    pub cores: usize,
    /// The processor's own name.
    pub processor: String,
    /// Memory, bytes.
    pub memory_bytes: u64,
    /// The kernel's version.
    pub kernel: String,
    /// The file system that the stores lie on.
    pub file_system: String,
    /// The compiler.
    pub compiler: String,
}

impl Machine {
    /// Reads what /proc and the tools say; what cannot be read stays empty.
    pub fn read(dir: &Path) -> Self {
        let info = |path: &str, field: &str| {
            let text = fs::read_to_string(path).unwrap_or_default();
            let value = text.lines().find_map(|line| line.strip_prefix(field)?.trim_start().strip_prefix(':'));
            value.map(|value| value.trim().to_owned()).unwrap_or_default()
        };
        let memory = info("/proc/meminfo", "MemTotal");
        let memory_kib: u64 = memory.split_whitespace().next().and_then(|kib| kib.parse().ok()).unwrap_or(0);
        Self {
            cores: std::thread::available_parallelism().map_or(0, std::num::NonZero::get),
            processor: info("/proc/cpuinfo", "model name"),
            memory_bytes: memory_kib * 1024,
            kernel: fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim().to_owned(),
            file_system: said("stat", &["--file-system", "--format=%T", &dir.to_string_lossy()]),
            compiler: said("rustc", &["--version"]),
        }
    }
}

/// The commit that was measured, with a mark when the work tree differs from it.
pub fn commit() -> String {
    let commit = said("git", &["rev-parse", "HEAD"]);
    let changed = !said("git", &["status", "--porcelain", "--untracked-files=no"]).is_empty();
    if changed { format!("{commit} with changes") } else { commit }
}

/// Bytes free for an ordinary user.
pub fn free_bytes(dir: &Path) -> u64 {
    let free = said("stat", &["--file-system", "--format=%a %S", &dir.to_string_lossy()]);
    free.split(' ').map(|number| number.parse::<u64>().unwrap_or(0)).product()
}

fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
}
