//! Counts the instructions of one case with valgrind's callgrind.
//!
//! Plain callgrind and not a harness above it: a harness wants a second program of exactly its own version installed,
//! keeps its baselines under `target/`, which a clean clone does not have, and counts on the benchmark's own thread,
//! which the catalogue does not write on.

use anyhow::{Context, Result, bail, ensure};
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// One case of the counting program.
pub struct Case {
    /// Its argument and its row.
    pub name: &'static str,
    /// How often it is done in one run.
    pub times: u64,
    pub scope: Scope,
}

/// Which instructions belong to a case.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Those of the function `counted` and below, on its thread.
    Counted,
    /// Those of the whole process, less those of a run that does it once less.
    Process,
}

/// Runs whose least count is taken: now and then a background thread holds the lane for a moment, and the work is
/// then done on another thread, or waited for.
const RUNS: usize = 3;

/// The tool's version, as it prints it.
///
/// # Errors
/// It is not installed.
pub fn version() -> Result<String> {
    super::first_line("valgrind", &["--version"])
}

/// Instructions of one operation.
///
/// # Errors
/// The tool cannot be started, the program fails under it, or nothing was counted.
pub fn count(case: &Case) -> Result<u64> {
    let mut least = u64::MAX;
    for _ in 0..RUNS {
        let total = match case.scope {
            Scope::Counted => total(case, case.times)? / case.times,
            Scope::Process => total(case, case.times)?.saturating_sub(total(case, case.times - 1)?),
        };
        least = least.min(total);
    }
    ensure!(least > 0, "callgrind counted nothing for {}: is `counted` still a function of its own?", case.name);
    Ok(least)
}

/// Instructions of one run.
fn total(case: &Case, times: u64) -> Result<u64> {
    let folder = crate::root().join("target/scratch");
    std::fs::create_dir_all(&folder)?;
    let out = folder.join(format!("callgrind-{}-{}", case.name, std::process::id()));
    let mut command = Command::new("valgrind");
    command.args(["--tool=callgrind", "--quiet", "--separate-threads=no"]);
    if case.scope == Scope::Counted {
        command.arg("--toggle-collect=counts::counted*");
    }
    command.arg(format!("--callgrind-out-file={}", out.display()));
    command.arg(program()?).args([case.name, &times.to_string()]).current_dir(crate::root());
    let output = command.stdin(Stdio::null()).output().context("cannot start valgrind")?;
    if !output.status.success() {
        bail!("counts {} {times} under valgrind: {}", case.name, String::from_utf8_lossy(&output.stderr));
    }
    let profile = std::fs::read_to_string(&out).with_context(|| format!("no profile at {}", out.display()))?;
    std::fs::remove_file(&out)?;
    read(&profile).with_context(|| format!("no total in the profile of {}", case.name))
}

/// The line of a profile that sums it up (`totals: N`).
fn read(profile: &str) -> Option<u64> {
    profile.lines().rev().find_map(|line| line.strip_prefix("totals:")?.trim().parse().ok())
}

/// The counting program, built beside this one.
fn program() -> Result<PathBuf> {
    let mut path = std::env::current_exe().context("where this program lies")?;
    path.set_file_name("counts");
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_read_by_its_totals() {
        assert_eq!(read("events: Ir\nfn=(1) main\n16 400\n\ntotals: 31337\n"), Some(31337));
        assert_eq!(read("events: Ir\ntotals: \n"), None);
    }
}
