//! `lazaret retest`: how stored samples are tested again, and letting that wait or go on.

use super::screen::{Column, Table, Tone, bar, escaped};
use super::{Failure, Shell};
use crate::config::amount::{counted, grouped, short_bytes};
use reqwest::Method;
use serde_json::{Value, json};

/// Cells of the progress bar.
const BAR_CELLS: usize = 30;
/// Past re-tests shown.
const SHOWN_MAX: usize = 10;

/// Commands on re-tests.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Test again what is behind the definitions in use
    Start {
        /// Test every sample with the whole set
        #[arg(long)]
        full: bool,
    },
    /// Show how re-tests go
    Status,
    /// Let re-tests wait
    Pause,
    /// Let them go on
    Resume,
}

/// Runs a command.
///
/// # Errors
/// The server does not answer or refuses.
pub fn run(shell: &Shell, command: &Command) -> Result<(), Failure> {
    let client = shell.client()?;
    let asked = match command {
        Command::Start { full } => Some(json!({"action": "start", "full": full})),
        Command::Status => None,
        Command::Pause => Some(json!({"action": "pause"})),
        Command::Resume => Some(json!({"action": "resume"})),
    };
    if let Some(asked) = asked.as_ref().filter(|_| shell.common.dry_run) {
        shell.screen.say(Tone::Faint, &format!("would ask for {asked}"));
        return Ok(());
    }
    let told = super::wait(async {
        match &asked {
            Some(asked) => client.send(Method::POST, "/v1/retests", asked).await,
            None => client.get("/v1/retests", &[]).await,
        }
    })?;
    if shell.screen.json { shell.screen.value(&told) } else { show(shell, &told) }
}

fn show(shell: &Shell, told: &Value) -> Result<(), Failure> {
    let number = |of: &Value, name: &str| of.get(name).and_then(Value::as_u64).unwrap_or(0);
    shell.screen.line(&format!(
        "{:<12}{}; {} shelves, {} on none",
        "scanned",
        counted(number(told, "samples"), "sample"),
        grouped(number(told, "shelves")),
        short_bytes(number(told, "unshelved_bytes"))
    ))?;
    if told.get("paused").and_then(Value::as_bool) == Some(true) {
        shell.screen.line(&format!(
            "{:<12}{}",
            "state",
            Tone::Warn.paint("paused: `lazaret retest resume` goes on")
        ))?;
    }
    let retests = told.get("retests").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if let Some(running) =
        retests.first().filter(|retest| retest.get("state").and_then(Value::as_str) == Some("running"))
    {
        let (answered, all) = (number(running, "answered"), number(running, "samples"));
        let cells = Tone::Busy.paint(&bar(answered, all, BAR_CELLS));
        shell.screen.line(&format!(
            "{:<12}\u{2595}{cells}\u{258f} {} of {}",
            "running",
            grouped(answered),
            grouped(all)
        ))?;
    }
    if retests.is_empty() {
        return Ok(());
    }
    let mut table = Table::new(vec![
        Column::number("id"),
        Column::number("definitions"),
        Column::fixed("extent"),
        Column::fixed("state"),
        Column::number("samples"),
        Column::number("scanned"),
        Column::number("blocks read"),
        Column::number("newly"),
        Column::number("no longer"),
        Column::number("time"),
        Column::flexible("who"),
    ]);
    for retest in retests.iter().take(SHOWN_MAX) {
        let text = |name: &str| retest.get(name).and_then(Value::as_str).map(escaped).unwrap_or_default();
        let figure = |name: &str| (grouped(number(retest, name)), Tone::Plain);
        let state = text("state");
        let tone = match state.as_str() {
            "done" => Tone::Good,
            "running" => Tone::Busy,
            _ => Tone::Faint,
        };
        table.row([
            figure("id"),
            figure("sequence"),
            (text("extent"), Tone::Plain),
            (state, tone),
            figure("answered"),
            figure("scanned"),
            figure("blocks_read"),
            figure("newly_detected"),
            figure("no_longer_detected"),
            (format!("{:.1} s", number(retest, "work_ms") as f64 / 1e3), Tone::Plain),
            (text("who"), Tone::Faint),
        ]);
    }
    shell.screen.line("")?;
    shell.screen.table(&table)
}
