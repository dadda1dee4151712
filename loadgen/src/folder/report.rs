//! `report.html`: the run on one page that needs nothing else.

use super::chart::{Chart, Line, Scale, short};
use crate::measure::{Interval, Tally};
use crate::result::{Percentiles, RunResult};
use hdrhistogram::Histogram;
use std::fmt::Write;

const STYLE: &str = r#"
:root{--ink:#1c2430;--soft:#5d6877;--paper:#fff;--rule:#dfe3e8;--a:#1f6feb;--b:#c2410c;--c:#7c3aed;--good:#15803d;--bad:#b91c1c}
@media(prefers-color-scheme:dark){:root{--ink:#e6e9ee;--soft:#98a2b0;--paper:#14181d;--rule:#2d343d;--a:#6cb0ff;--b:#fb923c;--c:#c4a5ff;--good:#4ade80;--bad:#f87171}}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:900px;margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem;margin:0}h2{font-size:1.05rem;margin:2rem 0 .3rem}p{margin:.3rem 0}.soft{color:var(--soft)}
svg{width:100%;height:auto;display:block}.grid{stroke:var(--rule)}.tick{font:12px system-ui,sans-serif;fill:var(--soft)}
.line{fill:none;stroke-width:2;stroke-linejoin:round}
.offered{stroke:var(--soft);stroke-dasharray:5 4}.accepted,.p50,.service{stroke:var(--a)}.refused,.p99,.response{stroke:var(--b)}.max{stroke:var(--c)}
.key span{margin-right:1.4rem;color:var(--soft)}.key span::before{content:"";display:inline-block;width:22px;border-top:3px solid;margin:0 .4rem .25em 0}
.key .offered::before{color:var(--soft);border-top-style:dashed}.key .accepted::before,.key .p50::before,.key .service::before{color:var(--a)}
.key .refused::before,.key .p99::before,.key .response::before{color:var(--b)}.key .max::before{color:var(--c)}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}td,th{text-align:right;padding:.25rem .6rem;border-bottom:1px solid var(--rule)}
td:first-child,th:first-child{text-align:left}td.text{text-align:left;overflow-wrap:anywhere}.good{color:var(--good)}.bad{color:var(--bad)}"#;

pub(super) fn page(result: &RunResult, tally: &Tally, environment: &serde_json::Value) -> String {
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>loadgen {name}</title>\
         <meta name=\"viewport\" content=\"width=device-width\"><style>{STYLE}</style></head><body>\n\
         <h1>loadgen {name}</h1>\n<p class=\"soft\">{protocol}, {rate} arrivals/s asked for, seed {seed}, open loop</p>\n",
        name = escaped(&result.profile),
        protocol = escaped(&result.protocol),
        rate = short(result.rate_per_s),
        seed = result.seed,
    );
    out += &verdict(result);
    out += &section(throughput(&tally.intervals));
    out += &section(latency(&tally.intervals));
    out += &section(curve(&tally.response, &tally.service));
    out += &percentiles(result);
    out += &account(result);
    out += &rows("Environment", environment);
    out + "</body></html>\n"
}

fn verdict(result: &RunResult) -> String {
    let mut out = String::new();
    let mut say = |good: bool, text: String| {
        let class = if good { "good" } else { "bad" };
        let mark = if good { "yes" } else { "NO" };
        let _ = writeln!(out, "<p><b class=\"{class}\">{mark}</b> {}</p>", escaped(&text));
    };
    let conservation = &result.conservation;
    say(conservation.ok, format!("conserved: {} items read back and compared", conservation.read_back));
    for problem in &conservation.problems {
        say(false, problem.clone());
    }
    for verdict in &result.thresholds {
        let text = format!("{}: limit {}, found {}", verdict.name, short(verdict.limit), short(verdict.found));
        say(verdict.ok, text);
    }
    match &result.invalid_because {
        None => say(true, "valid: the generator kept its schedule".to_owned()),
        Some(reason) => say(false, reason.clone()),
    }
    for reason in &result.lanes_ended {
        say(false, format!("a connection ended early: {reason}"));
    }
    out
}

fn section(chart: Chart) -> String {
    let key: String = chart.lines.iter().map(|line| format!("<span class=\"{0}\">{0}</span>", line.name)).collect();
    format!("<h2>{}</h2>\n<p class=\"key\">{key}</p>\n{}", chart.title, chart.svg())
}

fn throughput(intervals: &[Interval]) -> Chart {
    let line = |name, count: fn(&Interval) -> u64| Line {
        name,
        points: whole(intervals)
            .map(|interval| (middle(interval), count(interval) as f64 / interval.length.as_secs_f64()))
            .collect(),
    };
    Chart {
        title: "Arrivals a second",
        x_title: "seconds from the start",
        scale: Scale::Linear,
        x_ticks: seconds(intervals),
        lines: vec![
            line("offered", |interval| interval.offered),
            line("accepted", |interval| interval.accepted),
            line("refused", |interval| interval.refused),
        ],
    }
}

fn latency(intervals: &[Interval]) -> Chart {
    let line = |name, us: fn(&Interval) -> u64| Line {
        name,
        points: whole(intervals).map(|interval| (middle(interval), us(interval) as f64 / 1000.0)).collect(),
    };
    Chart {
        title: "Response time of each second, milliseconds",
        x_title: "seconds from the start",
        scale: Scale::Log,
        x_ticks: seconds(intervals),
        lines: vec![
            line("p50", |interval| interval.p50_us),
            line("p99", |interval| interval.p99_us),
            line("max", |interval| interval.max_us),
        ],
    }
}

/// Latency over percentile, stretched towards 100 % so that the tail is seen.
fn curve(response: &Histogram<u64>, service: &Histogram<u64>) -> Chart {
    let line = |name, histogram: &Histogram<u64>| Line {
        name,
        points: histogram
            .iter_quantiles(5)
            .map(|step| (nines(step.quantile_iterated_to(), histogram.len()), step.value_iterated_to() as f64 / 1000.0))
            .collect(),
    };
    let far = nines(1.0, response.len());
    let labels = ["0", "90 %", "99 %", "99.9 %", "99.99 %", "99.999 %", "99.9999 %"];
    Chart {
        title: "Response and service time by percentile, milliseconds",
        x_title: "percentile",
        scale: Scale::Log,
        x_ticks: labels
            .iter()
            .enumerate()
            .map(|(nines, label)| (nines as f64, (*label).to_owned()))
            .filter(|(at, _)| *at <= far)
            .collect(),
        lines: vec![line("response", response), line("service", service)],
    }
}

/// 0 at the median's side, 1 at 90 %, 2 at 99 %; the last value lies where one in `count` would.
fn nines(quantile: f64, count: u64) -> f64 {
    -(1.0 - quantile).max(1.0 / count.max(1) as f64).log10()
}

/// Intervals long enough for a rate: the last one is a rest.
fn whole(intervals: &[Interval]) -> impl Iterator<Item = &Interval> {
    intervals.iter().filter(|interval| interval.length.as_secs_f64() > 0.2)
}

fn middle(interval: &Interval) -> f64 {
    (interval.at + interval.length / 2).as_secs_f64()
}

fn seconds(intervals: &[Interval]) -> Vec<(f64, String)> {
    let end = intervals.last().map_or(1.0, |interval| (interval.at + interval.length).as_secs_f64());
    let step = [1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 600.0, 3600.0]
        .into_iter()
        .find(|step| end / step <= 10.0)
        .unwrap_or(end / 10.0);
    (0..=(end / step) as u32).map(|tick| (f64::from(tick) * step, short(f64::from(tick) * step))).collect()
}

fn percentiles(result: &RunResult) -> String {
    let row = |name: &str, of: &Percentiles| {
        let cells: String = [of.p50, of.p90, of.p99, of.p999, of.max]
            .iter()
            .map(|us| format!("<td>{:.3}</td>", *us as f64 / 1000.0))
            .collect();
        format!("<tr><td>{name}</td>{cells}</tr>\n")
    };
    format!(
        "<h2>Milliseconds</h2>\n<table><tr><th></th><th>p50</th><th>p90</th><th>p99</th><th>p99.9</th><th>max</th></tr>\n\
         {}{}{}</table>\n",
        row("response (from the intended start)", &result.response_us),
        row("service (from the first byte sent)", &result.service_us),
        row("generator lag", &result.generator_lag_us),
    )
}

fn account(result: &RunResult) -> String {
    let refused: u64 = result.refused.values().sum();
    let mut account = serde_json::json!({
        "offered": result.offered, "accepted": result.accepted, "duplicates": result.duplicates,
        "refused": refused, "refused after body bytes were sent": result.refused_late, "errors": result.errors,
        "items newly listed": result.conservation.listed,
        "accepted a second": short(result.accepted_per_s), "plain bytes a second": short(result.bytes_per_s),
        "seconds": short(result.seconds), "connections made again": result.reconnects,
    });
    for (reason, count) in &result.refused {
        account[format!("refused: {reason}")] = serde_json::json!(count);
    }
    for (kind, count) in &result.errors_by_kind {
        account[format!("errors: {kind}")] = serde_json::json!(count);
    }
    rows("Account", &account)
}

fn rows(title: &str, of: &serde_json::Value) -> String {
    let mut out = format!("<h2>{title}</h2>\n<table>\n");
    for (key, value) in of.as_object().into_iter().flatten() {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let class = if value.is_string() { " class=\"text\"" } else { "" };
        let _ = writeln!(out, "<tr><td>{}</td><td{class}>{}</td></tr>", escaped(key), escaped(&text));
    }
    out + "</table>\n"
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
