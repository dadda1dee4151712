//! The result directory: everything a run leaves behind, each file in the format of its own tools.

mod chart;
mod report;

use crate::measure::{Interval, Tally};
use crate::result::RunResult;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::interval_log::IntervalLogWriterBuilder;
use hdrhistogram::serialization::{Deserializer, V2DeflateSerializer};
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use std::{fs, iter};

/// Ticks in each halving of the distance to 100 %, as HdrHistogram's own tools print.
const TICKS_PER_HALF: u32 = 5;

/// A file of the result directory cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("the result cannot be written to {path}: {cause}")]
pub struct FolderError {
    /// The file.
    pub path: PathBuf,
    /// Why not.
    pub cause: io::Error,
}

/// Writes every file of the result directory, which is made where it is missing.
///
/// # Errors
/// The first file that cannot be written.
pub fn write(
    folder: &Path,
    result: &RunResult,
    tally: &Tally,
    environment: &serde_json::Value,
    began: SystemTime,
) -> Result<(), FolderError> {
    let failed = |path: PathBuf| move |cause| FolderError { path, cause };
    fs::create_dir_all(folder).map_err(failed(folder.to_owned()))?;
    let put = |name: &str, bytes: Vec<u8>| {
        let path = folder.join(name);
        fs::write(&path, bytes).map_err(failed(path))
    };
    put("result.json", pretty(&serde_json::json!(result)))?;
    put("env.json", pretty(environment))?;
    put("response.hgrm", percentiles(&tally.response).into_bytes())?;
    put("service.hgrm", percentiles(&tally.service).into_bytes())?;
    put("timeseries.csv", timeseries(&tally.intervals).into_bytes())?;
    let log = interval_log(&tally.intervals, began).map_err(failed(folder.join("interval.hlog")))?;
    put("interval.hlog", log)?;
    put("report.html", report::page(result, tally, environment).into_bytes())
}

fn pretty(value: &serde_json::Value) -> Vec<u8> {
    format!("{value:#}\n").into_bytes()
}

/// The percentile distribution as HdrHistogram's plotters read it; values in microseconds.
fn percentiles(histogram: &Histogram<u64>) -> String {
    let mut out = format!("{:>12} {:>14} {:>10} {:>14}\n\n", "Value", "Percentile", "TotalCount", "1/(1-Percentile)");
    for step in histogram.iter_quantiles(TICKS_PER_HALF) {
        let quantile = step.quantile_iterated_to();
        let value = step.value_iterated_to();
        let total = histogram.count_between(0, value);
        let _ = match quantile < 1.0 {
            true => writeln!(out, "{value:>12} {quantile:>14.12} {total:>10} {:>14.2}", 1.0 / (1.0 - quantile)),
            false => writeln!(out, "{value:>12} {quantile:>14.12} {total:>10}"),
        };
    }
    let (mean, deviation) = (histogram.mean(), histogram.stdev());
    let (max, count) = (histogram.max(), histogram.len());
    let _ = writeln!(out, "#[Mean    = {mean:>12.3}, StdDeviation   = {deviation:>12.3}]");
    let _ = writeln!(out, "#[Max     = {max:>12.3}, Total count    = {count:>12}]");
    let _ = writeln!(out, "#[Buckets = {:>12}, SubBuckets     = {:>12}]", histogram.buckets(), 2048);
    out
}

/// The first line of `timeseries.csv`.
pub const COLUMNS: &str = "at_s,length_s,offered,accepted,refused,errors,bytes,p50_us,p99_us,max_us";

fn timeseries(intervals: &[Interval]) -> String {
    let rows = intervals.iter().map(|interval| {
        let Interval { at, length, offered, accepted, refused, errors, bytes, p50_us, p99_us, max_us, .. } = interval;
        let (at, length) = (at.as_secs_f64(), length.as_secs_f64());
        format!("{at:.3},{length:.3},{offered},{accepted},{refused},{errors},{bytes},{p50_us},{p99_us},{max_us}\n")
    });
    iter::once(format!("{COLUMNS}\n")).chain(rows).collect()
}

/// Response histograms of each second, in HdrHistogram's V2 log; maxima in milliseconds.
fn interval_log(intervals: &[Interval], began: SystemTime) -> io::Result<Vec<u8>> {
    let mut out = Vec::new();
    let mut serializer = V2DeflateSerializer::new();
    let mut builder = IntervalLogWriterBuilder::new();
    builder.add_comment("[Histogram log format version 1.3]").with_max_value_divisor(1000.0);
    let began_s = began.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs();
    builder.with_start_time(UNIX_EPOCH + Duration::from_secs(began_s));
    builder.with_base_time(UNIX_EPOCH + Duration::from_secs(began_s));
    let mut log = builder.begin_log_with(&mut out, &mut serializer)?;
    for interval in intervals {
        let histogram: Histogram<u64> =
            Deserializer::new().deserialize(&mut &interval.histogram[..]).map_err(io::Error::other)?;
        log.write_histogram(&histogram, interval.at, interval.length, None).map_err(|cause| {
            io::Error::other(format!("the histogram of second {} does not serialise: {cause:?}", interval.at.as_secs()))
        })?;
    }
    out.flush()?;
    Ok(out)
}

#[cfg(test)]
mod tests;
