//! Samples whose submission meets trouble of its own: the others are not to wait for them.

use crate::security::secrets;
use gateway::backoff::Backoff;
use model::SampleId;
use std::collections::HashMap;
use std::time::Instant;

/// Samples that are remembered; of more the trouble is not theirs.
const SAMPLES_MAX: usize = 10_000;

/// Which wait, and until when.
#[derive(Default)]
pub(super) struct Postponed(HashMap<SampleId, (Backoff, Instant)>);

impl Postponed {
    /// Whether a sample waits.
    pub fn is_postponed(&self, sample: SampleId) -> bool {
        self.0.get(&sample).is_some_and(|(_, until)| Instant::now() < *until)
    }

    /// It met trouble: it waits, longer each time.
    pub fn failed(&mut self, sample: SampleId) {
        if self.0.len() >= SAMPLES_MAX {
            self.0.clear();
        }
        let now = Instant::now();
        let (backoff, until) = self.0.entry(sample).or_insert((Backoff::default(), now));
        *until = now + backoff.failed(secrets::chance(), None);
    }

    /// It got through.
    pub fn succeeded(&mut self, sample: SampleId) {
        self.0.remove(&sample);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_met_trouble_waits_and_the_others_do_not() {
        let mut postponed = Postponed::default();
        postponed.failed(SampleId(1));
        assert!(postponed.is_postponed(SampleId(1)) && !postponed.is_postponed(SampleId(2)));
        postponed.succeeded(SampleId(1));
        assert!(!postponed.is_postponed(SampleId(1)));
        for sample in 0..2 * SAMPLES_MAX as u64 {
            postponed.failed(SampleId(sample));
        }
        assert!(postponed.0.len() <= SAMPLES_MAX);
    }
}
