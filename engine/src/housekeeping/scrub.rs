//! The scrub: reads every sealed segment, slowly and for ever, and names what does not match its checksum.

use crate::check::{Depth, check_record};
use crate::segment::SegmentId;
use crate::shared::Shared;
use std::time::Duration;

/// Where the scrub is.
#[derive(Default)]
pub(super) struct Scrub {
    segment: Option<SegmentId>,
    entry: usize,
}

impl Scrub {
    /// Reads as much as the rate allows for one round.
    pub(super) fn step(&mut self, shared: &Shared, round: Duration) {
        let mut budget = (shared.settings.scrub_bytes_per_s as f64 * round.as_secs_f64()) as u64;
        let segments: Vec<_> = shared.table.all().into_iter().filter(|segment| segment.as_sealed().is_some()).collect();
        let Some(first) = segments.first().map(|segment| segment.id) else { return };
        let mut from = self.segment.unwrap_or(first);
        let Some(segment) = segments.iter().find(|segment| segment.id >= from) else {
            // The last one is done: begin anew.
            *self = Self::default();
            return;
        };
        if segment.id != from {
            from = segment.id;
            self.entry = 0;
        }
        let Ok(entries) = segment.entries() else {
            self.segment = Some(SegmentId(from.0 + 1));
            return;
        };
        for entry in entries.iter().skip(self.entry) {
            if budget == 0 {
                break;
            }
            if let Err(damage) = check_record(shared, segment, entry, Depth::Stored) {
                shared.report(damage);
            }
            shared.counters.scrubbed_bytes.add(entry.record_bytes);
            budget = budget.saturating_sub(entry.record_bytes);
            self.entry += 1;
        }
        self.segment = Some(if self.entry >= entries.len() { SegmentId(from.0 + 1) } else { from });
        if self.segment != Some(from) {
            self.entry = 0;
        }
    }
}
