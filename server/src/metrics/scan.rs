//! Figures of the scanner, definitions, re-tests, the gateway and alerts, read at each scrape.

use crate::daemon::context::Context;
use model::Event;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;
use std::sync::atomic::{AtomicU64, Ordering};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabel {
    kind: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EventLabel {
    event: &'static str,
}

/// As they are now.
pub(super) fn registry(context: &Context) -> Registry {
    let mut registry = Registry::with_prefix("lazaret");
    let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    let figures = &context.figures;
    registry.register(
        "scan_bytes",
        "Plain bytes scanned after their arrival",
        ConstCounter::new(read(&figures.scan_bytes)),
    );
    registry.register("scan_samples", "Samples scanned after their arrival", ConstCounter::new(read(&figures.scans)));
    registry.register("scan_faults", "Samples whose scan failed", ConstCounter::new(read(&figures.scan_faults)));
    registry.register("scan_in_flight", "Samples at the scanner", ConstGauge::new(read(&figures.in_flight)));
    registry.register("scanner_up", "1 unless the scanner cannot run", ConstGauge::new(1 - read(&figures.down).min(1)));
    let active = context.definitions.active();
    let of = |figure: &dyn Fn(&crate::definitions::Active) -> u64| active.as_deref().map_or(0, figure);
    for (name, help, value) in [
        ("definitions_sequence", "Number of the set in use, 0 for none", of(&|active| active.sequence.0)),
        ("definitions_signatures", "Signatures in the set in use", of(&|active| active.detector.len() as u64)),
        (
            "definitions_memory_bytes",
            "Memory of the set in use",
            of(&|active| active.detector.ruleset.memory_bytes() as u64),
        ),
        (
            "definitions_swept",
            "Patterns of the set in use that no literal leads to",
            of(&|active| active.detector.ruleset.swept() as u64),
        ),
    ] {
        registry.register(name, help, ConstGauge::new(value));
    }
    let help = "Samples that the present re-test has yet to answer";
    registry.register("retest_samples_remaining", help, ConstGauge::new(context.retests.remaining()));
    exchange(context, &mut registry);
    registry
}

/// The gateway's task and alerts.
fn exchange(context: &Context, registry: &mut Registry) {
    let told = context.exchange.told();
    let help = "1 while the gateway answers, 0 while it does not or there is none";
    registry.register("gateway_up", help, ConstGauge::new(u64::from(told.up() == Some(true))));
    let requests = Family::<RequestLabel, Counter>::default();
    for kind in ["submit", "ask", "sets", "fetch"] {
        drop(requests.get_or_create(&RequestLabel { kind, outcome: "ok" }));
    }
    for ((kind, outcome), count) in &told.requests {
        requests.get_or_create(&RequestLabel { kind, outcome }).inc_by(*count);
    }
    registry.register("gateway_requests", "Requests to the gateway, by kind and outcome", requests);
    let alerts = Family::<EventLabel, Counter>::default();
    for event in Event::ALL {
        alerts.get_or_create(&EventLabel { event: event.id() }).inc_by(context.alerts.count(event));
    }
    registry.register("alerts", "How often each event was raised, told or not", alerts);
}
