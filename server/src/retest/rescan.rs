//! Some samples scanned again with the whole set, on every processor, and what that makes of their verdicts.

use crate::daemon::context::Context;
use crate::definitions::Active;
use crate::scanning::{Failure, Report, bytes_of, scan_bytes};
use engine::Engine;
use engine::catalogue::{CatalogueError, Found, Own, SampleVerdict};
use model::{Blake3, SampleId, Sequence};
use parking_lot::Mutex;
use scanner::file::Limits;
use scanner::ruleset::Scratch;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What came of some samples.
#[derive(Debug, Default)]
pub struct Rescanned {
    /// To be written: verdicts, and what is to be settled because of them.
    pub changes: Vec<Own>,
    /// Samples that are not there any more.
    pub gone: Vec<SampleId>,
    /// Samples that were answered.
    pub answered: Vec<SampleId>,
    /// Plain bytes of all of them.
    pub plain_bytes: u64,
    /// Newly detected.
    pub newly_detected: u64,
    /// No longer detected.
    pub no_longer_detected: u64,
    /// Could not be scanned.
    pub faults: u64,
    /// Nothing can be scanned now; what is missing here is to be asked again.
    pub down: Option<String>,
}

/// Scans samples with the whole set. Blocks.
///
/// # Errors
/// The catalogue cannot be read.
pub fn rescan(
    context: &Context,
    engine: &Engine,
    active: &Active,
    samples: &[(SampleId, Blake3)],
) -> Result<Rescanned, CatalogueError> {
    let reports = reports(context, engine, active, samples);
    let mut done = Rescanned::default();
    for ((sample, _), report) in samples.iter().zip(reports) {
        match report {
            Ok(report) => {
                done.plain_bytes += report.bytes;
                let before = engine.catalogue().verdict(*sample)?;
                done.take(*sample, before, report, active.sequence);
            }
            Err(Failure::Gone) => done.gone.push(*sample),
            Err(Failure::Sample(why)) => {
                tracing::warn!(
                    sample = sample.0,
                    why,
                    "a sample cannot be scanned again; what was found before stands"
                );
                done.faults += 1;
                done.answered.push(*sample);
            }
            Err(Failure::Down(why)) => done.down = Some(why),
        }
    }
    Ok(done)
}

impl Rescanned {
    fn take(&mut self, sample: SampleId, before: Option<SampleVerdict>, report: Report, sequence: Sequence) {
        // What was never scanned is the control loop's.
        let Some(before) = before else { return };
        let after = renewed(&before, report.kept(&before), sequence);
        self.answered.push(sample);
        self.compare(&before, &after);
        let changed = before.findings != after.findings;
        self.changes.push(Own::Verdict(after));
        if changed {
            self.changes.push(Own::Unsettled(sample));
        }
    }

    /// Counts what two verdicts of a sample make newly or no longer detected.
    pub fn compare(&mut self, before: &SampleVerdict, after: &SampleVerdict) {
        match (before.detections().next().is_some(), after.detections().next().is_some()) {
            (false, true) => self.newly_detected += 1,
            (true, false) => self.no_longer_detected += 1,
            (true, true) | (false, false) => {}
        }
    }
}

/// The verdict that these matches make; a match that was known keeps the set that found it first.
pub fn renewed(before: &SampleVerdict, matches: Vec<(String, bool)>, sequence: Sequence) -> SampleVerdict {
    let known: BTreeMap<&str, Sequence> =
        before.findings.iter().map(|found| (found.signature.as_str(), found.sequence)).collect();
    let findings = matches.into_iter().map(|(signature, allowed)| {
        let sequence = known.get(signature.as_str()).copied().unwrap_or(sequence);
        Found { signature, allowed, sequence }
    });
    SampleVerdict { sample: before.sample, sequence, findings: findings.collect() }
}

/// One report for each sample, in their order. Blocks.
pub(super) fn reports(
    context: &Context,
    engine: &Engine,
    active: &Active,
    samples: &[(SampleId, Blake3)],
) -> Vec<Result<Report, Failure>> {
    let pool = match context.cage.pool() {
        Ok(pool) => pool,
        Err(fault) => return samples.iter().map(|_| Err(Failure::Down(fault.to_string()))).collect(),
    };
    let next = AtomicUsize::new(0);
    let reports = Mutex::new(BTreeMap::new());
    // Each waits for its worker now and then, and the others have its processor meanwhile.
    let threads = (2 * std::thread::available_parallelism().map_or(1, usize::from)).min(samples.len());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                engine::run_in_background();
                let (limits, mut scratch) = (Limits::default(), Scratch::default());
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some((_, blake3)) = samples.get(number) else { return };
                    let report = bytes_of(engine, blake3, &limits).and_then(|bytes| match bytes {
                        Some(bytes) => scan_bytes(&pool, active.detector.view(), &mut scratch, &bytes, &limits, None),
                        None => Ok(Report::default()),
                    });
                    reports.lock().insert(number, report);
                }
            });
        }
    });
    reports.into_inner().into_values().collect()
}
