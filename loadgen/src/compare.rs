//! Two runs side by side: ratios, and whether they stand out of the noise of the runs themselves.

use crate::result::RunResult;
use serde::Serialize;
use std::fs;
use std::path::{Path, PathBuf};

/// Why two runs cannot be compared.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    /// A file of a result directory cannot be read.
    #[error("{path} cannot be read as a run: {cause}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        cause: String,
    },
}

/// One figure of both runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Compared {
    /// What it is.
    pub name: &'static str,
    /// Run A's.
    pub a: f64,
    /// Run B's.
    pub b: f64,
    /// B over A.
    pub ratio: f64,
    /// Two standard errors of the ratio, from how the figure differs from second to second; `None`
    /// where a run has no such series.
    pub noise: Option<f64>,
}

impl Compared {
    /// Whether the difference is larger than the noise.
    pub fn stands_out(&self) -> Option<bool> {
        self.noise.map(|noise| (self.ratio - 1.0).abs() > noise)
    }
}

struct Run {
    result: RunResult,
    per_s: Vec<f64>,
    bytes_per_s: Vec<f64>,
    p50: Vec<f64>,
    p99: Vec<f64>,
}

/// Compares two result directories.
///
/// # Errors
/// A file that is missing or is not what its name says.
pub fn compare(a: &Path, b: &Path) -> Result<Vec<Compared>, CompareError> {
    let (a, b) = (read(a)?, read(b)?);
    let us = |run: &Run, of: fn(&RunResult) -> u64| of(&run.result) as f64;
    let row = |name, of_a: f64, of_b: f64, noise| Compared { name, a: of_a, b: of_b, ratio: of_b / of_a, noise };
    Ok(vec![
        row("accepted_per_s", a.result.accepted_per_s, b.result.accepted_per_s, noise(&a.per_s, &b.per_s)),
        row("bytes_per_s", a.result.bytes_per_s, b.result.bytes_per_s, noise(&a.bytes_per_s, &b.bytes_per_s)),
        row("response_p50_us", us(&a, |r| r.response_us.p50), us(&b, |r| r.response_us.p50), noise(&a.p50, &b.p50)),
        row("response_p99_us", us(&a, |r| r.response_us.p99), us(&b, |r| r.response_us.p99), noise(&a.p99, &b.p99)),
        row("response_p999_us", us(&a, |r| r.response_us.p999), us(&b, |r| r.response_us.p999), None),
        row("service_p50_us", us(&a, |r| r.service_us.p50), us(&b, |r| r.service_us.p50), None),
        row("service_p99_us", us(&a, |r| r.service_us.p99), us(&b, |r| r.service_us.p99), None),
    ])
}

fn read(folder: &Path) -> Result<Run, CompareError> {
    let failed = |path: &Path, cause: String| CompareError::Read { path: path.to_owned(), cause };
    let path = folder.join("result.json");
    let text = fs::read_to_string(&path).map_err(|cause| failed(&path, cause.to_string()))?;
    let result = serde_json::from_str(&text).map_err(|cause| failed(&path, cause.to_string()))?;
    let path = folder.join("timeseries.csv");
    let text = fs::read_to_string(&path).map_err(|cause| failed(&path, cause.to_string()))?;
    let mut run = Run { result, per_s: Vec::new(), bytes_per_s: Vec::new(), p50: Vec::new(), p99: Vec::new() };
    for line in text.lines().skip(1) {
        let fields: Vec<f64> = line.split(',').filter_map(|field| field.parse().ok()).collect();
        let [_, length_s, _, accepted, _, _, bytes, p50_us, p99_us, _] = fields[..] else {
            return Err(failed(&path, format!("the line '{line}' has not ten numbers")));
        };
        // The rest of a second at the end, and the warm-up, whose latencies are not recorded.
        if length_s > 0.5 && p50_us > 0.0 {
            run.per_s.push(accepted / length_s);
            run.bytes_per_s.push(bytes / length_s);
            run.p50.push(p50_us);
            run.p99.push(p99_us);
        }
    }
    Ok(run)
}

/// Two standard errors of the ratio of two means.
fn noise(a: &[f64], b: &[f64]) -> Option<f64> {
    Some(2.0 * (relative_error(a)?.powi(2) + relative_error(b)?.powi(2)).sqrt())
}

/// Standard error of the mean over the mean.
fn relative_error(values: &[f64]) -> Option<f64> {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    if values.len() < 3 || mean == 0.0 {
        return None;
    }
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0);
    Some((variance / count).sqrt() / mean)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(rows: &[(u64, u64)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("result.json"), include_str!("../tests/result.json")).unwrap();
        let rows: String =
            rows.iter().map(|(accepted, p50)| format!("0.0,1.0,9,{accepted},0,0,0,{p50},{p50},9\n")).collect();
        fs::write(folder.path().join("timeseries.csv"), format!("{}\n{rows}", crate::folder::COLUMNS)).unwrap();
        folder
    }

    #[test]
    fn a_run_against_itself_is_one_and_does_not_stand_out() {
        let run = folder(&[(90, 100), (110, 120), (100, 80)]);
        for compared in compare(run.path(), run.path()).unwrap() {
            assert_eq!((compared.ratio, compared.stands_out().unwrap_or(false)), (1.0, false), "{}", compared.name);
        }
    }

    #[test]
    fn noise_grows_with_the_spread() {
        assert!(noise(&[99.0, 100.0, 101.0], &[99.0, 100.0, 101.0]) < noise(&[50.0, 100.0, 150.0], &[100.0; 3]));
        assert_eq!(noise(&[1.0], &[1.0, 2.0, 3.0]), None);
    }

    #[test]
    fn a_missing_run_is_named() {
        let error = compare(Path::new("/nonexistent/run"), Path::new("/nonexistent/run")).unwrap_err();
        assert!(error.to_string().contains("/nonexistent/run/result.json"), "{error}");
    }
}
