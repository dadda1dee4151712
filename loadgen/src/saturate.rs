//! The highest rate at which a promise is kept: double until it breaks, then halve the gap.

use crate::args::parse_duration;
use crate::result::RunResult;
use serde::Serialize;

/// Steps that double the rate at most; 2^16 times the first rate is beyond any server.
const DOUBLINGS_MAX: u32 = 16;
/// Steps that halve the gap between kept and broken: it ends within 1/16 of the kept rate.
const HALVINGS: u32 = 4;

/// A limit on a percentile of the response time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Slo {
    /// Which.
    pub percentile: Percentile,
    /// Its limit, microseconds; the promise is to stay below.
    pub limit_us: u64,
}

/// A percentile that a result holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Percentile {
    /// Median.
    P50,
    /// 90th.
    P90,
    /// 99th.
    P99,
    /// 99.9th.
    P999,
}

/// One rate that was tried.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Step {
    /// Arrivals a second.
    pub rate_per_s: f64,
    /// Items a second that came of them.
    pub accepted_per_s: f64,
    /// The promise's percentile, microseconds.
    pub found_us: u64,
    /// Arrivals refused or failed, as a share.
    pub failed: f64,
    /// Why the promise was broken; `None` when it was kept.
    pub broken: Option<String>,
}

impl Slo {
    /// Reads `p99<20ms`.
    ///
    /// # Errors
    /// What is wrong, as a sentence.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (name, limit) = text.split_once('<').ok_or_else(|| format!("'{text}' is not like p99<20ms"))?;
        let percentile = match name.trim() {
            "p50" => Percentile::P50,
            "p90" => Percentile::P90,
            "p99" => Percentile::P99,
            "p999" | "p99.9" => Percentile::P999,
            other => return Err(format!("'{other}' is not one of p50, p90, p99, p999")),
        };
        let limit_us = parse_duration(limit.trim())?.as_micros() as u64;
        Ok(Self { percentile, limit_us })
    }

    /// Judges a run at this rate.
    pub fn judge(&self, rate_per_s: f64, errors: f64, result: &RunResult) -> Step {
        let response = &result.response_us;
        let found_us = match self.percentile {
            Percentile::P50 => response.p50,
            Percentile::P90 => response.p90,
            Percentile::P99 => response.p99,
            Percentile::P999 => response.p999,
        };
        let failed = result.errors + result.refused.values().sum::<u64>();
        let failed = failed as f64 / result.offered.max(1) as f64;
        let broken = if !result.conservation.ok {
            Some(format!("not conserved: {}", result.conservation.problems.join("; ")))
        } else if let Some(reason) = &result.invalid_because {
            Some(reason.clone())
        } else if failed > errors {
            Some(format!("{:.2} % refused or failed", failed * 100.0))
        } else if found_us >= self.limit_us {
            Some(format!("{found_us} us, the limit is {} us", self.limit_us))
        } else {
            None
        };
        Step { rate_per_s, accepted_per_s: result.accepted_per_s, found_us, failed, broken }
    }
}

/// Which rate to try next; a pure function of the steps so far. `None` when the search is over.
pub fn next_rate(first: f64, steps: &[Step]) -> Option<f64> {
    let kept = best(steps);
    let broken = steps.iter().filter(|step| step.broken.is_some()).map(|step| step.rate_per_s).reduce(f64::min);
    match (kept, broken) {
        (None, None) => Some(first),
        (Some(kept), None) => (steps.len() as u32 <= DOUBLINGS_MAX).then_some(kept * 2.0),
        (None, Some(broken)) => (steps.len() as u32 <= DOUBLINGS_MAX && broken > 1.0).then_some(broken / 2.0),
        (Some(kept), Some(broken)) => {
            (broken / kept > 1.0 + 1.0 / f64::from(1 << HALVINGS)).then_some((kept + broken) / 2.0)
        }
    }
}

/// The highest rate that kept the promise below the lowest that broke it.
pub fn best(steps: &[Step]) -> Option<f64> {
    let broken = steps.iter().filter(|step| step.broken.is_some()).map(|step| step.rate_per_s);
    let lowest = broken.fold(f64::INFINITY, f64::min);
    let kept = steps.iter().filter(|step| step.broken.is_none() && step.rate_per_s < lowest);
    kept.map(|step| step.rate_per_s).reduce(f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The steps of a search against a server that breaks above `capacity`.
    fn search(first: f64, capacity: f64) -> Vec<Step> {
        let mut steps = Vec::new();
        while let Some(rate_per_s) = next_rate(first, &steps) {
            let broken = (rate_per_s > capacity).then(|| "slow".to_owned());
            steps.push(Step { rate_per_s, accepted_per_s: rate_per_s, found_us: 1, failed: 0.0, broken });
        }
        steps
    }

    #[test]
    fn a_search_ends_within_a_sixteenth_of_the_capacity() {
        for capacity in [1000.0, 1234.0, 7900.0, 90.0] {
            let steps = search(1000.0, capacity);
            let best = best(&steps).unwrap();
            assert!(best <= capacity && best * (1.0 + 1.0 / 16.0) >= capacity, "{best} for {capacity}");
            assert!(steps.len() < 16, "{} steps", steps.len());
        }
    }

    #[test]
    fn a_server_that_keeps_nothing_ends_the_search_without_a_rate() {
        assert_eq!(best(&search(1000.0, 0.0)), None);
    }

    #[test]
    fn a_promise_reads_as_it_is_written() {
        assert_eq!(Slo::parse("p99<20ms"), Ok(Slo { percentile: Percentile::P99, limit_us: 20_000 }));
        assert!(Slo::parse("p98<20ms").unwrap_err().contains("p98"));
        assert!(Slo::parse("p99=20ms").is_err());
    }

    #[test]
    fn a_run_is_judged_by_errors_before_latency() {
        let mut result: RunResult = serde_json::from_str(include_str!("../tests/result.json")).unwrap();
        let slo = Slo { percentile: Percentile::P99, limit_us: 2000 };
        assert_eq!(slo.judge(1.0, 0.001, &result).broken, None);
        result.errors = 2;
        assert!(slo.judge(1.0, 0.001, &result).broken.unwrap().contains("0.20 %"));
    }
}
