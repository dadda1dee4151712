//! Figures of the scanner, definitions and re-tests, read at each scrape.

use crate::daemon::context::Context;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;
use std::sync::atomic::{AtomicU64, Ordering};

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
    registry
}
