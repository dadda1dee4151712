//! The loop: next, apply, settle.

use super::event::{Event, Rung};
use super::notice;
use super::request::Ask;
use super::review::Review;
use super::settle::{Ground, Moved, by_verdict};
use super::timers::Timers;
use crate::daemon::clock;
use crate::daemon::context::Context;
use crate::retest::Loose;
use crate::scanning::Scanners;
use crossbeam_channel::{Receiver, RecvTimeoutError};
use engine::Engine;
use engine::catalogue::{CatalogueError, Own, SampleVerdict};
use model::lifecycle::Cause;
use model::{ItemId, SampleId, Status, Timestamp};
use scanner::retest::Facts;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// Items that are looked at in one go: a few milliseconds of reading.
pub(super) const PAGE_ITEMS: usize = 256;
/// Changes written in one transaction: far below what stalls the catalogue, far above what a sync costs.
pub(super) const CHANGES_MAX: usize = 4096;
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
    pub(super) context: Arc<Context>,
    pub(super) engine: Engine,
    pub(super) scanners: Scanners,
    events: Receiver<Event>,
    /// Samples under way, with the items that wait for them.
    pub(super) in_flight: HashMap<SampleId, Vec<ItemId>>,
    /// To be written, and to be told then.
    pub(super) changes: Vec<Own>,
    pub(super) moved: Vec<Moved>,
    /// Samples whose first verdict is among the changes.
    pub(super) scanned: Vec<(SampleId, Loose, Option<Box<Facts>>)>,
    /// Quarantined items up to here were looked at in this pass.
    pub(super) cursor: ItemId,
    /// The catalogue's watermark when the last pass over the Quarantined began.
    pub(super) looked_at: u64,
    /// A pass over the Quarantined is to be made.
    pub(super) look: bool,
    /// There may be unsettled samples.
    pub(super) unsettled: bool,
    pub(super) down: bool,
    /// What decisions rest on beside the item.
    pub(super) ground: Ground,
    rung: Arc<Rung>,
    pub(super) review: Review,
    pub(super) timers: Timers,
    /// Samples whose items are to be told how far their submission has come.
    pub(super) news: BTreeSet<SampleId>,
    /// There may be others, from before the last start or the last failure.
    pub(super) untold: bool,
}

