//! The thread that re-tests: one re-test at a time, in pieces, below intake.

use super::Retests;
use super::book::{Extent, State};
use super::delta::{Answered, Asker, Change, NotAnswered};
use super::rescan::{Rescanned, rescan};
use super::shelve::{SHELF_SAMPLES_MAX, Shelved, shelve};
use super::shelves::Shelves;
use super::stock::Loose;
use crate::daemon::clock;
use crate::daemon::context::Context;
use crate::definitions::{Active, definitions_of};
use crossbeam_channel::Receiver;
use engine::Engine;
use engine::catalogue::{CatalogueError, Own};
use model::{Blake3, SampleId, Sequence};
use scanner::retest::Delta;
use scanner::ruleset::Limits;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Samples scanned between two looks at whether to pause, stop or give way to newer definitions.
const PIECE_SAMPLES: usize = 256;
/// How long the driver waits when there is nothing to do, or nothing can be done.
const IDLE: Duration = Duration::from_secs(1);
/// How often progress is told.
const TELL_EVERY: Duration = Duration::from_millis(500);
/// Answers of shelves that may wait to be written.
const ANSWERS_MAX: usize = 16;
/// Changes written in one transaction, and how long an answer waits for others: a sync costs some milliseconds.
const BATCH_CHANGES: usize = 4096;
/// See [`BATCH_CHANGES`].
const BATCH_EVERY: Duration = Duration::from_millis(250);
/// How often one shelf is looked at for samples that were deleted: it takes some 50 ms.
const THIN_EVERY: Duration = Duration::from_secs(20);
/// Rows of samples read at a time.
const ROWS: usize = 10_000;

/// The running driver.
pub struct Driver {
    context: Arc<Context>,
    thread: Option<JoinHandle<()>>,
}

impl Driver {
    /// Starts it. It first learns which samples were scanned, then loads the newest definitions.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub fn start(context: &Arc<Context>, engine: &Engine) -> std::io::Result<Self> {
        let work = Work {
            context: Arc::clone(context),
            engine: engine.clone(),
            shelves: None,
            unshelvable: BTreeSet::new(),
            thinned: Instant::now(),
            thinned_last: 0,
            told: Instant::now(),
        };
        let thread = std::thread::Builder::new().name("retest".to_owned()).spawn(move || work.run())?;
        Ok(Self { context: Arc::clone(context), thread: Some(thread) })
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.context.retests.stop();
        if let Some(thread) = self.thread.take() {
            // It does not panic; if it did, the reason is already on stderr.
            let _ = thread.join();
        }
    }
}

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

/// Why a piece of work ended.
enum End {
    /// There is no more of it.
    Done,
    /// To be gone on with: paused, stopping, the scanner is down.
    Later,
    /// Newer definitions are in use.
    Overtaken,
}

struct Work {
    context: Arc<Context>,
    engine: Engine,
    /// None where they cannot be used: every sample is then loose.
    shelves: Option<Shelves>,
    /// Samples that cannot be opened for a shelf; tried again by the next process.
    unshelvable: BTreeSet<SampleId>,
    /// When a shelf was last looked at for deleted samples, and which.
    thinned: Instant,
    thinned_last: u64,
    told: Instant,
}

impl Work {
    fn run(mut self) {
        engine::run_in_background();
        if let Err(error) = self.learn() {
            tracing::error!(%error, "what was scanned before cannot be read: re-tests begin with the next start");
        }
        self.context.definitions.load_newest();
        self.context.ring();
        while self.retests().wait(IDLE) {
            let Some(active) = self.context.definitions.active() else { continue };
            if self.retests().is_paused() {
                continue;
            }
            if let Err(error) = self.round(&active) {
                tracing::warn!(%error, "a re-test waits for the catalogue");
            }
        }
        self.retests().book.lock().save();
    }

    fn retests(&self) -> &Retests {
        &self.context.retests
    }

