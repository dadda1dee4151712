//! A large buffer is scanned by several threads; who asked is called on its own.

use super::LiteralId;
use super::probe::{Instructions, PIECE_BYTES};
use super::set::LiteralSet;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};

/// Bytes that a thread takes at a time; a buffer of fewer than two such parts is not worth a thread.
pub const PART_BYTES: usize = 2 << 20;
/// Occurrences that are handed over together, and how many such batches may wait: whoever looks is held up then.
const BATCH: usize = 4096;
/// See [`BATCH`].
const BATCHES_MAX: usize = 16;

impl LiteralSet {
    /// As [`scan`](Self::scan), by at most `threads` threads. They end before it returns, and inherit the caller's priority.
    pub fn scan_split(&self, threads: usize, haystack: &[u8], found: impl FnMut(LiteralId, usize)) {
        self.scan_in_parts(threads, PART_BYTES, haystack, found);
    }

    pub(super) fn scan_in_parts(
        &self,
        threads: usize,
        part_bytes: usize,
        haystack: &[u8],
        mut found: impl FnMut(LiteralId, usize),
    ) {
        debug_assert_eq!(part_bytes % PIECE_BYTES, 0);
        let parts = haystack.len().div_ceil(part_bytes);
        let threads = threads.min(parts);
        if threads < 2 {
            return self.scan(haystack, found);
        }
        let next = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            let (send, batches) = sync_channel::<Vec<(LiteralId, usize)>>(BATCHES_MAX);
            let mut started = 0;
            for _ in 0..threads {
                let (send, next) = (send.clone(), &next);
                let work = move || {
                    let mut batch = Vec::new();
                    loop {
                        let start = next.fetch_add(1, Ordering::Relaxed).saturating_mul(part_bytes);
                        if start >= haystack.len() {
                            break;
                        }
                        self.part(haystack, start..haystack.len().min(start + part_bytes), &mut batch, &send);
                    }
                    // Whoever receives is there until the last sender is gone.
                    let _ = send.send(batch);
                };
                // Where no thread is to be had, fewer do it.
                started += usize::from(std::thread::Builder::new().spawn_scoped(scope, work).is_ok());
            }
            drop(send);
            if started == 0 {
                return self.scan(haystack, found);
            }
            for batch in batches {
                batch.into_iter().for_each(|(literal, at)| found(literal, at));
            }
        });
    }

    fn part(
        &self,
        haystack: &[u8],
        part: Range<usize>,
        batch: &mut Vec<(LiteralId, usize)>,
        send: &SyncSender<Vec<(LiteralId, usize)>>,
    ) {
        self.scan_part(Instructions::best(), haystack, part, |literal, at| {
            batch.push((literal, at));
            if batch.len() >= BATCH {
                let _ = send.send(std::mem::take(batch));
            }
        });
    }
}
