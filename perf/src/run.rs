//! Runs the cells of a row in turn, so that a drift of the machine meets all of them alike.

use crate::plan::{Contestant, Row};
use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Stdio};
use workload::absent;

/// All results of one contestant, one a round.
pub type Cells = Vec<Value>;

/// What became of one contestant.
pub enum Taken {
    /// It took part.
    Part(Cells),
    /// It is not installed; its program says what brings it.
    Absent(String),
}

/// Free disk that a row needs at least: the largest store of one cell, twice.
const FREE_BYTES_MIN: u64 = 20 << 30;

/// Rounds of every contestant, A B A B; the results by contestant. Who is absent in the first round is
/// not asked again.
///
/// # Errors
/// A program is missing, fails, or says something that is not a line of JSON.
pub fn interleaved(row: &Row, rounds: usize, dir: &Path) -> Result<Vec<Taken>> {
    std::fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
    let free = crate::machine::free_bytes(dir);
    ensure!(free >= FREE_BYTES_MIN, "{} has {free} bytes free where {FREE_BYTES_MIN} are wanted", dir.display());
    let mut all: Vec<Taken> = row.contestants.iter().map(|_| Taken::Part(Vec::new())).collect();
    for round in 0..rounds {
        for (contestant, taken) in row.contestants.iter().zip(&mut all) {
            let Taken::Part(cells) = taken else { continue };
            match once(contestant, dir, round)? {
                Cell::Measured(cell) => {
                    println!("{} | round {} | {} | {}", row.name, round + 1, contestant.name, brief(&cell));
                    cells.push(cell);
                }
                Cell::Absent(why) => {
                    println!("{} | {} is absent: {why}", row.name, contestant.name);
                    *taken = Taken::Absent(why);
                }
            }
        }
    }
    Ok(all)
}

enum Cell {
    Measured(Value),
    Absent(String),
}

/// One cell in a folder of its own that is gone afterwards, with the dirty pages of the one before
/// written out first, so that no cell pays for another.
fn once(contestant: &Contestant, dir: &Path, round: usize) -> Result<Cell> {
    let folder = dir.join("cell");
    if folder.exists() {
        std::fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    // Without `sync` the cells are only a little less alike.
    let _ = Command::new("sync").status();
    let mut command = Command::new(contestant.program);
    command.args(&contestant.arguments).arg("--dir").arg(&folder).stdin(Stdio::null());
    if contestant.arguments.iter().any(|argument| argument == "--bytes") {
        command.args(["--seed", &(round + 1).to_string()]);
    }
    let output = command.stderr(Stdio::inherit()).output();
    let output = output.with_context(|| format!("cannot start {}; is it built?", contestant.program))?;
    let text = String::from_utf8_lossy(&output.stdout);
    if output.status.code() == Some(absent::EXIT_CODE) {
        return Ok(Cell::Absent(text.trim().to_owned()));
    }
    if !output.status.success() {
        bail!("{} ended with {}: {}", contestant.name, output.status, text.trim());
    }
    let line = text.lines().last().unwrap_or_default();
    let cell = serde_json::from_str(line).with_context(|| format!("{} said {line:?}", contestant.name))?;
    Ok(Cell::Measured(cell))
}

fn brief(cell: &Value) -> String {
    match (cell["samples_per_second"].as_f64(), cell["ack_p99_ms"].as_f64()) {
        (Some(rate), Some(p99)) => format!("{rate:.0}/s, p99 {p99:.2} ms"),
        _ => cell.to_string(),
    }
}
