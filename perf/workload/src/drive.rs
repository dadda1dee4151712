//! Closed-loop writers: each waits for the ack of one sample before it makes the next, so latencies
//! are those of this number of writers and are not comparable with an open loop's.

use crate::cell::Cell;
use crate::corpus::Corpus;
use crate::disk;
use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// What to run.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// Plain bytes of each sample.
    pub sample_bytes: usize,
    /// Number of writers.
    pub writers: usize,
    /// Measured time.
    pub measured: Duration,
    /// Time before it, not measured.
    pub warm_up: Duration,
    /// Samples at most in the whole run, which bounds the space on disk.
    pub samples_max: u64,
    /// Chooses the samples.
    pub seed: u64,
}

/// What a store says of a sample it has acknowledged.
#[derive(Debug, Clone, Copy)]
pub struct Stored {
    /// Bytes it takes there.
    pub bytes: u64,
}

/// One writer's hold on a store.
pub trait Writer {
    /// Fills a buffer of the store's choice with `fill` and returns when the sample is durable.
    ///
    /// # Errors
    /// Anything that kept the sample from being durable, as text; it ends the run.
    fn store(&mut self, sample_bytes: usize, fill: &mut dyn FnMut(&mut Vec<u8>)) -> Result<Stored, String>;
}

/// What one writer saw.
#[derive(Default)]
struct Seen {
    acks: Vec<Duration>,
    all: u64,
    stored_bytes: u64,
}

/// Runs the load, one writer from `open` for each thread, and sums it up. `store` names the cell.
///
/// # Errors
/// The first error of any writer; the others stop at the end of the run.
pub fn drive<W, O>(store: &str, load: &Load, corpus: &Corpus, open: O) -> Result<Cell, String>
where
    W: Writer,
    O: Fn(usize) -> W + Sync,
{
    let next = AtomicU64::new(0);
    let barrier = Barrier::new(load.writers);
    let written_before = disk::written_bytes();
    let outcomes: Vec<Result<(Seen, Duration), String>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..load.writers)
            .map(|number| {
                let (next, barrier, open) = (&next, &barrier, &open);
                scope.spawn(move || {
                    let mut writer = open(number);
                    barrier.wait();
                    write(load, corpus, next, &mut writer)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(|_| Err("a writer panicked".into()))).collect()
    });
    let mut acks = Vec::new();
    let (mut all_samples, mut stored_bytes, mut measured) = (0, 0, Duration::ZERO);
    for outcome in outcomes {
        let (seen, took) = outcome?;
        acks.extend(seen.acks);
        all_samples += seen.all;
        stored_bytes += seen.stored_bytes;
        measured = measured.max(took);
    }
    acks.sort_unstable();
    let seconds = measured.as_secs_f64();
    let samples = acks.len() as u64;
    Ok(Cell {
        store: store.to_owned(),
        sample_bytes: load.sample_bytes,
        writers: load.writers,
        seconds,
        samples,
        samples_per_second: samples as f64 / seconds,
        megabytes_per_second: samples as f64 * load.sample_bytes as f64 / seconds / 1e6,
        ack_p50_ms: percentile_ms(&acks, 50),
        ack_p99_ms: percentile_ms(&acks, 99),
        ack_max_ms: percentile_ms(&acks, 100),
        all_samples,
        raw_bytes: all_samples * load.sample_bytes as u64,
        stored_bytes,
        written_bytes: disk::written_bytes().saturating_sub(written_before),
        disk_bytes: 0,
        beside_bytes: 0,
    })
}

/// One thread's loop. The measured time ends at the deadline, or earlier at the last sample.
fn write(load: &Load, corpus: &Corpus, next: &AtomicU64, writer: &mut impl Writer) -> Result<(Seen, Duration), String> {
    let mut seen = Seen::default();
    let warm = Instant::now() + load.warm_up;
    let deadline = warm + load.measured;
    loop {
        let index = next.fetch_add(1, Ordering::Relaxed);
        let start = Instant::now();
        if start >= deadline || index >= load.samples_max {
            break;
        }
        let stored =
            writer.store(load.sample_bytes, &mut |out| corpus.fill(load.seed, index, load.sample_bytes, out))?;
        let end = Instant::now();
        seen.all += 1;
        seen.stored_bytes += stored.bytes;
        if end >= warm && end < deadline {
            seen.acks.push(end - start);
        }
    }
    Ok((seen, Instant::now().min(deadline).saturating_duration_since(warm)))
}

fn percentile_ms(sorted: &[Duration], percent: usize) -> f64 {
    let at = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(at).map_or(0.0, |ack| ack.as_secs_f64() * 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Memory;

    impl Writer for Memory {
        fn store(&mut self, _: usize, fill: &mut dyn FnMut(&mut Vec<u8>)) -> Result<Stored, String> {
            let mut buffer = Vec::new();
            fill(&mut buffer);
            Ok(Stored { bytes: buffer.len() as u64 })
        }
    }

    #[test]
    fn a_run_stops_at_its_samples_and_counts_every_one() {
        let corpus = Corpus::of(vec![3; 500]).unwrap();
        let load = Load {
            sample_bytes: 40,
            writers: 3,
            measured: Duration::from_secs(60),
            warm_up: Duration::ZERO,
            samples_max: 100,
            seed: 1,
        };
        let cell = drive("memory", &load, &corpus, |_| Memory).unwrap();
        assert_eq!((cell.all_samples, cell.raw_bytes, cell.stored_bytes), (100, 4000, 4000));
        assert_eq!(cell.samples, 100);
    }

    #[test]
    fn percentiles_are_of_the_nearest_rank() {
        let acks: Vec<Duration> = (1..=200).map(Duration::from_millis).collect();
        assert_eq!(
            (percentile_ms(&acks, 50), percentile_ms(&acks, 99), percentile_ms(&acks, 100)),
            (100.0, 198.0, 200.0)
        );
        assert_eq!(percentile_ms(&[], 99), 0.0);
    }
}
