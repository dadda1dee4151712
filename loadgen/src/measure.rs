//! What a run counts and times. One lock, held for a few hundred nanoseconds a request, never
//! across an await.
//! 1. `offered = accepted + refused + errors` once every lane has ended.
//! 2. Latencies of arrivals meant to start before the end of the warm-up are counted nowhere.
//! 3. Response time runs from the intended start, service time from the first byte handed to the
//!    socket: time spent waiting in the generator, because the server would not take more, is in the
//!    first and not in the second.

use crate::limits::LATENCY_US_MAX;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Serializer, V2DeflateSerializer};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// One arrival on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// Its place in the schedule.
    pub index: u64,
    /// When it is meant to start.
    pub intended: Instant,
}

/// An arrival that became an item.
#[derive(Debug, Clone, Copy)]
pub struct Accepted {
    /// The arrival.
    pub due: Due,
    /// When its first byte was handed to the socket.
    pub started: Instant,
    /// Whether the server had the content already.
    pub duplicate: bool,
    /// The item, as the server named it.
    pub item: u64,
    /// Plain bytes of the sample.
    pub bytes: u64,
}

/// Whether the server may have made an item of an arrival that ended without an ack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// It cannot have.
    None,
    /// It may have: bytes went out on a connection that broke, or no answer ever came.
    MaybeAnItem,
}

/// How much of a refused sample was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// Not a byte of its body.
    NoBody,
    /// Bytes of its body.
    Body,
}

/// A second of the run.
#[derive(Debug, Clone)]
pub struct Interval {
    /// Its start, from the beginning of the run.
    pub at: Duration,
    /// Its length.
    pub length: Duration,
    /// Arrivals handed to lanes.
    pub offered: u64,
    /// Arrivals that became items.
    pub accepted: u64,
    /// Arrivals refused.
    pub refused: u64,
    /// Arrivals that ended in an error.
    pub errors: u64,
    /// Plain bytes accepted.
    pub bytes: u64,
    /// Median response time, microseconds; 0 where nothing was recorded.
    pub p50_us: u64,
    /// 99th percentile.
    pub p99_us: u64,
    /// Largest.
    pub max_us: u64,
    /// The response histogram, V2 deflated.
    pub histogram: Vec<u8>,
}

/// Everything counted so far.
#[derive(Debug)]
pub struct Tally {
    /// Arrivals handed to lanes.
    pub offered: u64,
    /// Arrivals that became items.
    pub accepted: u64,
    /// Of those, on content that the server had.
    pub duplicates: u64,
    /// Of those, meant to start after the warm-up.
    pub measured: u64,
    /// Their plain bytes.
    pub measured_bytes: u64,
    /// Plain bytes of accepted items.
    pub bytes: u64,
    /// Refusals by reason.
    pub refused: BTreeMap<String, u64>,
    /// Of those, refused only after body bytes were sent.
    pub late_refusals: u64,
    /// Errors by kind.
    pub errors: BTreeMap<String, u64>,
    /// Refusals and errors of which the server may have made an item all the same.
    pub unanswered: u64,
    /// Answers to requests that were not open: acked twice or never asked.
    pub unasked: u64,
    /// Connections that broke and were made again.
    pub reconnects: u64,
    /// (item, index) of everything accepted.
    pub items: Vec<(u64, u64)>,
    /// Intended start to answer, microseconds.
    pub response: Histogram<u64>,
    /// First byte sent to answer, microseconds.
    pub service: Histogram<u64>,
    /// Intended start to the lane's hands, microseconds: the generator's own delay.
    pub lag: Histogram<u64>,
    /// Seconds that have passed.
    pub intervals: Vec<Interval>,
    /// When the last answer came.
    pub last_answer: Option<Instant>,
    now: Running,
}

/// The second that is running.
#[derive(Debug)]
struct Running {
    since: Instant,
    offered: u64,
    accepted: u64,
    refused: u64,
    errors: u64,
    bytes: u64,
    response: Histogram<u64>,
}

/// Shared by all lanes of a run.
#[derive(Debug)]
pub struct Measure {
    origin: Instant,
    record_from: Instant,
    tally: Mutex<Tally>,
}

impl Measure {
    /// A run that starts at `origin` and warms up for `warm_up`.
    pub fn new(origin: Instant, warm_up: Duration) -> Self {
        let tally = Tally {
            offered: 0,
            accepted: 0,
            duplicates: 0,
            measured: 0,
            measured_bytes: 0,
            bytes: 0,
            refused: BTreeMap::new(),
            late_refusals: 0,
            errors: BTreeMap::new(),
            unanswered: 0,
            unasked: 0,
            reconnects: 0,
            items: Vec::new(),
            response: histogram(),
            service: histogram(),
            lag: histogram(),
            intervals: Vec::new(),
            last_answer: None,
            now: Running::since(origin),
        };
        Self { origin, record_from: origin + warm_up, tally: Mutex::new(tally) }
    }

    /// The beginning of the run.
    pub fn origin(&self) -> Instant {
        self.origin
    }

    /// A lane took an arrival in hand.
    pub fn offered(&self, due: Due, at: Instant) {
        self.with(|tally| {
            tally.offered += 1;
            tally.now.offered += 1;
            tally.lag.saturating_record(micros(due.intended, at));
        });
    }

