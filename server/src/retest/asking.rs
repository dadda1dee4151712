//! Shelves that are behind, asked on every processor; what comes of them is written in batches.

use super::change::{Change, NotAsked, both, delta};
use super::delta::{Answered, Asker, NotAnswered};
use super::driver::{End, PIECE_SAMPLES, ROWS, TELL_EVERY, Work, all};
use super::rescan::rescan;
use super::shelves::Shelves;
use crate::definitions::Active;
use crossbeam_channel::Receiver;
use engine::catalogue::{CatalogueError, Own};
use model::{Blake3, SampleId, Sequence};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Answers of shelves that may wait to be written.
const ANSWERS_MAX: usize = 16;
/// Changes written in one transaction, and how long an answer waits for others: a sync costs some milliseconds.
const BATCH_CHANGES: usize = 4096;
/// See [`BATCH_CHANGES`].
const BATCH_EVERY: Duration = Duration::from_millis(250);
/// Answers of shelves to be written together.
#[derive(Default)]
struct Batch {
    changes: Vec<Own>,
    numbers: Vec<u64>,
    gone: Vec<SampleId>,
    samples: u64,
    scanned: u64,
    blocks_read: u64,
    plain_bytes: u64,
    newly_detected: u64,
    no_longer_detected: u64,
    faults: u64,
}

impl Batch {
    /// The mark of a shelf comes behind what was found on it.
    fn take(&mut self, number: u64, sequence: Sequence, answered: Answered) {
        self.changes.extend(answered.changes);
        self.changes.push(Own::Shelf { number, sequence });
        self.numbers.push(number);
        self.gone.extend(answered.gone);
        self.samples += answered.samples;
        self.scanned += answered.scanned;
        self.blocks_read += answered.blocks_read;
        self.plain_bytes += answered.plain_bytes;
        self.newly_detected += answered.newly_detected;
        self.no_longer_detected += answered.no_longer_detected;
        self.faults += answered.faults;
    }
}

impl Work {
    /// Shelves behind the set in use, those with the same mark together.
    pub(super) fn ask_shelves(&mut self, active: &Arc<Active>) -> Result<End, CatalogueError> {
        loop {
            let behind = self.retests().stock.lock().shelves_behind(active.sequence);
            let Some((_, from)) = behind.first().copied() else { return Ok(End::Done) };
            let numbers: Vec<u64> = behind.iter().filter(|(_, at)| *at == from).map(|(number, _)| *number).collect();
            if let Some(end) = self.interrupted(active) {
                return Ok(end);
            }
            let end = match self.change(active, from)? {
                Some(change) => self.ask(active, &change, &numbers)?,
                None => self.rescan_shelves(active, &numbers)?,
            };
            if !matches!(end, End::Done) {
                return Ok(end);
            }
        }
    }

    /// The change from an older set to the one in use; `None` where the older set is not to be had any more.
    fn change(&self, active: &Active, from: Sequence) -> Result<Option<Change>, CatalogueError> {
        let Some(rule) = self.shelves.as_ref().and_then(Shelves::rule) else { return Ok(None) };
        let began = Instant::now();
        let load = |sequence| self.context.definitions.package(sequence).map_err(NotAsked::NotUsable);
        let (old, new) = both(|| load(from), || load(active.sequence));
        let delta = old.and_then(|old| delta(&self.context.definitions, &old, &new?, rule));
        match delta {
            Ok(delta) => {
                if !delta.swept_names().is_empty() {
                    let (count, first) = (delta.swept_names().len(), delta.swept_names().first());
                    tracing::info!(count, ?first, "new signatures without a literal: every sample is scanned for them");
                }
                let change = Change::new(&self.engine, delta)?;
                let (added, gone) = (change.delta.added(), change.delta.gone().len());
                let took_ms = began.elapsed().as_millis() as u64;
                tracing::info!(
                    from = from.0,
                    to = active.sequence.0,
                    added,
                    gone,
                    took_ms,
                    "what has changed is known"
                );
                Ok(Some(change))
            }
            Err(why) => {
                tracing::warn!(from = from.0, %why, "what has changed cannot be told: samples are scanned one by one");
                Ok(None)
            }
        }
    }

