//! The thread that re-tests: one re-test at a time, in pieces, below intake.

use super::Retests;
use super::book::{Extent, State};
use super::rescan::{Rescanned, rescan};
use super::shelves::Shelves;
use super::stock::Loose;
use crate::daemon::clock;
use crate::daemon::context::Context;
use crate::definitions::Active;
use engine::Engine;
use engine::catalogue::CatalogueError;
use model::{Blake3, SampleId, Sequence};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Samples scanned between two looks at whether to pause, stop or give way to newer definitions.
pub(super) const PIECE_SAMPLES: usize = 256;
/// The same for samples that are small: no piece has more plain bytes than [`PIECE_BYTES`] and one sample.
const PIECE_SAMPLES_MAX: usize = 2048;
/// A second of scanning.
const PIECE_BYTES: u64 = 64 << 20;
/// How often the place of a full re-test is written down: what a kill makes it do again.
const SAVE_EVERY: Duration = Duration::from_secs(1);
/// How long the driver waits when there is nothing to do, or nothing can be done.
const IDLE: Duration = Duration::from_secs(1);
/// How often progress is told.
pub(super) const TELL_EVERY: Duration = Duration::from_millis(500);
/// Rows of samples read at a time.
pub(super) const ROWS: usize = 10_000;

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
            not_shelved: None,
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

/// Why a piece of work ended.
pub(super) enum End {
    /// There is no more of it.
    Done,
    /// To be gone on with: paused, stopping, the scanner is down.
    Later,
    /// Newer definitions are in use.
    Overtaken,
}

pub(super) struct Work {
    pub(super) context: Arc<Context>,
    pub(super) engine: Engine,
    /// None where they cannot be used: every sample is then loose.
    pub(super) shelves: Option<Shelves>,
    /// Samples that cannot be opened for a shelf; tried again by the next process.
    pub(super) unshelvable: BTreeSet<SampleId>,
    /// When a shelf could last not be made: the quota or the disk is full, or nothing can be opened.
    pub(super) not_shelved: Option<Instant>,
    /// When a shelf was last looked at for deleted samples, and which.
    pub(super) thinned: Instant,
    pub(super) thinned_last: u64,
    pub(super) told: Instant,
}

impl Work {
    fn run(mut self) {
        engine::run_in_background();
        if let Err(error) = self.learn() {
            tracing::error!(%error, "what was scanned before cannot be read: re-tests begin with the next start");
        }
        self.context.definitions.load_newest();
        if let crate::definitions::State::Failed(why) = &*self.context.definitions.state() {
            self.context.alerts.raise(model::Event::DefinitionDirectoryUnreachable, why.clone());
        }
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

    pub(super) fn retests(&self) -> &Retests {
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
            Ok(shelves) => {
                shelves.rule().into_iter().for_each(|rule| self.context.retests.larder().set_rule(rule));
                self.shelves = Some(shelves);
            }
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
            self.merge(active)?;
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
        let mut saved = Instant::now();
        loop {
            if let Some(end) = self.interrupted(active) {
                return Ok(end);
            }
            let after = self.retests().book.lock().running().map_or(0, |retest| retest.cursor);
            let mut rows = self.engine.catalogue().samples_after(SampleId(after), PIECE_SAMPLES_MAX)?;
            let mut bytes = 0;
            let whole = rows.iter().take_while(|row| {
                let fits = bytes < PIECE_BYTES;
                bytes += row.raw.0;
                fits
            });
            let whole = whole.count();
            rows.truncate(whole);
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
            if saved.elapsed() >= SAVE_EVERY {
                saved = Instant::now();
                book.save();
            }
        }
        let numbers: Vec<u64> = self.retests().stock.lock().shelves().collect();
        self.mark(active, &numbers)?;
        Ok(End::Done)
    }

    fn delta(&mut self, active: &Arc<Active>) -> Result<End, CatalogueError> {
        self.shelve_behind(active)?;
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
    pub(super) fn wrote(&mut self, active: &Active, done: Rescanned) -> Result<bool, CatalogueError> {
        all(self.engine.catalogue().apply(done.changes)?)?;
        let mut stock = self.retests().stock.lock();
        for sample in &done.gone {
            stock.gone(*sample);
            drop(self.context.retests.larder().take(*sample));
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
    pub(super) fn interrupted(&self, active: &Active) -> Option<End> {
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
        // What waited for these definitions has its answer now.
        if let Some(control) = self.context.control() {
            control.review();
        }
        self.tell(Duration::ZERO);
        // There may be more: definitions that came meanwhile, samples that were under way.
        self.retests().look();
    }

    /// Tells listeners how it goes, not more often than this.
    pub(super) fn tell(&mut self, every: Duration) {
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
pub(super) fn all(answers: Vec<Result<(), CatalogueError>>) -> Result<(), CatalogueError> {
    answers.into_iter().collect()
}
