//! Every bound of this crate.

use std::time::Duration;

/// Arrivals in one run: their schedule is 8 bytes each and kept whole, 800 MB at most.
pub const ARRIVALS_MAX: u64 = 100_000_000;
/// Arrivals that wait between the pacer and one connection; beyond it the pacer itself waits, which
/// shows as lag.
pub const LANE_QUEUE: usize = 16_384;
/// Bytes written ahead on one connection before new requests wait, so that time spent in our own
/// buffer is not taken for the server's.
pub const WRITE_AHEAD_BYTES: usize = 64 * 1024;
/// Requests made in one go before a lane looks at its inbox and its socket again: making one costs a
/// copy and a hash of its body.
pub const STARTS_AT_ONCE: usize = 8;
/// Bytes read from a socket at once.
pub const READ_BYTES: usize = 64 * 1024;
/// Pause before a lost connection is made again.
pub const RECONNECT_PAUSE: Duration = Duration::from_millis(100);
/// Failed connects in a row before a lane gives up.
pub const CONNECTS_MAX: u32 = 50;
/// Deadline of one question to the server's HTTP side.
pub const QUESTION_TIMEOUT: Duration = Duration::from_secs(10);
/// Answer to a question: an item's JSON, a page of metrics.
pub const ANSWER_BYTES_MAX: usize = 4 << 20;
/// Pause between two looks at the server's count.
pub const SETTLE_PAUSE: Duration = Duration::from_millis(100);
/// Files of a `--corpus` directory are held in memory up to this size.
pub const CORPUS_BYTES_MAX: u64 = 1 << 30;
/// Longest latency a histogram holds, microseconds: one hour. Longer ones are counted as this.
pub const LATENCY_US_MAX: u64 = 3_600_000_000;
/// Problems of one kind that a report lists by name.
pub const PROBLEMS_SHOWN: usize = 20;
