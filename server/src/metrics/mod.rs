//! Figures, as OpenMetrics names them. Never a label per client, sample, file or hash.
//!
//! Reading order: [`Metrics`] counts what the network side sees; [`store`] reads the engine's own figures at each
//! scrape, [`scan`] those of the scanner. A test in `tests` fails when a name is changed or lost.

mod scan;
mod store;
#[cfg(test)]
mod tests;

use crate::daemon::context::Context;
use engine::{Engine, Stored};
use model::wire::{Outcome, RefusedCode};
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
use std::sync::Arc;
use std::time::Duration;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabel {
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabel {
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DoorLabel {
    door: &'static str,
}

/// Figures of the network side.
pub struct Metrics {
    registry: Registry,
    /// Indexed by [`Outcome::ALL`], so that an ack looks nothing up.
    outcomes: Vec<Counter>,
    bytes: Counter,
    refused: Family<ReasonLabel, Counter>,
    ack_seconds: Histogram,
    /// Open HTTP connections.
    pub http_connections: Gauge,
    /// Open connections of the native protocol.
    pub intake_connections: Gauge,
    /// To scan one sample after its arrival.
    pub scan_seconds: Histogram,
    /// Work of one re-test, pauses left out.
    pub retest_seconds: Histogram,
    /// From the arrival of an item to the install of its definitions on its client.
    pub immunity_seconds: Histogram,
    store: Arc<store::Store>,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("lazaret");
        let outcomes = Family::<OutcomeLabel, Counter>::default();
        let by_outcome =
            Outcome::ALL.iter().map(|outcome| outcomes.get_or_create_owned(&OutcomeLabel { outcome: outcome.word() }));
        let by_outcome = by_outcome.collect();
        registry.register("intake_samples", "Arrivals that are durable items, by how they became one", outcomes);
        let bytes = Counter::default();
        registry.register("intake_bytes", "Plain bytes of durable arrivals, duplicates included", bytes.clone());
        let refused = Family::<ReasonLabel, Counter>::default();
        for code in RefusedCode::ALL {
            drop(refused.get_or_create(&ReasonLabel { reason: code.word() }));
        }
        registry.register("intake_refused", "Arrivals that made no item, by reason", refused.clone());
        // 50 us, a fast sync, to 26 s.
        let ack_seconds = Histogram::new(exponential_buckets(50e-6, 2.0, 20));
        let help = "From the first byte of an arrival to its ack";
        registry.register("intake_ack_seconds", help, ack_seconds.clone());
        // 100 us, a small file, to 105 s, near the most that a sample may take.
        let scan_seconds = Histogram::new(exponential_buckets(100e-6, 2.0, 21));
        registry.register("scan_seconds", "To scan one sample after its arrival", scan_seconds.clone());
        // 10 ms, a few signatures, to 23 hours, a full one of a large store.
        let retest_seconds = Histogram::new(exponential_buckets(10e-3, 4.0, 12));
        registry.register("retest_seconds", "Work of one re-test, pauses left out", retest_seconds.clone());
        // A second, a known sample, to 12 days, one that waits for a person.
        let immunity_seconds = Histogram::new(exponential_buckets(1.0, 2.0, 21));
        let help = "From the arrival of an item to the install of its definitions on its client";
        registry.register("immunity_seconds", help, immunity_seconds.clone());
        let connections = Family::<DoorLabel, Gauge>::default();
        let http_connections = connections.get_or_create_owned(&DoorLabel { door: "http" });
        let intake_connections = connections.get_or_create_owned(&DoorLabel { door: "intake" });
        registry.register("connections", "Open connections, by door", connections);
        registry.register("build", "Version of this server", Info::new([("version", env!("CARGO_PKG_VERSION"))]));
        let store = Arc::new(store::Store::default());
        registry.register_collector(Box::new(Arc::clone(&store)));
        Self {
            registry,
            outcomes: by_outcome,
            bytes,
            refused,
            ack_seconds,
            http_connections,
            intake_connections,
            scan_seconds,
            retest_seconds,
            immunity_seconds,
            store,
        }
    }
}

impl Metrics {
    /// One item is durable.
    pub fn acked(&self, receipt: &Stored, outcome: Outcome, took: Duration) {
        if let Some(counter) = self.outcomes.get(outcome as usize) {
            counter.inc();
        }
        self.bytes.inc_by(receipt.raw.0);
        self.ack_seconds.observe(took.as_secs_f64());
    }

    /// One arrival made no item.
    pub fn refused(&self, code: RefusedCode) {
        self.refused.get_or_create(&ReasonLabel { reason: code.word() }).inc();
    }

    /// From here on the engine's figures are told too.
    pub fn opened(&self, engine: &Engine) {
        self.store.opened(engine.clone());
    }

    /// OpenMetrics text.
    ///
    /// # Errors
    /// A figure cannot be written.
    pub fn scrape(&self, context: &Context) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        text::encode_registry(&mut text, &self.registry)?;
        text::encode(&mut text, &scan::registry(context))?;
        Ok(text)
    }
}

/// Adds one to a gauge for as long as it lives.
pub struct Counted(Gauge);

impl Counted {
    /// Counts.
    pub fn new(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.dec();
    }
}
