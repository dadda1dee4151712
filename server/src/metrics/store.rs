//! The engine's figures, read at each scrape.

use engine::{Effort, Engine};
use model::Status;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use std::sync::OnceLock;

/// Nothing until the engine is there.
#[derive(Default)]
pub(super) struct Store(OnceLock<Engine>);

impl Store {
    pub(super) fn opened(&self, engine: Engine) {
        // The daemon opens one engine.
        let _ = self.0.set(engine);
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Store").field("open", &self.0.get().is_some()).finish()
    }
}

impl Collector for Store {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let Some(engine) = self.0.get() else { return Ok(()) };
        let quota = engine.quota();
        for (name, help, value) in [
            ("store_bytes", "Bytes charged to the quota", quota.used_bytes),
            ("store_samples", "Distinct samples", quota.used_samples),
            ("quota_max_bytes", "Bytes the store may hold", quota.max_bytes),
            ("quota_max_samples", "Samples the store may hold", quota.max_samples),
            ("quota_reserved_bytes", "Bytes promised to arrivals in flight", quota.reserved_bytes),
            ("store_prepared_bytes", "Bytes written ahead of the lane, not charged", quota.prepared_bytes),
            ("disk_free_bytes", "Bytes free on the store's filesystem", quota.free_disk_bytes),
            ("catalogue_lag", "Changes of the log that the catalogue does not show yet", engine.catalogue().lag()),
            (
                "finish_backlog_bytes",
                "Plain bytes stored lightly in a burst, to be recompressed",
                engine.finish_backlog_bytes(),
            ),
            ("index_memory_bytes", "Memory of the dedupe index", engine.index_memory_bytes()),
            (
                "sha256_memory_bytes",
                "Memory of what questions by SHA-256 have learned",
                engine.catalogue().sha256_memory_bytes(),
            ),
        ] {
            gauge(&mut encoder, name, help, value)?;
        }
        let mut items =
            encoder.encode_descriptor("items", "Items by status", None, ConstGauge::new(0u64).metric_type())?;
        for (status, count) in Status::ALL.into_iter().zip(engine.catalogue().count_by_status()) {
            let label = [("status", status.name())];
            ConstGauge::new(count).encode(items.encode_family(&label)?)?;
        }
        let counters = engine.counters();
        for (name, help, count) in [
            ("log_bytes", "Bytes of batches written to the log, padding included", &counters.log_bytes),
            ("zeroed_bytes", "Bytes of zeroes written ahead of the lane", &counters.zeroed_bytes),
            ("rewritten_segments", "Segments rewritten by compaction or the finish pass", &counters.rewritten_segments),
            ("rewritten_bytes", "Bytes that rewriting read and wrote", &counters.rewritten_bytes),
            ("reclaimed_bytes", "Bytes that rewriting made free", &counters.reclaimed_bytes),
            ("scrubbed_bytes", "Bytes that the scrub has read", &counters.scrubbed_bytes),
            ("damaged", "Damaged places found", &counters.damaged),
            ("healed", "Damaged samples that came again and were stored anew", &counters.healed),
        ] {
            let counter = ConstCounter::new(count.read());
            counter.encode(encoder.encode_descriptor(name, help, None, counter.metric_type())?)?;
        }
        let help = "Samples packed, by how hard they were compressed; raw and light are bursts";
        let mut packed =
            encoder.encode_descriptor("pack_samples", help, None, ConstCounter::new(0u64).metric_type())?;
        for (effort, count) in Effort::ALL.into_iter().zip(&counters.packed) {
            let label = [("effort", effort.name())];
            ConstCounter::new(count.read()).encode(packed.encode_family(&label)?)?;
        }
        for (name, help, histogram, scale) in [
            ("pack_seconds", "To hash, compress and seal one sample", &counters.pack_us, 1e-6),
            ("segment_sync_seconds", "One durable write", &counters.sync_us, 1e-6),
            ("segment_batch_records", "Records in one durable write", &counters.batch_records, 1.0),
        ] {
            let mut buckets: Vec<(f64, u64)> =
                histogram.buckets().into_iter().map(|(bound, count)| (bound as f64 * scale, count)).collect();
            if let Some(last) = buckets.last_mut() {
                // The engine's last bucket takes everything larger.
                last.0 = f64::INFINITY;
            }
            let count = buckets.iter().map(|(_, count)| count).sum();
            let mut encoder = encoder.encode_descriptor(name, help, None, MetricType::Histogram)?;
            encoder.encode_histogram::<NoLabelSet>(histogram.sum() as f64 * scale, count, &buckets, None)?;
        }
        Ok(())
    }
}

fn gauge(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: u64) -> Result<(), std::fmt::Error> {
    let gauge = ConstGauge::new(value);
    gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)
}
