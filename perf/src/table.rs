//! Tables for people, in Markdown, made from a record.

use crate::plan::Wanted;
use crate::record::{ContestantRecord, Record, RowRecord, Spread};
use std::fmt::Write;

/// One table a row of the plan, with its bars below.
pub fn markdown(record: &Record) -> String {
    let mut out = String::new();
    for row in &record.rows {
        // Writing to a string cannot fail.
        let _ = write_row(&mut out, row);
    }
    out
}

fn write_row(out: &mut String, row: &RowRecord) -> std::fmt::Result {
    writeln!(out, "**{}** (median, least to most; bytes are those of a sample)\n", row.name)?;
    if row.contestants.iter().all(|contestant| contestant.rate.is_none()) {
        write_plain(out, row)?;
        return write_limits(out, row);
    }
    let stores = row.contestants.iter().flat_map(|one| &one.cells).any(|cell| !cell["samples_per_second"].is_null());
    if !stores {
        write_scans(out, row)?;
        return write_bars(out, row);
    }
    let ours = row.contestants.iter().find(|contestant| contestant.name == "product").and_then(|found| found.rate);
    writeln!(out, "| store | samples/s | MB/s | ack p50 ms | ack p99 ms | product is | stored | written | on disk |")?;
    writeln!(out, "|---|---|---|---|---|---|---|---|---|")?;
    for contestant in &row.contestants {
        let Some(rate) = contestant.rate else {
            let why = contestant.absent.as_deref().unwrap_or("no rate");
            writeln!(out, "| {} | absent: {why} | | | | | | | |", contestant.name)?;
            continue;
        };
        let field = |name: &str| figure(contestant, name);
        let bytes_a_sample = |name: &str| field(name) / field("all_samples");
        let against = ours.map_or_else(String::new, |ours| format!("{:.2}x", ours.median / rate.median));
        writeln!(
            out,
            "| {} | {:.0} ({:.0}-{:.0}) | {:.0} | {:.2} | {:.2} | {against} | {:.0} | {:.0} | {:.0} |",
            contestant.name,
            rate.median,
            rate.min,
            rate.max,
            field("megabytes_per_second"),
            field("ack_p50_ms"),
            field("ack_p99_ms"),
            bytes_a_sample("stored_bytes"),
            bytes_a_sample("written_bytes"),
            bytes_a_sample("disk_bytes"),
        )?;
    }
    write_bars(out, row)
}

/// Scanners: a rate of bytes, and what the set costs.
fn write_scans(out: &mut String, row: &RowRecord) -> std::fmt::Result {
    let ours = row.contestants.iter().find(|contestant| contestant.name == "product").and_then(|found| found.rate);
    writeln!(out, "| scanner | MB/s of one processor | product is | build s | set MB |\n|---|---|---|---|---|")?;
    for contestant in &row.contestants {
        let Some(rate) = contestant.rate else {
            let why = contestant.absent.as_deref().unwrap_or("no rate");
            writeln!(out, "| {} | absent: {why} | | | |", contestant.name)?;
            continue;
        };
        let against = ours.map_or_else(String::new, |ours| format!("{:.1}x", ours.median / rate.median));
        writeln!(
            out,
            "| {} | {:.1} ({:.1}-{:.1}) | {against} | {:.2} | {:.1} |",
            contestant.name,
            rate.median,
            rate.min,
            rate.max,
            figure(contestant, "build_seconds"),
            figure(contestant, "set_bytes") / 1e6,
        )?;
    }
    Ok(())
}

fn write_bars(out: &mut String, row: &RowRecord) -> std::fmt::Result {
    writeln!(out)?;
    for bar in &row.bars {
        let verdict = if bar.reached { "reached" } else { "not reached" };
        let Spread { median, min, max } = bar.ratio;
        writeln!(
            out,
            "- {} / {}: {median:.2} ({min:.2}-{max:.2}), bar {:.2}: {verdict}",
            bar.of, bar.against, bar.at_least
        )?;
    }
    write_limits(out, row)
}

fn write_limits(out: &mut String, row: &RowRecord) -> std::fmt::Result {
    for limit in &row.limits {
        let verdict = if limit.reached { "reached" } else { "not reached" };
        let wanted = match limit.wanted {
            Wanted::AtMost(most) => format!("at most {most}"),
            Wanted::AtLeast(least) => format!("at least {least}"),
        };
        let Spread { median, min, max } = limit.found;
        writeln!(out, "- {}: {median:.2} ({min:.2}-{max:.2}), {wanted}: {verdict}", limit.figure)?;
    }
    writeln!(out)
}

/// Cells that are not rates: every number of theirs.
fn write_plain(out: &mut String, row: &RowRecord) -> std::fmt::Result {
    writeln!(out, "| figure | median | least | most |\n|---|---|---|---|")?;
    for contestant in &row.contestants {
        let names = contestant.cells.first().and_then(|cell| cell.as_object()).into_iter().flat_map(|cell| cell.keys());
        for name in names {
            if let Some(spread) = spread(contestant, name) {
                writeln!(out, "| {name} | {:.3} | {:.3} | {:.3} |", spread.median, spread.min, spread.max)?;
            }
        }
    }
    writeln!(out)
}

fn spread(contestant: &ContestantRecord, name: &str) -> Option<Spread> {
    Spread::of(contestant.cells.iter().filter_map(|cell| cell[name].as_f64()))
}

fn figure(contestant: &ContestantRecord, name: &str) -> f64 {
    spread(contestant, name).map_or(f64::NAN, |spread| spread.median)
}
