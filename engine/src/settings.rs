//! Settings of a store. Every default has its unit and reason.

use crate::disk::ReadMode;
use crate::pack::CodecPolicy;
use std::num::NonZero;

/// What "full" means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FullPolicy {
    /// Finished samples make room, oldest first.
    #[default]
    Reclaim,
    /// Nothing new until definitions remediate a stored, unresolved sample, or an administrator purges (both seeds).
    Strict,
}

/// Settings; `Default` is what a small machine wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Limit of bytes on disk. 4 GiB: the upper end of what the first seed recommends for quarantined items.
    pub max_bytes: u64,
    /// Limit of distinct samples. A million: far above what fits 4 GiB at the usual sizes.
    pub max_samples: u64,
    /// Low watermark, percent of a limit: the alert.
    pub low_percent: u8,
    /// High watermark, percent of a limit: intake is slowed.
    pub high_percent: u8,
    /// What full means.
    pub full: FullPolicy,
    /// Largest sample, plain bytes. 1 GiB.
    pub sample_bytes_max: u64,
    /// Samples above this stream into a file of their own, plain bytes. 8 MiB: the largest batch.
    pub large_bytes_min: u64,
    /// How sealed segments are read.
    pub read: ReadMode,
    /// Threads that hash, compress and seal. As many as there are cores.
    pub pack_threads: usize,
    /// Who decides how hard to compress.
    pub codec: CodecPolicy,
    /// Whether settled segments are recompressed in the background.
    pub finish: bool,
    /// Whether segments are read in the background to find damage.
    pub scrub: bool,
    /// Bytes a second that the scrub reads. 8 MiB: a day for 675 GiB, and no more than a few percent of a disk.
    pub scrub_bytes_per_s: u64,
    /// Share of the bytes that one client may take once the store is past its low watermark, percent. 100 is no limit:
    /// many estates have one mail gateway that sends nearly everything.
    pub client_share_percent: u8,
    /// Changes the catalogue may be behind the log before intake is asked to slow down. 250,000: some 125 MB of memory
    /// and four seconds of its work.
    pub catalogue_lag_max: u64,
    /// Bytes of zeroes that are prepared ahead of the lane while it is idle. 8 MiB: one full batch.
    pub prepare_bytes: u64,
    /// Segment size; `None` derives it from `max_bytes`. Tests make it tiny so that rare paths are common.
    pub segment_bytes: Option<u64>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            max_bytes: 4 << 30,
            max_samples: 1_000_000,
            low_percent: 80,
            high_percent: 90,
            full: FullPolicy::default(),
            sample_bytes_max: 1 << 30,
            large_bytes_min: 8 << 20,
            read: ReadMode::default(),
            pack_threads: std::thread::available_parallelism().map_or(2, NonZero::get),
            codec: CodecPolicy::default(),
            finish: true,
            scrub: true,
            scrub_bytes_per_s: 8 << 20,
            client_share_percent: 100,
            catalogue_lag_max: 250_000,
            prepare_bytes: 8 << 20,
            segment_bytes: None,
        }
    }
}

impl Settings {
    /// Bytes at which a segment is sealed: a sixty-fourth of the store, between 4 MiB and 256 MiB, so that compaction
    /// needs little room and the index can address every record.
    #[must_use]
    pub fn segment_bytes(&self) -> u64 {
        self.segment_bytes.unwrap_or_else(|| (self.max_bytes / 64).clamp(4 << 20, 256 << 20))
    }
}