    /// Which samples were scanned and where what was kept of them lies, from the shelves and out of the catalogue.
    fn learn(&mut self) -> Result<(), CatalogueError> {
        let marks: BTreeMap<u64, Sequence> = self.engine.catalogue().shelves()?.into_iter().collect();
        let stock = &self.context.retests.stock;
        let mut take = |number: u64, samples: Vec<SampleId>| {
            // A shelf that the catalogue knows nothing of was answered for nothing.
            stock.lock().shelved(number, marks.get(&number).copied().unwrap_or_default(), samples);
        };
        match Shelves::open(&self.engine, &self.context.data, &mut take) {
            Ok(shelves) => self.shelves = Some(shelves),
            Err(error) => {
                tracing::error!(%error, "the directory of shelves cannot be used: re-tests read every sample")
            }
        }
        let mut after = SampleId(0);
        loop {
            let rows = self.engine.catalogue().samples_after(after, ROWS)?;
            let Some(last) = rows.last() else { return Ok(()) };
            after = last.sample;
            let mut stock = self.retests().stock.lock();
            for row in rows.iter().filter(|row| row.sequence > Sequence(0)) {
                let loose = Loose { blake3: row.blake3, raw_bytes: row.raw.0, sequence: row.sequence };
                stock.scanned(row.sample, loose);
            }
        }
    }

    /// What there is to do now.
    fn round(&mut self, active: &Arc<Active>) -> Result<(), CatalogueError> {
        let Some(extent) = self.take_up(active) else {
            self.thin()?;
            return self.shelve(active);
        };
        let began = Instant::now();
        let end = match extent {
            Extent::Full => self.full(active),
            Extent::Delta => self.delta(active),
        };
        self.retests().progress(|retest| retest.work_ms += began.elapsed().as_millis() as u64);
        match end? {
            End::Done => self.finish(State::Done),
            End::Overtaken => self.finish(State::Overtaken),
            End::Later => {}
        }
        Ok(())
    }

    /// The re-test to go on with, begun now when there is reason to.
    fn take_up(&self, active: &Active) -> Option<Extent> {
        let (samples, behind) = {
            let stock = self.retests().stock.lock();
            let sequence = active.sequence;
            (stock.samples(), !stock.loose_behind(sequence).is_empty() || !stock.shelves_behind(sequence).is_empty())
        };
        let mut book = self.retests().book.lock();
        if let Some(running) = book.running() {
            if running.sequence == active.sequence.0 {
                return Some(running.extent);
            }
            let full = running.extent == Extent::Full;
            let who = running.who.clone();
            book.end(State::Overtaken, clock::now());
            if full {
                book.full_wanted_by = Some(who);
            }
        }
        let (extent, who) = match book.full_wanted_by.take() {
            Some(who) => (Extent::Full, who),
            None if behind => (Extent::Delta, "definitions".to_owned()),
            None => return None,
        };
        book.begin(extent, active.sequence.0, samples, &who, clock::now());
        book.save();
        Some(extent)
    }

    fn full(&mut self, active: &Arc<Active>) -> Result<End, CatalogueError> {
        loop {
            if let Some(end) = self.interrupted(active) {
                return Ok(end);
            }
            let after = self.retests().book.lock().running().map_or(0, |retest| retest.cursor);
            let rows = self.engine.catalogue().samples_after(SampleId(after), PIECE_SAMPLES)?;
            let Some(last) = rows.last() else { break };
            let cursor = last.sample.0;
            // What was never scanned is the control loop's.
            let scanned = rows.iter().filter(|row| row.sequence > Sequence(0));
            let samples: Vec<_> = scanned.map(|row| (row.sample, row.blake3)).collect();
            let done = rescan(&self.context, &self.engine, active, &samples)?;
            if self.wrote(active, done)? {
                return Ok(End::Later);
            }
            let mut book = self.retests().book.lock();
            if let Some(retest) = book.running() {
                retest.cursor = cursor;
            }
            book.save();
        }
        let numbers: Vec<u64> = self.retests().stock.lock().shelves().collect();
        self.mark(active, &numbers)?;
        Ok(End::Done)
    }

