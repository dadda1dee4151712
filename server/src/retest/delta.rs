//! Shelves asked what a change of definitions has changed, and what is then left to look at.
//!
//! ```text
//! shelf      -> Answer         no sample is read
//! candidate  -> block          one block of 64 KiB read, its literal looked for
//! sample     -> matches        scanned with the new signatures, or with the whole set where that is needed
//! matches    -> Own            verdicts, what is unsettled, and the shelf's mark
//! ```

use super::change::Change;
use super::rescan::renewed;
use super::shelves::contents;
use crate::daemon::context::Context;
use crate::definitions::Active;
use crate::scanning::{Failure, Report, Rules, bytes_of, scan_bytes};
use engine::catalogue::{CatalogueError, Own};
use engine::disk::ReadFile;
use engine::{Engine, Sample};
use model::{Blake3, SampleId};
use scanner::cage::Pool;
use scanner::file::Limits;
use scanner::grams::Rule;
use scanner::retest::{Answer, Candidate, Shelf};
use scanner::ruleset::Scratch;

/// What came of a shelf.
#[derive(Debug, Default)]
pub struct Answered {
    /// To be written; the shelf's mark is not among it.
    pub changes: Vec<Own>,
    /// Samples on it.
    pub samples: u64,
    /// Samples on it that are not in the store any more.
    pub gone: Vec<SampleId>,
    /// Plain bytes of its buffers.
    pub plain_bytes: u64,
    /// Blocks read to check a candidate.
    pub blocks_read: u64,
    /// Samples scanned.
    pub scanned: u64,
    /// Newly detected.
    pub newly_detected: u64,
    /// No longer detected.
    pub no_longer_detected: u64,
    /// Could not be scanned.
    pub faults: u64,
}

/// Why a shelf has no answer now.
pub enum NotAnswered {
    /// It is damaged, or the disk said no: its samples are to be asked one by one.
    Shelf(String),
    /// Nothing can be scanned now.
    Down(String),
    /// The catalogue cannot be read.
    Catalogue(CatalogueError),
}

impl From<CatalogueError> for NotAnswered {
    fn from(error: CatalogueError) -> Self {
        Self::Catalogue(error)
    }
}

/// Asks shelves; one a thread.
pub struct Asker<'a> {
    context: &'a Context,
    engine: &'a Engine,
    active: &'a Active,
    change: &'a Change,
    rule: &'a Rule,
    limits: Limits,
    scratch: Scratch,
}

impl<'a> Asker<'a> {
    /// Asks about one change.
    pub fn new(
        context: &'a Context,
        engine: &'a Engine,
        active: &'a Active,
        change: &'a Change,
        rule: &'a Rule,
    ) -> Self {
        Self { context, engine, active, change, rule, limits: Limits::default(), scratch: Scratch::default() }
    }

    /// Answers for every sample of a shelf. Blocks. `go_on` may end it early, and then there is no answer.
    ///
    /// # Errors
    /// See [`NotAnswered`].
    pub fn shelf(&mut self, file: &dyn ReadFile, go_on: &dyn Fn() -> bool) -> Result<Option<Answered>, NotAnswered> {
        let bytes = contents(file).map_err(|error| NotAnswered::Shelf(error.to_string()))?;
        let shelf = Shelf::open(&bytes, self.rule).map_err(|error| NotAnswered::Shelf(error.to_string()))?;
        let answer = self.change.delta.ask(&shelf);
        let mut done =
            Answered { samples: shelf.samples().len() as u64, plain_bytes: shelf.plain_bytes(), ..Answered::default() };
        for (place, (id, blake3)) in (0_u32..).zip(shelf.samples()) {
            let (sample, blake3) = (SampleId(id), Blake3(blake3));
            if !self.concerns(&answer, place, sample) {
                continue;
            }
            if !go_on() {
                return Ok(None);
            }
            match self.sample(&answer, place, sample, &blake3, &mut done) {
                Ok(()) => {}
                Err(Asked::Failed(Failure::Gone)) => done.gone.push(sample),
                Err(Asked::Failed(Failure::Down(why))) => return Err(NotAnswered::Down(why)),
                Err(Asked::Failed(Failure::Sample(why))) => {
                    tracing::warn!(sample = id, why, "a sample cannot be scanned again; what was found before stands");
                    done.faults += 1;
                }
                Err(Asked::Catalogue(error)) => return Err(NotAnswered::Catalogue(error)),
            }
        }
        Ok(Some(done))
    }

    fn concerns(&self, answer: &Answer, place: u32, sample: SampleId) -> bool {
        self.change.delta.swept().is_some()
            || answer.candidates.contains_key(&place)
            || answer.joined.contains_key(&place)
            || answer.rescan.contains(&place)
            || self.change.gone.contains(&sample)
            || self.change.doubtful.contains(&sample)
    }

