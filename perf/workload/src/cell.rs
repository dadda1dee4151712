//! The result of one run, printed as one line of JSON.

use serde::{Deserialize, Serialize};

/// One store, one size, one number of writers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    /// What was measured, with the switches that matter: `product/plain`, `rocksdb`.
    pub store: String,
    /// Plain bytes of each sample.
    pub sample_bytes: usize,
    /// Threads that each wait for an ack before the next sample.
    pub writers: usize,
    /// Measured time, after the warm-up, seconds.
    pub seconds: f64,
    /// Samples acknowledged in the measured time.
    pub samples: u64,
    /// Rate of acknowledged samples.
    pub samples_per_second: f64,
    /// Rate of plain bytes, in units of 10^6.
    pub megabytes_per_second: f64,
    /// Median of the time from the filled buffer's start to its ack, milliseconds.
    pub ack_p50_ms: f64,
    /// 99th percentile of the same.
    pub ack_p99_ms: f64,
    /// Longest of the same.
    pub ack_max_ms: f64,
    /// Samples acknowledged in the whole run, warm-up and drain included.
    pub all_samples: u64,
    /// Plain bytes of the whole run.
    pub raw_bytes: u64,
    /// What the store says its samples take: for peers the compressed and sealed bytes, for the
    /// product those with the record around them.
    pub stored_bytes: u64,
    /// Bytes that the kernel was asked to write to storage by the whole run.
    pub written_bytes: u64,
    /// Blocks allocated to the samples after the store was closed, in bytes.
    pub disk_bytes: u64,
    /// Blocks allocated to the rest of the data directory: the product's reserve of one segment and its
    /// catalogue of items; nothing for peers.
    pub beside_bytes: u64,
}

impl Cell {
    /// One line of JSON, without its line end.
    pub fn line(&self) -> String {
        let mut fields = vec![format!("\"store\":{:?}", self.store)];
        let mut number = |name: &str, value: String| fields.push(format!("\"{name}\":{value}"));
        number("sample_bytes", self.sample_bytes.to_string());
        number("writers", self.writers.to_string());
        number("seconds", format!("{:.3}", self.seconds));
        number("samples", self.samples.to_string());
        number("samples_per_second", format!("{:.1}", self.samples_per_second));
        number("megabytes_per_second", format!("{:.1}", self.megabytes_per_second));
        number("ack_p50_ms", format!("{:.3}", self.ack_p50_ms));
        number("ack_p99_ms", format!("{:.3}", self.ack_p99_ms));
        number("ack_max_ms", format!("{:.3}", self.ack_max_ms));
        number("all_samples", self.all_samples.to_string());
        number("raw_bytes", self.raw_bytes.to_string());
        number("stored_bytes", self.stored_bytes.to_string());
        number("written_bytes", self.written_bytes.to_string());
        number("disk_bytes", self.disk_bytes.to_string());
        number("beside_bytes", self.beside_bytes.to_string());
        format!("{{{}}}", fields.join(","))
    }
}
