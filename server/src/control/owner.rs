//! The loop: next, apply, settle.

use super::event::{Event, Figures};
use super::settle::{Moved, WHO, by_cause, by_verdict};
use crate::daemon::clock;
use crate::daemon::context::Context;
use crate::definitions::Active;
use crate::retest::Loose;
use crate::scanning::{Answer, Failure, IN_FLIGHT_MAX, Job, Report, Scanners};
use crossbeam_channel::{Receiver, RecvTimeoutError};
use engine::Engine;
use engine::catalogue::{CatalogueError, Found, Note, NoteKind, Own, SampleVerdict};
use model::lifecycle::Cause;
use model::{Blake3, ItemId, SampleId, Sequence, Status, Timestamp};
use scanner::retest::Facts;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Items that are looked at in one go: a few milliseconds of reading.
const PAGE_ITEMS: usize = 256;
/// Items that wait for one sample by name; more are found again when it is known.
const WAITING_MAX: usize = 1024;
/// Changes written in one transaction: far below what stalls the catalogue, far above what a sync costs.
const CHANGES_MAX: usize = 4096;
/// Unsettled samples taken up in one round.
const UNSETTLED_PER_ROUND: usize = 64;
/// How long the loop waits while the catalogue is about to show what was acked.
const SOON: Duration = Duration::from_millis(10);
/// How long it waits when there is nothing to do.
const IDLE: Duration = Duration::from_secs(1);
/// How long it waits after the scanner was down or the catalogue refused.
const DOWN: Duration = Duration::from_secs(2);

/// What the thread holds.
pub(super) struct Owner {
    context: Arc<Context>,
    engine: Engine,
    scanners: Scanners,
    events: Receiver<Event>,
    /// Samples under way, with the items that wait for them.
    in_flight: HashMap<SampleId, Vec<ItemId>>,
    /// To be written, and to be told then.
    changes: Vec<Own>,
    moved: Vec<Moved>,
    /// Samples whose first verdict is among the changes.
    scanned: Vec<(SampleId, Loose, Option<Box<Facts>>)>,
    /// Quarantined items up to here were looked at in this pass.
    cursor: ItemId,
    /// The catalogue's watermark when the last pass over the Quarantined began.
    looked_at: u64,
    /// A pass over the Quarantined is to be made.
    look: bool,
    /// There may be unsettled samples.
    unsettled: bool,
    down: bool,
}

impl Owner {
    pub fn new(context: Arc<Context>, engine: Engine, scanners: Scanners, events: Receiver<Event>) -> Self {
        Self {
            context,
            engine,
            scanners,
            events,
            in_flight: HashMap::new(),
            changes: Vec::new(),
            moved: Vec::new(),
            scanned: Vec::new(),
            cursor: ItemId(0),
            looked_at: 0,
            look: true,
            unsettled: true,
            down: false,
        }
    }

    pub fn run(mut self) {
        loop {
            match self.events.recv_timeout(self.pause()) {
                Ok(Event::Stop) | Err(RecvTimeoutError::Disconnected) => break,
                Ok(event) => self.apply(event),
                Err(RecvTimeoutError::Timeout) => self.down = false,
            }
            // What else has happened goes into the same transaction.
            let mut stopping = false;
            while self.changes.len() < CHANGES_MAX {
                match self.events.try_recv() {
                    Ok(Event::Stop) => stopping = true,
                    Ok(event) => self.apply(event),
                    Err(_) => break,
                }
            }
            if let Err(error) = self.settle() {
                // What was decided is decided again from what the catalogue says.
                tracing::warn!(%error, "statuses wait for the catalogue");
                self.changes.clear();
                self.moved.clear();
                self.scanned.clear();
                self.rest();
            }
            if stopping {
                break;
            }
        }
    }

