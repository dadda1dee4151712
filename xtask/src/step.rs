//! Runs one program after another and leaves no process behind.
//! 1. The warden is the reaper of every descendant: a process whose parent died becomes its child.
//! 2. After each step every child that is left is named, killed and counted as a failure.
//! 3. Each step has a deadline; passing it kills the step's processes.
#![allow(unsafe_code, reason = "prctl and kill have no safe form in std")]

use crate::tally::Tally;
use anyhow::{Context, Result};
use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// Long enough for any step of a test run on two cores.
const MINUTES_MAX: u64 = 60;
/// How soon the end of a step is noticed when its output stays open.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// A program with its arguments, environment and deadline.
pub struct Step {
    command: Command,
    shown: String,
    minutes_max: u64,
}

impl Step {
    /// A program that runs in the root of the work tree.
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        let shown = program.as_ref().to_string_lossy().into_owned();
        let mut command = Command::new(program);
        command.current_dir(crate::root()).stdin(Stdio::null());
        Self { command, shown, minutes_max: MINUTES_MAX }
    }

    /// `cargo`, the same one that started this program.
    pub fn cargo() -> Self {
        Self::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
    }

    /// Appends arguments.
    pub fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        for arg in args {
            self.shown = format!("{} {}", self.shown, arg.as_ref().to_string_lossy());
            self.command.arg(arg);
        }
        self
    }

    /// Sets a variable of the environment.
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Replaces the deadline.
    pub fn minutes(mut self, minutes_max: u64) -> Self {
        self.minutes_max = minutes_max;
        self
    }
}

/// What a step did.
pub struct Done {
    /// Its exit code was 0, in time, and it left no process behind.
    pub success: bool,
    /// What its closing lines reported.
    pub tally: Tally,
}

/// Watches over all steps of this process.
pub struct Warden(());

impl Warden {
    /// Makes this process the reaper of its descendants.
    pub fn new() -> Self {
        // SAFETY: PR_SET_CHILD_SUBREAPER takes one integer and touches no memory of ours.
        let adopted = unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) };
        debug_assert_eq!(adopted, 0, "every Linux since 3.4 knows this option");
        Self(())
    }

    /// Runs a step, shows its output as it comes and counts its closing lines.
    ///
    /// # Errors
    /// The program cannot be started, or its output cannot be read.
    pub fn run(&self, step: Step) -> Result<Done> {
        let Step { mut command, shown, minutes_max } = step;
        let started = Instant::now();
        println!("\n$ {}", shown.replace(&*std::env::var("CARGO").unwrap_or_default(), "cargo"));
        let mut child = command.stdout(Stdio::piped()).spawn().with_context(|| format!("cannot start {shown}"))?;
        let stdout = child.stdout.take().context("the step's output was asked for as a pipe")?;
        let (lines, received) = mpsc::sync_channel(1024);
        let reader = std::thread::spawn(move || {
            for line in BufReader::new(stdout).split(b'\n') {
                let Ok(line) = line else { break };
                if lines.send(line).is_err() {
                    break;
                }
            }
        });
        let deadline = started + Duration::from_secs(minutes_max * 60);
        let mut tally = Tally::default();
        let mut late = false;
        let mut left = Vec::new();
        loop {
            match received.recv_timeout(LOOK_EVERY) {
                Ok(line) => show(&line, &mut tally),
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
                // A process left behind holds the output open, so its end alone is not waited for.
                Err(mpsc::RecvTimeoutError::Timeout) if child.try_wait()?.is_some() => left.extend(kill_all()),
                Err(mpsc::RecvTimeoutError::Timeout) if Instant::now() >= deadline => {
                    println!("error: {shown} did not end within {minutes_max} minutes and is killed");
                    late = true;
                    child.kill().with_context(|| format!("cannot kill {shown}"))?;
                }
                Err(mpsc::RecvTimeoutError::Timeout) => {}
            }
        }
        let status = child.wait().with_context(|| format!("cannot wait for {shown}"))?;
        left.extend(kill_all());
        for name in &left {
            println!("error: {shown} left a process behind: {name}");
        }
        drop(received);
        if reader.join().is_err() {
            println!("error: the output of {shown} could not be read to its end");
        }
        println!("  ({:.0} s)", started.elapsed().as_secs_f64());
        Ok(Done { success: status.success() && !late && left.is_empty(), tally })
    }
}

fn show(line: &[u8], tally: &mut Tally) {
    let line = String::from_utf8_lossy(line);
    println!("{line}");
    tally.read(&line);
}

/// Kills every child, and the children that these leave to us, until none is left. Returns their names.
fn kill_all() -> Vec<String> {
    let mut killed = Vec::new();
    for _ in 0..100 {
        let children = children();
        if children.is_empty() {
            break;
        }
        for (pid, name) in children {
            if !killed.contains(&name) {
                killed.push(name);
            }
            let mut status = 0;
            // SAFETY: both calls take a pid that /proc named as our own child, which therefore cannot
            // have been reused before we wait for it; `status` outlives the call.
            unsafe {
                libc::kill(pid, libc::SIGKILL);
                libc::waitpid(pid, &raw mut status, 0);
            }
        }
    }
    killed
}

/// Children of this process that still run, from /proc.
fn children() -> Vec<(i32, String)> {
    let own = std::process::id().to_string();
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    entries
        .filter_map(|entry| {
            let pid: i32 = entry.ok()?.file_name().to_str()?.parse().ok()?;
            let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
            let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
            if field("PPid:")? != own {
                return None;
            }
            if field("State:")?.starts_with('Z') {
                let mut ignored = 0;
                // SAFETY: waits for an ended child of ours without blocking; `ignored` outlives the call.
                unsafe { libc::waitpid(pid, &raw mut ignored, libc::WNOHANG) };
                return None;
            }
            Some((pid, format!("{} ({pid})", field("Name:").unwrap_or("?"))))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_that_leaves_a_process_behind_fails_and_the_process_is_gone() {
        let warden = Warden::new();
        let left = warden.run(Step::new("sh").args(["-c", "setsid sleep 600 >/dev/null & exit 0"])).unwrap();
        assert!(!left.success);
        assert!(children().is_empty());
        let late = warden.run(Step::new("sleep").args(["600"]).minutes(0)).unwrap();
        assert!(!late.success, "a step past its deadline is killed and fails");
        let good = warden.run(Step::new("echo").args(["test result: ok. 4 passed; 0 failed;"])).unwrap();
        assert!(good.success);
        assert_eq!(good.tally, Tally { passed: 4, failed: 0 });
    }
}