    /// The server made an item.
    pub fn accepted(&self, accepted: Accepted, at: Instant) {
        let Accepted { due, started, duplicate, item, bytes } = accepted;
        self.with(|tally| {
            tally.accepted += 1;
            tally.duplicates += u64::from(duplicate);
            tally.bytes += bytes;
            tally.items.push((item, due.index));
            tally.now.accepted += 1;
            tally.now.bytes += bytes;
            tally.last_answer = Some(at);
            if due.intended >= self.record_from {
                let response_us = micros(due.intended, at);
                tally.measured += 1;
                tally.measured_bytes += bytes;
                tally.response.saturating_record(response_us);
                tally.now.response.saturating_record(response_us);
                tally.service.saturating_record(micros(started, at));
            }
        });
    }

    /// The server refused.
    pub fn refused(&self, reason: &str, sent: Sent, doubt: Doubt, at: Instant) {
        self.with(|tally| {
            *tally.refused.entry(reason.to_owned()).or_default() += 1;
            tally.late_refusals += u64::from(sent == Sent::Body);
            tally.unanswered += u64::from(doubt == Doubt::MaybeAnItem);
            tally.now.refused += 1;
            tally.last_answer = Some(at);
        });
    }

    /// An arrival ended without an answer that counts.
    pub fn failed(&self, kind: &str, doubt: Doubt) {
        self.with(|tally| {
            *tally.errors.entry(kind.to_owned()).or_default() += 1;
            tally.unanswered += u64::from(doubt == Doubt::MaybeAnItem);
            tally.now.errors += 1;
        });
    }

    /// The server answered what was not asked.
    pub fn unasked(&self) {
        self.with(|tally| tally.unasked += 1);
    }

    /// A connection broke or could not be made.
    pub fn reconnected(&self) {
        self.with(|tally| tally.reconnects += 1);
    }

    /// Closes the running interval.
    pub fn tick(&self, at: Instant) {
        self.with(|tally| {
            let ended = std::mem::replace(&mut tally.now, Running::since(at));
            tally.intervals.push(ended.close(self.origin, at));
        });
    }

    /// Looks at the tally.
    pub fn with<T>(&self, look: impl FnOnce(&mut Tally) -> T) -> T {
        // A panic inside a count leaves numbers, not broken memory: the run reports what it has.
        look(&mut self.tally.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Tally {
    /// Refusals of every reason.
    pub fn refused_count(&self) -> u64 {
        self.refused.values().sum()
    }

    /// Errors of every kind.
    pub fn error_count(&self) -> u64 {
        self.errors.values().sum()
    }
}

impl Running {
    fn since(since: Instant) -> Self {
        Self { since, offered: 0, accepted: 0, refused: 0, errors: 0, bytes: 0, response: histogram() }
    }

    fn close(self, origin: Instant, at: Instant) -> Interval {
        let mut deflated = Vec::new();
        // Writing to memory cannot fail; a histogram that did not serialise is left out of the log.
        let _ = V2DeflateSerializer::new().serialize(&self.response, &mut deflated);
        Interval {
            at: self.since - origin,
            length: at - self.since,
            offered: self.offered,
            accepted: self.accepted,
            refused: self.refused,
            errors: self.errors,
            bytes: self.bytes,
            p50_us: self.response.value_at_quantile(0.5),
            p99_us: self.response.value_at_quantile(0.99),
            max_us: self.response.max(),
            histogram: deflated,
        }
    }
}

/// Three digits, one microsecond to [`LATENCY_US_MAX`].
fn histogram() -> Histogram<u64> {
    let mut histogram = Histogram::new_with_bounds(1, LATENCY_US_MAX, 3).expect("the bounds are constants");
    histogram.auto(false);
    histogram
}

fn micros(from: Instant, to: Instant) -> u64 {
    u64::try_from(to.saturating_duration_since(from).as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warm_up_arrival_is_counted_and_not_timed() {
        let origin = Instant::now();
        let measure = Measure::new(origin, Duration::from_secs(1));
        for (index, seconds) in [(0, 0), (1, 2)] {
            let intended = origin + Duration::from_secs(seconds);
            let due = Due { index, intended };
            let accepted = Accepted { due, started: intended, duplicate: false, item: index, bytes: 1 };
            measure.accepted(accepted, intended + Duration::from_millis(5));
        }
        measure.with(|tally| {
            assert_eq!((tally.accepted, tally.measured, tally.response.len()), (2, 1, 1));
        });
    }

    #[test]
    fn an_interval_holds_what_came_since_the_last() {
        let origin = Instant::now();
        let measure = Measure::new(origin, Duration::ZERO);
        measure.refused("full_bytes", Sent::NoBody, Doubt::None, origin);
        measure.tick(origin + Duration::from_secs(1));
        measure.failed("unanswered", Doubt::MaybeAnItem);
        measure.tick(origin + Duration::from_secs(2));
        let counts = measure.with(|tally| {
            tally.intervals.iter().map(|interval| (interval.refused, interval.errors)).collect::<Vec<_>>()
        });
        assert_eq!(counts, [(1, 0), (0, 1)]);
    }
}