    /// How long to wait for an event.
    fn pause(&self) -> Duration {
        if self.down {
            return DOWN;
        }
        let room = self.in_flight.len() < IN_FLIGHT_MAX;
        if (self.look && room && self.context.definitions.active().is_some()) || self.unsettled {
            return Duration::ZERO;
        }
        if self.engine.catalogue().watermark() < self.context.acked.load(Ordering::Acquire) { SOON } else { IDLE }
    }

    /// The scanner or the catalogue cannot work now.
    fn rest(&mut self) {
        self.down = true;
        self.look = true;
        self.cursor = ItemId(0);
    }

    fn apply(&mut self, event: Event) {
        match event {
            Event::Look => {
                self.look = true;
                self.unsettled = true;
            }
            Event::Scanned(answer) => self.scanned(answer),
            Event::Stop => {}
        }
    }

    fn scanned(&mut self, answer: Answer) {
        let Some(waiting) = self.in_flight.remove(&answer.sample) else { return };
        let figures = &self.context.figures;
        figures.in_flight.store(self.in_flight.len() as u64, Ordering::Relaxed);
        match answer.result {
            Ok(report) => {
                Figures::add(&figures.scans, 1);
                Figures::add(&figures.scan_bytes, report.bytes);
                self.context.metrics.scan_seconds.observe(answer.took.as_secs_f64());
                figures.down.store(0, Ordering::Relaxed);
                self.found((answer.sample, answer.blake3, answer.sequence), report, &waiting);
            }
            // Its items are gone too, or will be.
            Err(Failure::Gone) => {}
            Err(Failure::Down(why)) => {
                if figures.down.swap(1, Ordering::Relaxed) == 0 {
                    tracing::error!(why, "the scanner is down: samples stay Quarantined");
                }
                self.rest();
            }
            Err(Failure::Sample(why)) => {
                Figures::add(&figures.scan_faults, 1);
                tracing::warn!(sample = answer.sample.0, why, "a sample cannot be scanned");
                self.faulty(&why, &waiting);
            }
        }
    }

    fn found(&mut self, answer: (SampleId, Blake3, Sequence), report: Report, waiting: &[ItemId]) {
        let (sample, blake3, sequence) = answer;
        let findings = report.findings.into_iter().map(|(signature, allowed)| Found { signature, allowed, sequence });
        let verdict = SampleVerdict { sample, sequence, findings: findings.collect() };
        self.changes.push(Own::Verdict(verdict.clone()));
        self.scanned.push((sample, Loose { blake3, raw_bytes: report.bytes, sequence }, report.facts));
        let now = clock::now();
        for item in waiting {
            self.item(*item, &verdict, now);
            self.changes.extend(report.remarks.iter().map(|remark| error(*item, now, remark)));
        }
    }

    fn faulty(&mut self, why: &str, waiting: &[ItemId]) {
        let now = clock::now();
        for item in waiting {
            let Ok(Some(standing)) = self.engine.catalogue().standing(*item) else { continue };
            let what = Cause::ProcessingFault.words().to_owned();
            let done = by_cause(*item, &standing, &Cause::ProcessingFault, None, what, Sequence(0), now);
            if let Some((changes, moved)) = done {
                self.changes.extend(changes);
                self.changes.push(error(*item, now, &format!("cannot be scanned: {why}")));
                self.moved.push(moved);
            }
        }
    }

    fn item(&mut self, item: ItemId, verdict: &SampleVerdict, now: Timestamp) {
        // An item that is not there was deleted meanwhile.
        let Ok(Some(standing)) = self.engine.catalogue().standing(item) else { return };
        let (changes, moved) = by_verdict(item, &standing, verdict, now);
        self.changes.extend(changes);
        self.moved.extend(moved);
    }

    /// Writes what was decided, then finds more to do.
    fn settle(&mut self) -> Result<(), CatalogueError> {
        self.write()?;
        if self.unsettled {
            self.settle_changed()?;
        }
        let active = self.context.definitions.active();
        if let Some(active) = active.filter(|_| !self.down) {
            self.refill(&active)?;
        }
        self.write()
    }

