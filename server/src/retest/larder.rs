//! Facts of samples that were scanned and are on no shelf yet: a shelf made of them reads no sample again.
//!
//! 1. They are of the rule of the shelves, which is known once and for all of a process; before it is, there are none.
//! 2. Their memory is bounded: beyond it samples are scanned without, and read again when they are put on a shelf.

use model::SampleId;
use parking_lot::Mutex;
use scanner::grams::Rule;
use scanner::retest::Facts;
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

/// Memory of all facts: those of two shelves.
const BYTES_MAX: usize = 96 << 20;

/// Facts by sample.
pub struct Larder {
    rule: OnceLock<Arc<Rule>>,
    held: Mutex<Held>,
    bytes_max: usize,
}

impl Default for Larder {
    fn default() -> Self {
        Self::bounded(BYTES_MAX)
    }
}

#[derive(Default)]
struct Held {
    facts: HashMap<SampleId, Facts>,
    bytes: usize,
}

impl Larder {
    /// One that holds about so many bytes.
    fn bounded(bytes_max: usize) -> Self {
        Self { rule: OnceLock::new(), held: Mutex::default(), bytes_max }
    }

    /// The rule to collect facts by; `None` while it is not known or there is no more room.
    pub fn rule(&self) -> Option<&Arc<Rule>> {
        self.rule.get().filter(|_| self.held.lock().bytes < self.bytes_max)
    }

    /// The rule of this process's shelves.
    pub fn set_rule(&self, rule: &Arc<Rule>) {
        // Set again it is the same: shelves of two rules are never in use together.
        let _ = self.rule.set(Arc::clone(rule));
    }

    /// Keeps the facts of a sample.
    pub fn keep(&self, sample: SampleId, facts: Facts) {
        let mut held = self.held.lock();
        held.bytes += facts.memory_bytes();
        if let Some(before) = held.facts.insert(sample, facts) {
            held.bytes = held.bytes.saturating_sub(before.memory_bytes());
        }
    }

    /// Whether it has facts of a sample.
    pub fn has(&self, sample: SampleId) -> bool {
        self.held.lock().facts.contains_key(&sample)
    }

    /// Gives a sample's facts away.
    pub fn take(&self, sample: SampleId) -> Option<Facts> {
        let mut held = self.held.lock();
        let facts = held.facts.remove(&sample)?;
        held.bytes = held.bytes.saturating_sub(facts.memory_bytes());
        Some(facts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use scanner::file::{Flow, Limits, walk};
    use scanner::retest::FactsBuilder;

    fn facts(rule: &Rule) -> Facts {
        let mut builder = FactsBuilder::new(rule);
        let outcome = walk(b"some text, whatever it is", &Limits::default(), &|| false, &mut |member| {
            builder.take(&member);
            Flow::On
        });
        assert!(outcome.complete());
        builder.finish()
    }

    #[test]
    fn facts_are_kept_once_until_they_are_taken_and_only_up_to_a_bound() {
        let rule = Arc::new(Rule::fixed(5));
        let one = facts(&rule).memory_bytes();
        let larder = Larder::bounded(3 * one);
        assert!(larder.rule().is_none());
        larder.set_rule(&rule);
        for sample in [1, 1, 2] {
            assert!(larder.rule().is_some());
            larder.keep(SampleId(sample), facts(&rule));
        }
        assert!(larder.rule().is_some(), "two samples, one of them twice");
        larder.keep(SampleId(3), facts(&rule));
        assert!(larder.rule().is_none(), "no more is collected");
        assert!(larder.take(SampleId(1)).is_some());
        assert!(larder.take(SampleId(1)).is_none());
        assert!(!larder.has(SampleId(1)) && larder.has(SampleId(2)));
        assert!(larder.rule().is_some());
    }
}