impl Owner {
    pub fn new(
        context: Arc<Context>,
        engine: Engine,
        scanners: Scanners,
        events: Receiver<Event>,
        rung: Arc<Rung>,
    ) -> Self {
        let ground = Ground { policy: context.policy(), active: None, definitions: None, selected: HashSet::new() };
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
            ground,
            rung,
            review: Review::default(),
            timers: Timers::default(),
            news: BTreeSet::new(),
            untold: true,
        }
    }

    pub fn run(mut self) {
        loop {
            let mut asks = Vec::new();
            match self.events.recv_timeout(self.pause()) {
                Ok(Event::Stop) | Err(RecvTimeoutError::Disconnected) => break,
                Ok(event) => self.apply(event, &mut asks),
                Err(RecvTimeoutError::Timeout) => self.down = false,
            }
            // What else has happened goes into the same transaction.
            let mut stopping = false;
            while self.changes.len() < CHANGES_MAX && asks.is_empty() {
                match self.events.try_recv() {
                    Ok(Event::Stop) => stopping = true,
                    Ok(event) => self.apply(event, &mut asks),
                    Err(_) => break,
                }
            }
            if let Err(error) = self.settle(asks) {
                // What was decided is decided again from what the catalogue says.
                tracing::warn!(%error, "statuses wait for the catalogue");
                self.changes.clear();
                self.moved.clear();
                self.scanned.clear();
                self.untold = true;
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
        let room = self.in_flight.len() < crate::scanning::IN_FLIGHT_MAX;
        let scans = self.look && room && self.context.definitions.active().is_some();
        if scans || self.unsettled || self.untold || !self.news.is_empty() || self.review.is_due() {
            return Duration::ZERO;
        }
        if self.engine.catalogue().watermark() < self.context.acked.load(Ordering::Acquire) { SOON } else { IDLE }
    }

    /// The scanner or the catalogue cannot work now.
    pub(super) fn rest(&mut self) {
        self.down = true;
        self.look = true;
        self.cursor = ItemId(0);
    }

    fn apply(&mut self, event: Event, asks: &mut Vec<Ask>) {
        match event {
            // What was rung for is looked at after every event.
            Event::Look => {}
            Event::Scanned(answer) => self.scanned(answer),
            Event::Staged(row) => self.staged(*row),
            Event::NotStripped { sample, why } => {
                let why = format!("it is not sent, for user data cannot be stripped from it: {why}");
                self.each_submitted(sample, &Cause::CannotBeStripped, &why);
            }
            Event::Unreadable { sample, why } => {
                self.each_submitted(sample, &Cause::ProcessingFault, &format!("it cannot be submitted: {why}"));
            }
            Event::Troubled { sample, why } => self.troubled(sample, &why),
            Event::Asked(ask) => asks.push(*ask),
            Event::Stop => {}
        }
    }

    pub(super) fn item(&mut self, item: ItemId, verdict: &SampleVerdict, now: Timestamp) {
        // An item that is not there was deleted meanwhile.
        let Ok(Some(standing)) = self.engine.catalogue().standing(item) else { return };
        let (changes, moved) = by_verdict(item, &standing, verdict, &self.ground, now);
        self.changes.extend(changes);
        self.moved.extend(moved);
    }

    /// Writes what was decided, then finds more to do.
    fn settle(&mut self, asks: Vec<Ask>) -> Result<(), CatalogueError> {
        if self.rung.look.swap(false, Ordering::AcqRel) {
            (self.look, self.unsettled) = (true, true);
        }
        self.freshen()?;
        self.write()?;
        for ask in asks {
            self.asked(ask)?;
        }
        if self.untold || !self.news.is_empty() {
            self.tell_items()?;
        }
        if self.unsettled {
            self.settle_changed()?;
        }
        self.review.heard(self.engine.catalogue().client_news(), Instant::now());
        if self.review.is_due() {
            self.review()?;
        }
        self.overdue()?;
        let active = self.context.definitions.active();
        if let Some(active) = active.filter(|_| !self.down) {
            self.refill(&active)?;
        }
        self.write()
    }

    /// Takes what decisions rest on anew where it has changed.
    fn freshen(&mut self) -> Result<(), CatalogueError> {
        let definitions = self.context.definitions.active();
        let active = definitions.as_ref().map(|active| (active.sequence, active.certified));
        let policy = self.context.policy();
        let stale = self.rung.review.swap(false, Ordering::AcqRel);
        if !stale && active == self.ground.active && Arc::ptr_eq(&policy, &self.ground.policy) {
            return Ok(());
        }
        let certified = active.is_some_and(|(_, certified)| certified);
        let install = if certified { &policy.certified } else { &policy.noncertified };
        let mut selected = HashSet::new();
        for name in &install.selected_targets {
            selected.extend(self.engine.catalogue().client(name)?.map(|client| client.number));
        }
        self.ground = Ground { policy, active, definitions, selected };
        self.review.begin(Instant::now());
        Ok(())
    }

    pub(super) fn write(&mut self) -> Result<(), CatalogueError> {
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
        self.tell_moved();
        Ok(())
    }

    /// What was written is told to listeners, as alerts, and to the gateway's task.
    pub(super) fn tell_moved(&mut self) {
        let moved = std::mem::take(&mut self.moved);
        self.context.events.moved(&moved);
        notice::raise(&self.context.alerts, &moved);
        let now = clock::now();
        for one in moved.iter().filter(|one| one.to == Status::Installed) {
            if let Ok(Some(item)) = self.engine.catalogue().item(one.item) {
                let took = now.0.saturating_sub(item.received_at.0).max(0);
                self.context.metrics.immunity_seconds.observe(took as f64 / 1e3);
            }
        }
        if moved.iter().any(|one| matches!(one.to, Status::Submitted | Status::Needed)) {
            self.context.exchange.wake();
        }
    }

    /// Items of samples whose findings changed.
    fn settle_changed(&mut self) -> Result<(), CatalogueError> {
        let marks = self.engine.catalogue().unsettled(UNSETTLED_PER_ROUND)?;
        self.unsettled = marks.len() == UNSETTLED_PER_ROUND;
        for mark in marks {
            if let Some(verdict) = self.engine.catalogue().verdict(mark.sample)? {
                let verdict = self.context.retests.current(verdict);
                let mut after = ItemId(0);
                loop {
                    let items = self.engine.catalogue().items_of(mark.sample, after, PAGE_ITEMS)?;
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
            self.changes.push(Own::Settled(mark));
        }
        // A restarted item is Quarantined and waits to be taken up.
        self.look = true;
        self.write()
    }
}
