//! What a person sees: tables on stdout, progress on stderr when it is a terminal.
#![allow(clippy::print_stdout)]

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use loadgen::compare::Compared;
use loadgen::measure::Tally;
use loadgen::profile::Profile;
use loadgen::result::{Percentiles, RunResult};
use loadgen::saturate::{Slo, Step};
use serde_json::json;
use std::path::Path;
use std::time::Duration;

/// A bar over the time of arrivals; without a terminal it shows nothing.
pub(crate) struct Progress(ProgressBar);

impl Progress {
    pub(crate) fn new(profile: &Profile) -> Self {
        let bar = ProgressBar::with_draw_target(
            Some((profile.duration_s * 1000.0) as u64),
            ProgressDrawTarget::stderr_with_hz(4),
        );
        if let Ok(style) = ProgressStyle::with_template("{elapsed:>4} [{bar:30}] {msg}") {
            bar.set_style(style.progress_chars("=> "));
        }
        Self(bar)
    }

    pub(crate) fn show(&self, tally: &Tally, at: Duration) {
        let last = tally.intervals.last();
        self.0.set_position(at.as_millis() as u64);
        self.0.set_message(format!(
            "{} offered, {} accepted, {} refused, {} errors, p99 {} ms",
            tally.offered,
            tally.accepted,
            tally.refused_count(),
            tally.error_count(),
            millis(last.map_or(0, |interval| interval.p99_us)),
        ));
    }

    pub(crate) fn end(&self) {
        self.0.finish_and_clear();
    }
}

pub(crate) fn profiles(profiles: &[Profile], json: bool) -> anyhow::Result<()> {
    if json {
        let list: Vec<_> = profiles.iter().map(|p| json!({"name": p.name, "about": p.about})).collect();
        println!("{}", serde_json::to_string(&list)?);
        return Ok(());
    }
    for profile in profiles {
        println!("{:<14} {}", profile.name, profile.about);
    }
    Ok(())
}

pub(crate) fn result(result: &RunResult, folder: &Path, json: bool) -> anyhow::Result<()> {
    if json {
        println!("{:#}", json!(result));
        return Ok(());
    }
    println!("profile     {} over {}, seed {}", result.profile, result.protocol, result.seed);
    println!(
        "offered     {:>12}   in {:.1} s, {} a second asked for",
        result.offered, result.seconds, result.rate_per_s
    );
    println!(
        "accepted    {:>12}   {} duplicates, {:.0} a second, {} a second",
        result.accepted,
        result.duplicates,
        result.accepted_per_s,
        bytes(result.bytes_per_s)
    );
    println!("refused     {:>12}   {}", result.refused.values().sum::<u64>(), reasons(result));
    println!("errors      {:>12}   {}", result.errors, list(&result.errors_by_kind));
    println!("\nms                 p50        p90        p99      p99.9        max");
    row("response", &result.response_us);
    row("service", &result.service_us);
    row("lag (ours)", &result.generator_lag_us);
    println!();
    verdicts(result);
    println!("results     {}", folder.display());
    Ok(())
}

fn reasons(result: &RunResult) -> String {
    match (result.refused.is_empty(), result.refused_late) {
        (true, _) => String::new(),
        (false, late) => format!("{}; {late} after body bytes were sent", list(&result.refused)),
    }
}

fn list(counts: &std::collections::BTreeMap<String, u64>) -> String {
    counts.iter().map(|(name, count)| format!("{name} {count}")).collect::<Vec<_>>().join(", ")
}

fn row(name: &str, of: &Percentiles) {
    let [p50, p90, p99, p999, max] = [of.p50, of.p90, of.p99, of.p999, of.max].map(millis);
    println!("{name:<11} {p50:>10} {p90:>10} {p99:>10} {p999:>10} {max:>10}");
}

fn verdicts(result: &RunResult) {
    let conservation = &result.conservation;
    let held = |ok: bool| if ok { "ok  " } else { "FAIL" };
    println!(
        "{}        conserved: {} more items listed, {} read back and compared",
        held(conservation.ok),
        conservation.listed,
        conservation.read_back
    );
    for problem in &conservation.problems {
        println!("              {problem}");
    }
    for verdict in &result.thresholds {
        println!("{}        {}: limit {}, found {:.3}", held(verdict.ok), verdict.name, verdict.limit, verdict.found);
    }
    if let Some(reason) = &result.invalid_because {
        println!("INVALID     {reason}");
    }
    if result.reconnects > 0 {
        println!("note        {} times a connection broke and was made again", result.reconnects);
    }
    for reason in &result.lanes_ended {
        println!("note        a connection ended early: {reason}");
    }
}

pub(crate) fn step(step: &Step) {
    let outcome = step.broken.as_deref().unwrap_or("kept");
    eprintln!("{:>12.0} a second: {:>9} ms, {outcome}", step.rate_per_s, millis(step.found_us));
}

pub(crate) fn saturation(slo: Slo, best: Option<f64>, steps: &[Step], json: bool) -> anyhow::Result<()> {
    if json {
        println!("{}", serde_json::to_string(&json!({"slo": slo, "rate_per_s": best, "steps": steps}))?);
        return Ok(());
    }
    match best {
        Some(rate) => println!("{rate:.0} arrivals a second keep the promise"),
        None => println!("no rate keeps the promise"),
    }
    Ok(())
}

pub(crate) fn compared(rows: &[Compared], json: bool) -> anyhow::Result<()> {
    if json {
        println!("{}", serde_json::to_string(rows)?);
        return Ok(());
    }
    println!("{:<18} {:>14} {:>14} {:>8} {:>8}", "", "A", "B", "B/A", "noise");
    for row in rows {
        let noise = row.noise.map_or_else(|| "-".to_owned(), |noise| format!("{noise:.3}"));
        let said = match row.stands_out() {
            Some(true) => "differs",
            Some(false) => "within noise",
            None => "",
        };
        println!("{:<18} {:>14.1} {:>14.1} {:>8.3} {noise:>8} {said}", row.name, row.a, row.b, row.ratio);
    }
    Ok(())
}

fn millis(us: u64) -> String {
    format!("{:.3}", us as f64 / 1000.0)
}

fn bytes(count: f64) -> String {
    format!("{:.1} MB", count / 1e6)
}