    fn write(&mut self) -> Result<(), CatalogueError> {
        if self.changes.is_empty() {
            return Ok(());
        }
        let changes = std::mem::take(&mut self.changes);
        for answer in self.engine.catalogue().apply(changes)? {
            match answer {
                // Deleted, or moved on by somebody else's hand: what they made of it stands.
                Ok(()) | Err(CatalogueError::UnknownItem(_) | CatalogueError::MovedOn { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        for (sample, loose, facts) in self.scanned.drain(..) {
            self.context.retests.scanned(sample, loose, facts);
        }
        self.context.events.moved(&std::mem::take(&mut self.moved));
        Ok(())
    }

    /// Items of samples whose findings changed.
    fn settle_changed(&mut self) -> Result<(), CatalogueError> {
        let samples = self.engine.catalogue().unsettled(UNSETTLED_PER_ROUND)?;
        self.unsettled = samples.len() == UNSETTLED_PER_ROUND;
        for sample in samples {
            if let Some(verdict) = self.engine.catalogue().verdict(sample)? {
                let verdict = self.context.retests.current(verdict);
                let mut after = ItemId(0);
                loop {
                    let items = self.engine.catalogue().items_of(sample, after, PAGE_ITEMS)?;
                    let Some(last) = items.last() else { break };
                    after = *last;
                    let now = clock::now();
                    for item in items {
                        self.item(item, &verdict, now);
                    }
                    if self.changes.len() >= CHANGES_MAX {
                        self.write()?;
                    }
                }
            }
            // Last: a kill before this repeats what then changes nothing.
            self.changes.push(Own::Settled(sample));
        }
        // A restarted item is Quarantined and waits to be taken up.
        self.look = true;
        self.write()
    }

    /// Hands samples of Quarantined items to the scanner, as many as it takes.
    fn refill(&mut self, active: &Arc<Active>) -> Result<(), CatalogueError> {
        let watermark = self.engine.catalogue().watermark();
        if watermark > self.looked_at && self.cursor == ItemId(0) {
            self.look = true;
        }
        while self.look && self.in_flight.len() < IN_FLIGHT_MAX {
            if self.cursor == ItemId(0) {
                self.looked_at = watermark;
            }
            let items = self.engine.catalogue().items_in(Status::Quarantined, self.cursor, PAGE_ITEMS)?;
            self.look = items.len() == PAGE_ITEMS;
            for item in items {
                if !self.take_up(item, active)? {
                    // The scanner is busy; an answer makes room.
                    self.look = true;
                    return Ok(());
                }
                self.cursor = item;
            }
            if !self.look {
                self.cursor = ItemId(0);
            }
            if self.changes.len() >= CHANGES_MAX {
                self.write()?;
            }
        }
        Ok(())
    }

    /// False when the scanner takes no more.
    fn take_up(&mut self, item: ItemId, active: &Arc<Active>) -> Result<bool, CatalogueError> {
        let Some((sample, blake3)) = self.engine.catalogue().sample_of(item)? else { return Ok(true) };
        if let Some(waiting) = self.in_flight.get_mut(&sample) {
            if waiting.len() < WAITING_MAX && !waiting.contains(&item) {
                waiting.push(item);
            }
            return Ok(true);
        }
        if let Some(verdict) = self.engine.catalogue().verdict(sample)? {
            let verdict = self.context.retests.current(verdict);
            self.item(item, &verdict, clock::now());
            return Ok(true);
        }
        if !self.scanners.give(Job { sample, blake3, active: Arc::clone(active) }) {
            return Ok(false);
        }
        self.in_flight.insert(sample, vec![item]);
        self.context.figures.in_flight.store(self.in_flight.len() as u64, Ordering::Relaxed);
        Ok(true)
    }
}

fn error(item: ItemId, at: Timestamp, what: &str) -> Own {
    Own::Note(Note { item, kind: NoteKind::Error, at, who: WHO.to_owned(), what: what.to_owned() })
}
