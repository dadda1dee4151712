//! The engine's figures, read at each scrape.

use engine::Engine;
use model::Status;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _};
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
        ] {
            gauge(&mut encoder, name, help, value)?;
        }
        let mut items =
            encoder.encode_descriptor("items", "Items by status", None, ConstGauge::new(0u64).metric_type())?;
        for (status, count) in Status::ALL.into_iter().zip(engine.catalogue().count_by_status()) {
            let label = [("status", status.name())];
            ConstGauge::new(count).encode(items.encode_family(&label)?)?;
        }
        Ok(())
    }
}

fn gauge(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: u64) -> Result<(), std::fmt::Error> {
    let gauge = ConstGauge::new(value);
    gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)
}
