//! `result.json`: what a run found. Names are fixed; adding is free.

use crate::conserve::Conservation;
use crate::measure::Tally;
use crate::profile::Thresholds;
use crate::work::Work;
use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// What a run found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunResult {
    /// The profile's name.
    pub profile: String,
    /// `native` or `http`.
    pub protocol: String,
    /// The seed.
    pub seed: u64,
    /// The rate that was asked for.
    pub rate_per_s: f64,
    /// Arrivals of the schedule that were handed to lanes.
    pub offered: u64,
    /// Arrivals that became items.
    pub accepted: u64,
    /// Of those, on content that the server had.
    pub duplicates: u64,
    /// Refusals by reason.
    pub refused: BTreeMap<String, u64>,
    /// Refusals that came only after body bytes were sent.
    pub refused_late: u64,
    /// Arrivals that ended in an error.
    pub errors: u64,
    /// The same by kind.
    pub errors_by_kind: BTreeMap<String, u64>,
    /// Intended start to answer of accepted arrivals, microseconds.
    pub response_us: Percentiles,
    /// First byte sent to answer, microseconds.
    pub service_us: Percentiles,
    /// Plain bytes of accepted items.
    pub bytes: u64,
    /// First intended start to last answer, drain included.
    pub seconds: f64,
    /// Items a second between the end of the warm-up and the last answer.
    pub accepted_per_s: f64,
    /// Plain bytes a second in the same time.
    pub bytes_per_s: f64,
    /// Intended start to the lane's hands: the generator's own delay.
    pub generator_lag_us: Percentiles,
    /// Whether the generator kept its own schedule.
    pub valid: bool,
    /// Why not.
    pub invalid_because: Option<String>,
    /// Whether arrivals ignored answers; a closed loop's latencies cannot be compared with these.
    pub open_loop: bool,
    /// Whether nothing was lost, doubled or changed.
    pub conservation: Conservation,
    /// The profile's thresholds.
    pub thresholds: Vec<Verdict>,
    /// Connections that broke and were made again.
    pub reconnects: u64,
    /// What ended lanes early, each once.
    pub lanes_ended: Vec<String>,
}

/// One threshold and what was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// Its key in the profile.
    pub name: String,
    /// Its limit.
    pub limit: f64,
    /// What the run did.
    pub found: f64,
    /// Whether it holds.
    pub ok: bool,
}

/// A distribution in five numbers, microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Percentiles {
    /// Median.
    pub p50: u64,
    /// 90th percentile.
    pub p90: u64,
    /// 99th percentile.
    pub p99: u64,
    /// 99.9th percentile.
    pub p999: u64,
    /// Largest.
    pub max: u64,
}

impl Percentiles {
    fn of(histogram: &Histogram<u64>) -> Self {
        let at = |quantile| histogram.value_at_quantile(quantile);
        Self { p50: at(0.5), p90: at(0.9), p99: at(0.99), p999: at(0.999), max: histogram.max() }
    }
}

impl RunResult {
    /// Sums up a run whose lanes have ended.
    pub fn new(work: &Work, tally: &Tally, conservation: Conservation, lanes_ended: Vec<String>) -> Self {
        let profile = &work.profile;
        let origin = work.measure.origin();
        let arrivals_end = origin + Duration::from_secs_f64(profile.duration_s);
        let end = tally.last_answer.map_or(arrivals_end, |at| at.max(arrivals_end));
        let seconds = (end - origin).as_secs_f64();
        let measured_s = (seconds - profile.warm_up_s).max(f64::MIN_POSITIVE);
        let lag = Percentiles::of(&tally.lag);
        let invalid_because = invalid(profile.lag_p99_us_max, lag);
        Self {
            profile: profile.name.clone(),
            protocol: match profile.protocol {
                crate::profile::Protocol::Native => "native".to_owned(),
                crate::profile::Protocol::Http => "http".to_owned(),
            },
            seed: work.seed,
            rate_per_s: profile.rate_per_s,
            offered: tally.offered,
            accepted: tally.accepted,
            duplicates: tally.duplicates,
            refused: tally.refused.clone(),
            refused_late: tally.late_refusals,
            errors: tally.error_count(),
            errors_by_kind: tally.errors.clone(),
            response_us: Percentiles::of(&tally.response),
            service_us: Percentiles::of(&tally.service),
            bytes: tally.bytes,
            seconds,
            accepted_per_s: tally.measured as f64 / measured_s,
            bytes_per_s: tally.measured_bytes as f64 / measured_s,
            generator_lag_us: lag,
            valid: invalid_because.is_none(),
            invalid_because,
            open_loop: true,
            conservation,
            thresholds: verdicts(&profile.thresholds, tally),
            reconnects: tally.reconnects,
            lanes_ended,
        }
    }

    /// Whether the thresholds and the conservation check hold: the exit code.
    pub fn is_good(&self) -> bool {
        self.conservation.ok && self.thresholds.iter().all(|verdict| verdict.ok)
    }
}

fn invalid(limit_us: u64, lag: Percentiles) -> Option<String> {
    (lag.p99 > limit_us).then(|| {
        format!(
            "the generator lagged {} us at p99, over its limit of {limit_us} us: the figures measure it, not the server",
            lag.p99
        )
    })
}

fn verdicts(thresholds: &Thresholds, tally: &Tally) -> Vec<Verdict> {
    let share = |count: u64, of: u64| if of == 0 { 0.0 } else { count as f64 * 1000.0 / of as f64 };
    let refused = tally.refused_count();
    let full =
        tally.refused.iter().filter(|(reason, _)| reason.starts_with("full")).map(|(_, count)| count).sum::<u64>();
    let at_most = [
        ("errors_per_mille_max", thresholds.errors_per_mille_max, share(tally.error_count(), tally.offered)),
        ("refused_per_mille_max", thresholds.refused_per_mille_max, share(refused, tally.offered)),
        (
            "response_p99_us_max",
            thresholds.response_p99_us_max.map(|us| us as f64),
            tally.response.value_at_quantile(0.99) as f64,
        ),
        ("late_refusals_per_mille_max", thresholds.late_refusals_per_mille_max, share(tally.late_refusals, refused)),
    ];
    let at_least = [("full_refusals_min", thresholds.full_refusals_min.map(|count| count as f64), full as f64)];
    let verdict = |name: &str, limit, found, ok| Verdict { name: name.to_owned(), limit, found, ok };
    let most = at_most.into_iter().filter_map(|(name, limit, found)| Some((name, limit?, found)));
    let least = at_least.into_iter().filter_map(|(name, limit, found)| Some((name, limit?, found)));
    most.map(|(name, limit, found)| verdict(name, limit, found, found <= limit))
        .chain(least.map(|(name, limit, found)| verdict(name, limit, found, found >= limit)))
        .collect()
}
