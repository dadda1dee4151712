//! `env.json`: where a run was made, so that its figures can be judged. No secrets, no host name.

use serde_json::{Value, json};
use std::fs;

/// What is known of this computer and program, and what the caller adds.
pub fn describe(server: &str, intake: &str, began: &str) -> Value {
    json!({
        "loadgen": env!("CARGO_PKG_VERSION"),
        "began": began,
        "server": server,
        "intake": intake,
        "os": std::env::consts::OS,
        "arch": std::env::consts::ARCH,
        "cpus": std::thread::available_parallelism().map_or(0, usize::from),
        "cpu": line_value("/proc/cpuinfo", "model name"),
        "memory": line_value("/proc/meminfo", "MemTotal"),
        "kernel": read("/proc/sys/kernel/osrelease"),
        "optimised": !cfg!(debug_assertions),
    })
}

/// A file that another system does not have is simply absent from the description.
fn read(path: &str) -> Option<String> {
    Some(fs::read_to_string(path).ok()?.trim().to_owned())
}

fn line_value(path: &str, key: &str) -> Option<String> {
    let text = read(path)?;
    let line = text.lines().find(|line| line.starts_with(key))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}