    /// Puts loose samples on a shelf when there are enough of them.
    fn shelve(&mut self, active: &Active) -> Result<(), CatalogueError> {
        let Some(shelves) = &mut self.shelves else { return Ok(()) };
        let samples = {
            let shelf_bytes = self.context.shelf_options.plain_bytes;
            let stock = self.context.retests.stock.lock();
            if stock.loose_bytes() < shelf_bytes {
                return Ok(());
            }
            let ready = |sample: &SampleId, loose: &Loose| {
                loose.sequence == active.sequence && !self.unshelvable.contains(sample)
            };
            let mut bytes = 0;
            let samples = stock.loose().filter(|(sample, loose)| ready(sample, loose)).take(SHELF_SAMPLES_MAX);
            let samples: Vec<(SampleId, Loose)> = samples
                .take_while(|(_, loose)| {
                    let fits = bytes < shelf_bytes;
                    bytes += loose.raw_bytes;
                    fits
                })
                .collect();
            if bytes < shelf_bytes && samples.len() < SHELF_SAMPLES_MAX {
                return Ok(());
            }
            samples
        };
        let began = Instant::now();
        match shelve(&self.context, &self.engine, shelves, &samples)? {
            Shelved::Done { number, sequence, samples, gone, faulty } => {
                let took_ms = began.elapsed().as_millis() as u64;
                tracing::info!(number, samples = samples.len(), took_ms, "a shelf is made");
                let mut stock = self.context.retests.stock.lock();
                stock.shelved(number, sequence, samples);
                gone.into_iter().for_each(|sample| stock.gone(sample));
                self.unshelvable.extend(faulty);
                drop(stock);
                // There may be enough for another.
                self.context.retests.look();
            }
            Shelved::NotNow => {}
        }
        Ok(())
    }

    /// Looks at one shelf now and then: when most of its samples were deleted, the others become loose and it goes.
    fn thin(&mut self) -> Result<(), CatalogueError> {
        if self.thinned.elapsed() < THIN_EVERY {
            return Ok(());
        }
        self.thinned = Instant::now();
        let Some(shelves) = &mut self.shelves else { return Ok(()) };
        let Some((number, samples)) = shelves.next_after(self.thinned_last) else {
            self.thinned_last = 0;
            return Ok(());
        };
        self.thinned_last = number;
        let mut left = Vec::new();
        for sample in &samples {
            left.extend(self.engine.catalogue().sample_row(*sample)?);
        }
        if left.len() * 2 > samples.len() {
            return Ok(());
        }
        all(self.engine.catalogue().apply(vec![Own::ShelfGone(number)])?)?;
        if let Err(error) = shelves.remove(&self.engine, number) {
            tracing::warn!(%error, number, "a shelf cannot be removed");
        }
        let mut stock = self.context.retests.stock.lock();
        let loose = left
            .iter()
            .map(|row| (row.sample, Loose { blake3: row.blake3, raw_bytes: row.raw.0, sequence: row.sequence }));
        stock.dissolve(number, &samples, loose);
        tracing::info!(number, samples = left.len(), "most of a shelf was deleted: the rest of it is loose");
        Ok(())
    }

