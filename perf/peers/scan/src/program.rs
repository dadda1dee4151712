//! Scanners that are programs: started with the haystack, and with an empty file; what is between is the scan.

use crate::Work;
use serde_json::{Value, json};
use std::error::Error;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;
use workload::absent::require;

/// YARA with one rule for each literal, compiled beforehand.
pub fn yara(work: &Work) -> Result<Value, Box<dyn Error>> {
    require("yarac", "apt-get install yara")?;
    let (source, rules) = (work.dir.join("literals.yar"), work.dir.join("literals.yarc"));
    let mut text = String::new();
    for (number, literal) in work.literals.iter().enumerate() {
        writeln!(text, "rule r{number} {{ strings: $a = {{ {} }} condition: $a }}", digits(literal, " "))?;
    }
    std::fs::write(&source, text)?;
    let started = Instant::now();
    let built = Command::new("yarac").args(["-w".as_ref(), source.as_os_str(), rules.as_os_str()]).status()?;
    if !built.success() {
        return Err(format!("yarac ended with {built}").into());
    }
    let build_seconds = started.elapsed().as_secs_f64();
    let yara = |file: &Path| {
        let mut command = Command::new("yara");
        command.args(["-w", "-p", "1", "-C"]).arg(&rules).arg(file);
        command
    };
    cell(work, build_seconds, std::fs::metadata(&rules)?.len(), &[0], yara)
}

/// clamscan with one signature for each literal.
pub fn clamscan(work: &Work) -> Result<Value, Box<dyn Error>> {
    require("clamscan", "apt-get install clamav")?;
    let database = work.dir.join("literals.ndb");
    let mut text = String::new();
    for (number, literal) in work.literals.iter().enumerate() {
        writeln!(text, "L.{number}:0:*:{}", digits(literal, ""))?;
    }
    std::fs::write(&database, text)?;
    let clamscan = |file: &Path| {
        let mut command = Command::new("clamscan");
        command.args(["--no-summary", "--allmatch", "--max-filesize=400M", "--max-scansize=400M"]);
        command.arg(format!("--database={}", database.display())).arg(file);
        command
    };
    cell(work, 0.0, std::fs::metadata(&database)?.len(), &[0, 1], clamscan)
}

fn digits(literal: &[u8], between: &str) -> String {
    literal.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(between)
}

/// `good` are exit codes of a scan that went well.
fn cell(
    work: &Work,
    build_seconds: f64,
    set_bytes: u64,
    good: &[i32],
    program: impl Fn(&Path) -> Command,
) -> Result<Value, Box<dyn Error>> {
    let once = |name: &str, bytes: &[u8]| -> Result<(f64, usize), Box<dyn Error>> {
        let file: PathBuf = work.dir.join(name);
        std::fs::write(&file, bytes)?;
        let before = children_seconds();
        let output = program(&file).stderr(Stdio::null()).output()?;
        if !output.status.code().is_some_and(|code| good.contains(&code)) {
            return Err(format!("{:?} ended with {}", program(&file).get_program(), output.status).into());
        }
        let lines = output.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count();
        Ok((children_seconds() - before, lines))
    };
    let (idle, _) = once("small", b"nothing is in this file")?;
    let (busy, lines) = once("haystack", &work.haystack)?;
    Ok(json!({
        "megabytes_per_second": work.haystack.len() as f64 / 1e6 / (busy - idle).max(0.001),
        "lines": lines,
        "haystack_bytes": work.haystack.len(),
        "build_seconds": if build_seconds > 0.0 { build_seconds } else { idle },
        "set_bytes": set_bytes,
    }))
}

/// Processor time of all children that have ended, as the kernel counts it, in ticks of a hundredth of a second.
fn children_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // Behind the name, which may hold anything: state is field 3, cutime 16, cstime 17.
    let fields: Vec<&str> = text.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |number: usize| fields.get(number - 3).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(16) + ticks(17)) / 100.0
}
