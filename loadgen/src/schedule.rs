//! When each arrival is meant to happen: a pure function of (profile, seed), made before the run.

use crate::draw::{below, unit};
use crate::profile::{Profile, Spacing};
use std::time::Duration;

const GAPS: u64 = 1;
const CLIENTS: u64 = 2;

/// Intended starts from the beginning of the run, rising.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    starts_ns: Vec<u64>,
}

impl Schedule {
    /// Draws every arrival of the profile's duration.
    pub fn new(profile: &Profile, seed: u64) -> Self {
        let end_ns = profile.duration_s * 1e9;
        let gap_ns = 1e9 / profile.rate_per_s;
        let mut starts_ns = Vec::new();
        let mut at_ns = 0.0;
        for index in 0.. {
            let start_ns = match profile.arrivals {
                // Multiplied, not summed: a million rounding errors would bend the rate.
                Spacing::Constant => index as f64 * gap_ns,
                Spacing::Poisson => {
                    at_ns -= unit(seed, GAPS, index).ln() * gap_ns;
                    at_ns
                }
            };
            if start_ns >= end_ns {
                break;
            }
            starts_ns.push(start_ns as u64);
        }
        Self { starts_ns }
    }

    /// Number of arrivals.
    pub fn len(&self) -> u64 {
        self.starts_ns.len() as u64
    }

    /// Whether nothing ever arrives.
    pub fn is_empty(&self) -> bool {
        self.starts_ns.is_empty()
    }

    /// When an arrival is meant to start. `None` behind the last.
    pub fn start(&self, index: u64) -> Option<Duration> {
        self.starts_ns.get(usize::try_from(index).ok()?).map(|ns| Duration::from_nanos(*ns))
    }
}

/// Which of the profile's clients makes this arrival.
pub fn client(profile: &Profile, seed: u64, index: u64) -> u64 {
    below(seed, CLIENTS, index, profile.clients)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steady() -> Profile {
        Profile::named("steady").unwrap()
    }

    #[test]
    fn the_schedule_is_a_pure_function_of_the_seed() {
        assert_eq!(Schedule::new(&steady(), 7), Schedule::new(&steady(), 7));
        assert_ne!(Schedule::new(&steady(), 7), Schedule::new(&steady(), 8));
    }

    #[test]
    fn a_schedule_never_goes_back_and_ends_with_the_duration() {
        let schedule = Schedule::new(&steady(), 7);
        assert!(schedule.starts_ns.is_sorted());
        assert!(schedule.starts_ns.iter().all(|ns| *ns < 30_000_000_000));
    }

    #[test]
    fn constant_arrivals_are_exact_to_the_last() {
        let profile = Profile { arrivals: Spacing::Constant, rate_per_s: 3000.0, ..steady() };
        let schedule = Schedule::new(&profile, 7);
        assert_eq!(schedule.len(), 90_000);
        assert_eq!(schedule.start(89_999), Some(Duration::from_nanos(29_999_666_666)));
        assert_eq!(schedule.start(90_000), None);
    }

    #[test]
    fn poisson_arrivals_keep_the_rate_and_spread_as_exponentials_do() {
        let schedule = Schedule::new(&steady(), 7);
        let gaps: Vec<f64> = schedule.starts_ns.windows(2).map(|pair| (pair[1] - pair[0]) as f64).collect();
        let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
        let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / gaps.len() as f64;
        assert!((mean / 1e6 - 1.0).abs() < 0.03, "mean gap {mean} ns");
        assert!((variance.sqrt() / mean - 1.0).abs() < 0.05, "deviation {} of mean {mean}", variance.sqrt());
    }

    #[test]
    fn every_client_has_a_turn() {
        let profile = Profile { clients: 50, ..steady() };
        let seen: std::collections::BTreeSet<u64> = (0..1000).map(|index| client(&profile, 7, index)).collect();
        assert_eq!(seen.len(), 50);
    }
}
