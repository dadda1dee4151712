//! What the engine counts about itself. Plain atomics: the daemon gives them names for the outside.

use crate::pack::Effort;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Upper bounds of the histograms' buckets, in the unit of the histogram: powers of two from 1 to 2^24.
pub const BUCKETS: usize = 25;

/// Counts in buckets of powers of two; the last one takes everything larger.
#[derive(Debug, Default)]
pub struct Histogram {
    buckets: [AtomicU64; BUCKETS],
    sum: AtomicU64,
}

impl Histogram {
    /// Adds one observation.
    pub fn observe(&self, value: u64) {
        let bucket = (u64::BITS - value.saturating_sub(1).leading_zeros()) as usize;
        self.buckets[bucket.min(BUCKETS - 1)].fetch_add(1, Ordering::Relaxed);
        self.sum.fetch_add(value, Ordering::Relaxed);
    }

    /// Adds a time, in microseconds.
    pub fn observe_us(&self, time: Duration) {
        self.observe(u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
    }

    /// Per bucket: its upper bound and how many fell into it alone.
    #[must_use]
    pub fn buckets(&self) -> Vec<(u64, u64)> {
        self.buckets.iter().enumerate().map(|(at, count)| (1 << at, count.load(Ordering::Relaxed))).collect()
    }

    /// Sum of all observations.
    #[must_use]
    pub fn sum(&self) -> u64 {
        self.sum.load(Ordering::Relaxed)
    }

    /// Number of observations.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.buckets.iter().map(|count| count.load(Ordering::Relaxed)).sum()
    }
}

/// A number that goes up, or up and down.
#[derive(Debug, Default)]
pub struct Count(AtomicU64);

impl Count {
    /// Adds.
    pub fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    /// Sets.
    pub fn set(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }

    /// The number now.
    #[must_use]
    pub fn read(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// All of them.
#[derive(Debug, Default)]
pub struct Counters {
    /// Arrivals that brought a new sample.
    pub stored: Count,
    /// Arrivals of a known sample.
    pub duplicates: Count,
    /// Arrivals whose retry key was remembered.
    pub repeated: Count,
    /// Plain bytes that came in.
    pub raw_bytes: Count,
    /// Time to hash, compress and seal one sample, in microseconds.
    pub pack_us: Histogram,
    /// Time of one durable write, in microseconds.
    pub sync_us: Histogram,
    /// Records in a batch.
    pub batch_records: Histogram,
    /// Time from submission to the ack, in microseconds.
    pub ack_us: Histogram,
    /// Samples packed at each effort, in the order of [`Effort::ALL`].
    pub packed: [Count; 4],
    /// Bytes that batches took in the log, padding included.
    pub log_bytes: Count,
    /// Bytes of zeroes written ahead.
    pub zeroed_bytes: Count,
    /// Segments rewritten by compaction or the finish pass.
    pub rewritten_segments: Count,
    /// Bytes that rewriting read and wrote.
    pub rewritten_bytes: Count,
    /// Bytes that rewriting made free.
    pub reclaimed_bytes: Count,
    /// Bytes that the scrub has read.
    pub scrubbed_bytes: Count,
    /// Damaged places that the scrub or a reader found.
    pub damaged: Count,
    /// Damaged samples that came again and were stored anew.
    pub healed: Count,
}

impl Counters {
    pub(crate) fn packed_at(&self, effort: Effort) {
        self.packed[effort as usize].add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_falls_into_the_bucket_that_bounds_it() {
        let histogram = Histogram::default();
        for value in [0, 1, 2, 3, 4, 5, 1 << 24, u64::MAX >> 1] {
            histogram.observe(value);
        }
        let filled: Vec<_> = histogram.buckets().into_iter().filter(|(_, count)| *count > 0).collect();
        assert_eq!(filled, [(1, 2), (2, 1), (4, 2), (8, 1), (1 << 24, 2)]);
        assert_eq!(histogram.count(), 8);
    }
}