    /// Asks shelves about a change, on every processor, and writes what comes of them in batches.
    fn ask(&mut self, active: &Arc<Active>, change: &Change, numbers: &[u64]) -> Result<End, CatalogueError> {
        let Some((shelves, rule)) = self.shelves.as_ref().and_then(|shelves| Some((shelves, shelves.rule()?))) else {
            return Ok(End::Done);
        };
        if let Some(missing) = numbers.iter().copied().find(|number| shelves.file(*number).is_none()) {
            return self.rescan_shelves(active, &[missing]);
        }
        let files: Vec<_> = numbers.iter().filter_map(|number| Some((*number, shelves.file(*number)?))).collect();
        let rule = Arc::clone(rule);
        let (context, engine) = (Arc::clone(&self.context), self.engine.clone());
        let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
        let (send, answers) = crossbeam_channel::bounded(ANSWERS_MAX);
        let go_on = || !stop.load(Ordering::Relaxed);
        std::thread::scope(|scope| {
            for _ in 0..std::thread::available_parallelism().map_or(1, usize::from).min(files.len()) {
                let send = send.clone();
                scope.spawn(|| {
                    let send = send;
                    engine::run_in_background();
                    let mut asker = Asker::new(&context, &engine, active, change, &rule);
                    while go_on() {
                        let Some((number, file)) = files.get(next.fetch_add(1, Ordering::Relaxed)) else { return };
                        if send.send((*number, asker.shelf(&**file, &go_on))).is_err() {
                            return;
                        }
                    }
                });
            }
            drop(send);
            let end = self.gather(active, &answers);
            stop.store(true, Ordering::Relaxed);
            // Whoever waits to hand an answer over is let go.
            drop(answers);
            end
        })
    }

    /// Takes answers of shelves and writes them, several at a time.
    fn gather(
        &mut self,
        active: &Active,
        answers: &Receiver<(u64, Result<Option<Answered>, NotAnswered>)>,
    ) -> Result<End, CatalogueError> {
        let (mut batch, mut since) = (Batch::default(), Instant::now());
        let mut end = End::Done;
        while let Ok((number, answer)) = answers.recv() {
            match answer {
                Ok(Some(answered)) => batch.take(number, active.sequence, answered),
                Ok(None) => {}
                Err(NotAnswered::Shelf(why)) => {
                    tracing::warn!(number, why, "a shelf cannot be used: its samples are scanned one by one");
                    self.write(active, std::mem::take(&mut batch))?;
                    end = self.rescan_shelves(active, &[number])?;
                }
                Err(NotAnswered::Down(why)) => {
                    tracing::error!(why, "the scanner is down: the re-test waits");
                    end = End::Later;
                }
                Err(NotAnswered::Catalogue(error)) => return Err(error),
            }
            if batch.changes.len() >= BATCH_CHANGES || since.elapsed() >= BATCH_EVERY {
                self.write(active, std::mem::take(&mut batch))?;
                since = Instant::now();
            }
            if let Some(interrupted) = self.interrupted(active) {
                end = interrupted;
            }
            if !matches!(end, End::Done) {
                break;
            }
        }
        self.write(active, batch)?;
        Ok(end)
    }

    fn write(&mut self, active: &Active, batch: Batch) -> Result<(), CatalogueError> {
        let any = !batch.changes.is_empty();
        all(self.engine.catalogue().apply(batch.changes)?)?;
        let mut stock = self.retests().stock.lock();
        batch.numbers.iter().for_each(|number| stock.answered(*number, active.sequence));
        batch.gone.iter().for_each(|sample| stock.gone(*sample));
        drop(stock);
        self.retests().progress(|retest| {
            retest.answered += batch.samples;
            retest.scanned += batch.scanned;
            retest.blocks_read += batch.blocks_read;
            retest.plain_bytes += batch.plain_bytes;
            retest.newly_detected += batch.newly_detected;
            retest.no_longer_detected += batch.no_longer_detected;
            retest.faults += batch.faults;
        });
        if any {
            self.context.ring();
        }
        self.tell(TELL_EVERY);
        Ok(())
    }

    /// Scans what is on these shelves and behind, one sample after the other.
    fn rescan_shelves(&mut self, active: &Active, numbers: &[u64]) -> Result<End, CatalogueError> {
        let mut after = SampleId(0);
        loop {
            if let Some(end) = self.interrupted(active) {
                return Ok(end);
            }
            let rows = self.engine.catalogue().samples_after(after, ROWS)?;
            let Some(last) = rows.last() else { break };
            after = last.sample;
            let samples: Vec<(SampleId, Blake3)> = {
                let stock = self.retests().stock.lock();
                let on_one = |sample| numbers.iter().any(|number| stock.is_on(sample, *number));
                let behind = rows.iter().filter(|row| row.sequence > Sequence(0) && row.sequence < active.sequence);
                behind.filter(|row| on_one(row.sample)).map(|row| (row.sample, row.blake3)).collect()
            };
            for piece in samples.chunks(PIECE_SAMPLES) {
                if let Some(end) = self.interrupted(active) {
                    return Ok(end);
                }
                let done = rescan(&self.context, &self.engine, active, piece)?;
                if self.wrote(active, done)? {
                    return Ok(End::Later);
                }
            }
        }
        self.mark(active, numbers)?;
        Ok(End::Done)
    }

    /// What was found on these shelves holds for the set in use.
    pub(super) fn mark(&self, active: &Active, numbers: &[u64]) -> Result<(), CatalogueError> {
        let marks = numbers.iter().map(|number| Own::Shelf { number: *number, sequence: active.sequence });
        all(self.engine.catalogue().apply(marks.collect())?)?;
        let mut stock = self.retests().stock.lock();
        numbers.iter().for_each(|number| stock.answered(*number, active.sequence));
        Ok(())
    }
}
