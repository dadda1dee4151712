//! Time that this thread ran, in seconds.

use std::hint::black_box;

/// Seconds on a processor since the thread started (Linux: the first number of its `schedstat`).
fn ran() -> f64 {
    // The kernel accounts at each switch; giving up the processor for a moment brings the number up to date.
    std::thread::yield_now();
    let line = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    line.split(' ').next().and_then(|number| number.parse::<f64>().ok()).unwrap_or(0.0) / 1e9
}

/// What the work gave, and how long this thread ran for it.
pub fn timed<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let start = ran();
    let out = black_box(work());
    (out, ran() - start)
}
