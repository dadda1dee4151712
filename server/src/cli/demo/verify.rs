//! The server ends when it is asked to, and every stored byte is read and checked.

use super::stage::Stage;
use crate::cli::Failure;
use crate::config::amount::{grouped, short_span};
use std::time::Instant;

/// The step.
///
/// # Errors
/// A check does not hold.
pub fn run(stage: &mut Stage) -> Result<(), Failure> {
    let server = stage.server.take().ok_or_else(|| Failure::No("no server is running".to_owned()))?;
    let asked = Instant::now();
    stage.narrator.command(&format!("kill -TERM {}", server.pid()))?;
    let status = server.stop()?;
    stage
        .narrator
        .check(status.success(), &format!("drained and ended with exit 0 after {}", short_span(asked.elapsed())))?;
    let data = stage.data.to_string_lossy().into_owned();
    stage.narrator.command(&format!("lazaret verify --data {data}"))?;
    let started = Instant::now();
    let verified = stage.run(&["verify", "--json", "--data", &data])?;
    let elapsed = started.elapsed();
    let report: serde_json::Value = serde_json::from_slice(&verified.stdout).unwrap_or_default();
    let figure = |name: &str| report.get(name).and_then(serde_json::Value::as_u64).unwrap_or(0);
    let (samples, items) = (figure("samples"), figure("items"));
    let clean = verified.status.success();
    if !clean {
        stage.narrator.tell(String::from_utf8_lossy(&verified.stderr).trim())?;
    }
    let (all, distinct) = (stage.truth.items.len() as u64, stage.truth.samples.len() as u64);
    stage.narrator.check(
        clean && samples == distinct && items == all,
        &format!(
            "{} samples and {} items in {} segments, all intact, in {}",
            grouped(samples),
            grouped(items),
            figure("segments"),
            short_span(elapsed)
        ),
    )
}
