//! Every bound of the catalogue with its unit and its reason.

use std::time::Duration;

/// What an owner of a catalogue may choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CatalogueSettings {
    /// Read connections that may be open at once; opened when first needed.
    pub readers: usize,
    /// Page cache of the writer, the most that it may become. A batch from 10,000 clients dirties a page of the client
    /// index for each, 40 MiB, and what does not fit is written more than once: 64 MiB took 20 % more items a second of
    /// processor time than 16 MiB at 2 M items (`perf/records/catalogue-rate.json`). A small catalogue uses little of
    /// it, an idle one gives it back.
    pub writer_cache_bytes: usize,
    /// Page cache of one reader.
    pub reader_cache_bytes: usize,
    /// Changes that may wait in memory, about 500 bytes each. Intake is throttled by the lag long before.
    pub queue_changes_max: usize,
    /// Rows in one transaction: 50,000 ran 1.6 times faster than 4,000, more gained nothing.
    pub batch_rows_max: usize,
    /// How long a few changes wait for more, so that a trickle does not become a transaction each. Nobody who waits
    /// for an item pays it.
    pub linger: Duration,
    /// Pages of 4096 bytes that the file may have; 0 for no bound.
    pub pages_max: u32,
}

impl Default for CatalogueSettings {
    fn default() -> Self {
        Self {
            readers: 4,
            writer_cache_bytes: 64 << 20,
            reader_cache_bytes: 2 << 20,
            queue_changes_max: 100_000,
            batch_rows_max: 50_000,
            linger: Duration::from_millis(10),
            pages_max: 0,
        }
    }
}

/// How long nothing has to happen before the owner gives its memory back and copies the write-ahead log.
pub(super) const REST_AFTER: Duration = Duration::from_secs(2);
/// So many changes are worth a transaction without lingering for more.
pub(super) const LINGER_CHANGES_MAX: usize = 4_096;
/// How long a caller waits for a durable answer before it is told that none came.
pub(super) const ANSWER_WAIT_MAX: Duration = Duration::from_secs(10);
/// How long the feed waits for room before the catalogue gives up and leaves the rest to a replay.
pub(super) const FEED_WAIT_MAX: Duration = Duration::from_secs(30);
/// How often a full disk is tried again.
pub(super) const RETRY_INTERVAL: Duration = Duration::from_secs(1);
/// How long a caller waits for a read connection.
pub(super) const READER_WAIT_MAX: Duration = Duration::from_secs(5);
/// Items on one page: with names of 4 KiB each still only 5 MiB.
pub(super) const PAGE_ITEMS_MAX: usize = 1_000;
/// Rows that one page may look at while a filter rejects them, some 3 us each: a page stays below 50 ms whatever is
/// asked, and may be short.
pub(super) const PAGE_ROWS_MAX: usize = 8_000;
/// How long a question by SHA-256 may learn what it has not read yet: some 5 M samples.
pub(super) const SHA256_WAIT_MAX: Duration = Duration::from_secs(5);
/// How long a count may take.
pub(super) const COUNT_WAIT_MAX: Duration = Duration::from_secs(5);
/// Names of clients, platforms and reasons that the writer remembers, of each kind.
pub(super) const NAMES_MAX: usize = 16_384;
/// Items that share one row of the table that finds items by time.
pub(super) const SPAN_ITEMS_MAX: i64 = 4_096;
/// The write-ahead log is copied into the file when it has so many pages (32 MiB): one copy then serves many batches.
pub(super) const CHECKPOINT_PAGES: u32 = 8_192;
/// The write-ahead log keeps so much disk after a copy.
pub(super) const JOURNAL_BYTES_MAX: u32 = 64 << 20;