    /// Shelves behind the set in use, those with the same mark together.
    fn ask_shelves(&mut self, active: &Arc<Active>) -> Result<End, CatalogueError> {
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
        let load = |sequence| self.context.definitions.package(sequence).and_then(|package| definitions_of(&package));
        let loaded = load(from).and_then(|old| Ok((old, load(active.sequence)?)));
        let delta = loaded.map_err(|error| error.to_string()).and_then(|(old, new)| {
            Delta::between(&old, &new, rule, Limits::default()).map_err(|error| error.to_string())
        });
        match delta {
            Ok(delta) => {
                if !delta.swept_names().is_empty() {
                    let (count, first) = (delta.swept_names().len(), delta.swept_names().first());
                    tracing::info!(count, ?first, "new signatures without a literal: every sample is scanned for them");
                }
                Ok(Some(Change::new(&self.engine, delta)?))
            }
            Err(why) => {
                tracing::warn!(from = from.0, why, "what has changed cannot be told: samples are scanned one by one");
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
    fn mark(&self, active: &Active, numbers: &[u64]) -> Result<(), CatalogueError> {
        let marks = numbers.iter().map(|number| Own::Shelf { number: *number, sequence: active.sequence });
        all(self.engine.catalogue().apply(marks.collect())?)?;
        let mut stock = self.retests().stock.lock();
        numbers.iter().for_each(|number| stock.answered(*number, active.sequence));
        Ok(())
    }

    fn delta(&mut self, active: &Arc<Active>) -> Result<End, CatalogueError> {
        match self.ask_shelves(active)? {
            End::Done => self.rescan_loose(active),
            end => Ok(end),
        }
    }

    /// Samples on no shelf.
    fn rescan_loose(&mut self, active: &Arc<Active>) -> Result<End, CatalogueError> {
        let loose = self.retests().stock.lock().loose_behind(active.sequence);
        let samples: Vec<(SampleId, Blake3)> = loose.iter().map(|(sample, loose)| (*sample, loose.blake3)).collect();
        for piece in samples.chunks(PIECE_SAMPLES) {
            if let Some(end) = self.interrupted(active) {
                return Ok(end);
            }
            let done = rescan(&self.context, &self.engine, active, piece)?;
            if self.wrote(active, done)? {
                return Ok(End::Later);
            }
        }
        Ok(End::Done)
    }

    /// Writes what a piece came to; true when the scanner was down for a part of it.
    fn wrote(&mut self, active: &Active, done: Rescanned) -> Result<bool, CatalogueError> {
        all(self.engine.catalogue().apply(done.changes)?)?;
        let mut stock = self.retests().stock.lock();
        for sample in &done.gone {
            stock.gone(*sample);
        }
        for sample in &done.answered {
            stock.answered_loose(*sample, active.sequence);
        }
        drop(stock);
        let count = done.answered.len() as u64;
        self.retests().progress(|retest| {
            retest.answered += count + done.gone.len() as u64;
            retest.scanned += count;
            retest.plain_bytes += done.plain_bytes;
            retest.newly_detected += done.newly_detected;
            retest.no_longer_detected += done.no_longer_detected;
            retest.faults += done.faults;
        });
        self.context.ring();
        self.tell(TELL_EVERY);
        match done.down {
            Some(why) => {
                tracing::error!(why, "the scanner is down: the re-test waits");
                Ok(true)
            }
            None => Ok(false),
        }
    }

    /// Whether the present re-test must not go on now.
    fn interrupted(&self, active: &Active) -> Option<End> {
        if self.retests().is_stopping() || self.retests().is_paused() {
            return Some(End::Later);
        }
        let newest = self.context.definitions.active().map(|active| active.sequence);
        (newest != Some(active.sequence)).then_some(End::Overtaken)
    }

    fn finish(&mut self, state: State) {
        let work_ms = self.retests().book.lock().running().map_or(0, |retest| retest.work_ms);
        self.context.metrics.retest_seconds.observe(work_ms as f64 / 1e3);
        self.retests().end(state);
        self.context.ring();
        self.tell(Duration::ZERO);
        // There may be more: definitions that came meanwhile, samples that were under way.
        self.retests().look();
    }

    /// Tells listeners how it goes, not more often than this.
    fn tell(&mut self, every: Duration) {
        if self.told.elapsed() < every {
            return;
        }
        self.told = Instant::now();
        let book = self.retests().book.lock();
        if let Some(retest) = book.retests.back() {
            self.context.events.told("retest", &json!(retest));
        }
    }
}

/// One refusal fails the piece; only a sample's verdict is written here, and that is refused for no reason of its own.
fn all(answers: Vec<Result<(), CatalogueError>>) -> Result<(), CatalogueError> {
    answers.into_iter().collect()
}