    fn sample(
        &mut self,
        answer: &Answer,
        place: u32,
        sample: SampleId,
        blake3: &Blake3,
        done: &mut Answered,
    ) -> Result<(), Asked> {
        let (change, active) = (self.change, self.active);
        let mut held = Held::Whole;
        if !answer.rescan.contains(&place) && !change.doubtful.contains(&sample) {
            held = self.holds(answer.candidates.get(&place), blake3, done)?;
        }
        let joined = answer.joined.get(&place);
        // The rest is decided by what is known of the sample.
        let unread = held == Held::Nothing && change.delta.swept().is_none();
        if unread && joined.is_none() && !change.gone.contains(&sample) {
            return Ok(());
        }
        // What has no verdict is the control loop's, or deleted.
        let Some(before) = self.engine.catalogue().verdict(sample).map_err(Asked::Catalogue)? else { return Ok(()) };
        let matches = if held == Held::Whole {
            self.scanned(active.detector.view(), blake3, done)?.kept(&before)
        } else {
            let mut found: Vec<(String, bool)> =
                joined.into_iter().flatten().map(|name| (name.clone(), false)).collect();
            if held == Held::New {
                found.extend(self.scanned(change.delta.ruleset().into(), blake3, done)?.findings);
            } else if let Some(swept) = change.delta.swept() {
                found.extend(self.scanned(swept.into(), blake3, done)?.findings);
            }
            let kept = before.findings.iter().map(|found| (found.signature.clone(), found.allowed)).collect();
            change.delta.merge(kept, found)
        };
        let after = renewed(&before, matches, active.sequence);
        if after.findings == before.findings {
            return Ok(());
        }
        match (before.detections().next().is_some(), after.detections().next().is_some()) {
            (false, true) => done.newly_detected += 1,
            (true, false) => done.no_longer_detected += 1,
            (true, true) | (false, false) => {}
        }
        done.changes.push(Own::Verdict(after));
        done.changes.push(Own::Unsettled(sample));
        Ok(())
    }

    /// Which literals are where they may be: only the blocks in question are read.
    fn holds(&self, candidates: Option<&Vec<Candidate>>, blake3: &Blake3, done: &mut Answered) -> Result<Held, Asked> {
        let Some(candidates) = candidates else { return Ok(Held::Nothing) };
        let delta = &self.change.delta;
        let (watched, own): (Vec<&Candidate>, Vec<&Candidate>) =
            candidates.iter().partition(|candidate| delta.is_watched(candidate.literal));
        let unread = own.iter().any(|candidate| candidate.block.is_none());
        if unread && watched.is_empty() {
            return Ok(Held::New);
        }
        let failed = |error: engine::ReadError| Asked::Failed(Failure::Sample(error.to_string()));
        let stored = self.engine.sample(blake3).map_err(failed)?;
        let stored = stored.ok_or(Asked::Failed(Failure::Gone))?;
        let mut block = Block { number: None, bytes: Vec::new() };
        let mut any = |candidates: &[&Candidate]| -> Result<bool, Asked> {
            for candidate in candidates {
                let (Some(number), Some(literal)) = (candidate.block, delta.literal(candidate.literal)) else {
                    continue;
                };
                done.blocks_read += u64::from(block.read(&stored, number).map_err(failed)?);
                if literal.is_in(&block.bytes) {
                    return Ok(true);
                }
                if literal.may_cross(&block.bytes) && u64::from(number) + 1 < stored.blocks() {
                    done.blocks_read += 1;
                    let mut both = block.bytes.clone();
                    stored.read_block(u64::from(number) + 1, &mut both).map_err(failed)?;
                    if literal.is_in(&both) {
                        return Ok(true);
                    }
                }
            }
            Ok(false)
        };
        if any(&watched)? {
            return Ok(Held::Whole);
        }
        Ok(if unread || any(&own)? { Held::New } else { Held::Nothing })
    }

    fn scanned(&mut self, rules: Rules<'_>, blake3: &Blake3, done: &mut Answered) -> Result<Report, Asked> {
        let pool: std::sync::Arc<Pool> =
            self.context.cage.pool().map_err(|fault| Asked::Failed(Failure::Down(fault.to_string())))?;
        done.scanned += 1;
        // What is too large is not scanned at its arrival either.
        let Some(bytes) = bytes_of(self.engine, blake3, &self.limits).map_err(Asked::Failed)? else {
            return Ok(Report::default());
        };
        scan_bytes(&pool, rules, &mut self.scratch, &bytes, &self.limits, None).map_err(Asked::Failed)
    }
}

/// What a sample has to be scanned with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Held {
    /// Nothing: no literal is in it.
    Nothing,
    /// The new signatures: a literal of one is in it.
    New,
    /// The whole new set.
    Whole,
}

/// Why one sample has no answer.
enum Asked {
    Failed(Failure),
    Catalogue(CatalogueError),
}

/// The block read last: candidates come in the order of blocks.
struct Block {
    number: Option<u32>,
    bytes: Vec<u8>,
}

impl Block {
    /// True when it had to be read.
    fn read(&mut self, stored: &Sample, number: u32) -> Result<bool, engine::ReadError> {
        if self.number == Some(number) {
            return Ok(false);
        }
        self.number = None;
        self.bytes.clear();
        stored.read_block(u64::from(number), &mut self.bytes)?;
        self.number = Some(number);
        Ok(true)
    }
}
