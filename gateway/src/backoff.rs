//! When to try again: twice as long after each failure, up to a bound, and never all at once.

use std::time::Duration;

/// The first wait.
pub const FIRST: Duration = Duration::from_secs(2);
/// The longest: an hour's outage costs four minutes at most once it is over.
pub const LONGEST: Duration = Duration::from_secs(240);

/// Failures in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    first: Duration,
    failures: u32,
}

impl Default for Backoff {
    fn default() -> Self {
        Self::new(FIRST)
    }
}

impl Backoff {
    /// None yet; the first wait will be `first`.
    pub fn new(first: Duration) -> Self {
        Self { first, failures: 0 }
    }

    /// It worked.
    pub fn succeeded(&mut self) {
        self.failures = 0;
    }

    /// It failed: how long to wait, `chance` being a random number. Half of the wait is chance, so that an estate that
    /// failed together does not come back together. `asked` is what the other side said, which is kept to within reason.
    pub fn failed(&mut self, chance: u64, asked: Option<Duration>) -> Duration {
        let whole = self.first.saturating_mul(1 << self.failures.min(16)).min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        let half = whole / 2;
        let drawn = half.mul_f64((chance >> 11) as f64 / (1_u64 << 53) as f64);
        (half + drawn).max(asked.unwrap_or_default().min(LONGEST))
    }

    /// Failures since it last worked.
    pub fn failures(&self) -> u32 {
        self.failures
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_bound_and_begin_anew_after_a_success() {
        let mut backoff = Backoff::default();
        let waits: Vec<_> = (0..12).map(|_| backoff.failed(0, None)).collect();
        assert_eq!(waits[..4], [1, 2, 4, 8].map(Duration::from_secs));
        assert_eq!(waits[11], LONGEST / 2);
        assert!(backoff.failed(u64::MAX, None) <= LONGEST);
        backoff.succeeded();
        assert_eq!(backoff.failed(0, None), FIRST / 2);
        for _ in 0..1000 {
            assert!(backoff.failed(u64::MAX, Some(Duration::MAX)) <= LONGEST);
        }
    }

    #[test]
    fn what_the_other_side_asks_for_is_waited_for() {
        let mut backoff = Backoff::default();
        assert_eq!(backoff.failed(0, Some(Duration::from_secs(30))), Duration::from_secs(30));
    }
}
