//! What a set of definitions would find that is not in use: every sample is scanned with it and nothing is written.

use super::rescan::{renewed, reports};
use crate::daemon::context::Context;
use crate::definitions::Active;
use crate::scanning::Failure;
use engine::Engine;
use engine::catalogue::{CatalogueError, SampleVerdict};
use model::{Blake3, SampleId, Sequence};
use serde::Serialize;

/// Samples between two looks at whether anybody still waits.
const PIECE_SAMPLES: usize = 256;
/// Samples that are named; the counts are whole.
const NAMED_MAX: usize = 100;

/// What it would find.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Trial {
    /// Samples that were scanned with it.
    pub samples: u64,
    /// In how many something was found that counts.
    pub detected: u64,
    /// In how many of them the set in use finds nothing.
    pub newly_detected: u64,
    /// In how many the set in use finds something and this one nothing.
    pub no_longer_detected: u64,
    /// How many could not be scanned.
    pub faults: u64,
    /// The first that are newly detected, with what finds them.
    pub newly: Vec<Named>,
    /// The first that are no longer detected, with what found them.
    pub no_longer: Vec<Named>,
}

/// A sample with names of signatures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Named {
    /// Its address.
    pub blake3: Blake3,
    /// Names.
    pub signatures: Vec<String>,
}

/// Scans every sample that has a verdict. `go_on` is told how many of how many are done and may end it. Blocks.
///
/// # Errors
/// The catalogue cannot be read.
pub fn trial(
    context: &Context,
    engine: &Engine,
    active: &Active,
    go_on: &mut dyn FnMut(u64, u64) -> bool,
) -> Result<Option<Trial>, CatalogueError> {
    let mut trial = Trial::default();
    let all = context.retests.samples();
    let mut after = SampleId(0);
    loop {
        if !go_on(trial.samples + trial.faults, all) {
            return Ok(None);
        }
        let rows = engine.catalogue().samples_after(after, PIECE_SAMPLES)?;
        let Some(last) = rows.last() else { return Ok(Some(trial)) };
        after = last.sample;
        let scanned = rows.iter().filter(|row| row.sequence > Sequence(0));
        let samples: Vec<_> = scanned.map(|row| (row.sample, row.blake3)).collect();
        for ((sample, blake3), report) in samples.iter().zip(reports(context, engine, active, &samples)) {
            match report {
                Ok(report) => {
                    if let Some(before) = engine.catalogue().verdict(*sample)? {
                        let after = renewed(&before, report.kept(&before), active.sequence);
                        trial.take(*blake3, &before, &after);
                    }
                }
                Err(Failure::Gone) => {}
                Err(Failure::Down(_) | Failure::Sample(_)) => trial.faults += 1,
            }
        }
    }
}

impl Trial {
    fn take(&mut self, blake3: Blake3, before: &SampleVerdict, after: &SampleVerdict) {
        let named =
            |verdict: &SampleVerdict| Named { blake3, signatures: verdict.detections().map(str::to_owned).collect() };
        self.samples += 1;
        let (was, is) = (before.detections().next().is_some(), after.detections().next().is_some());
        self.detected += u64::from(is);
        if is && !was {
            self.newly_detected += 1;
            if self.newly.len() < NAMED_MAX {
                self.newly.push(named(after));
            }
        }
        if was && !is {
            self.no_longer_detected += 1;
            if self.no_longer.len() < NAMED_MAX {
                self.no_longer.push(named(before));
            }
        }
    }
}
