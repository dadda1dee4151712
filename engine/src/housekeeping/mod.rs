//! What is done in the background, below intake: dropping content that no item needs, compaction, the finish pass, and
//! the scrub. One thread does all of it.

mod drops;
mod rewrite;
mod scrub;

use crate::lane::Work;
use crate::shared::Shared;
use crossbeam_channel::Sender;
use drops::Drops;
use model::{Blake3, SampleId};
use parking_lot::{Condvar, Mutex};
use scrub::Scrub;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Time between two rounds when there is little to do.
const ROUND: Duration = Duration::from_millis(500);
/// Intake must have rested this long before the finish pass takes its turn.
const REST_BEFORE_FINISH: Duration = Duration::from_secs(2);

/// The background thread and what it is told.
pub(crate) struct Housekeeping {
    passes: Arc<Passes>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

struct Passes {
    shared: Arc<Shared>,
    lane: Sender<Work>,
    drops: Drops,
    /// Only one rewrite at a time, whoever asks.
    rewriting: Mutex<()>,
    stopping: Mutex<bool>,
    wake: Condvar,
}

impl Housekeeping {
    pub(crate) fn new(shared: Arc<Shared>, lane: Sender<Work>, candidates: Vec<(Blake3, SampleId)>) -> Self {
        let passes = Passes {
            shared,
            lane,
            drops: Drops::new(candidates),
            rewriting: Mutex::default(),
            stopping: Mutex::default(),
            wake: Condvar::new(),
        };
        Self { passes: Arc::new(passes), thread: Mutex::default() }
    }

    pub(crate) fn start(&self) -> std::io::Result<()> {
        let passes = Arc::clone(&self.passes);
        let thread = std::thread::Builder::new().name("housekeeping".to_owned()).spawn(move || passes.run())?;
        *self.thread.lock() = Some(thread);
        Ok(())
    }

    /// Samples that lost an item.
    pub(crate) fn consider(&self, candidates: Vec<(Blake3, SampleId)>) {
        self.passes.drops.add(candidates);
        self.passes.wake.notify_one();
    }

    /// Drops, compacts and finishes until nothing is left to do.
    pub(crate) fn run_once(&self) {
        self.passes.drops.run(&self.passes.shared, &self.passes.lane);
        while self.passes.rewrite_one(true) {}
    }

    pub(crate) fn stop(&self) {
        self.passes.shared.close_soon();
        *self.passes.stopping.lock() = true;
        self.passes.wake.notify_all();
        if let Some(thread) = self.thread.lock().take() {
            let _ = thread.join();
        }
    }
}

impl Passes {
    fn run(&self) {
        crate::priority::run_in_background();
        let mut scrub = Scrub::default();
        let mut rest = Rest::new(&self.shared);
        while !self.wait() {
            if self.shared.failure().is_some() {
                continue;
            }
            self.drops.run(&self.shared, &self.lane);
            rest.look(&self.shared);
            let may_finish = self.shared.settings.finish && rest.lasts(REST_BEFORE_FINISH);
            while !self.stopping() && self.rewrite_one(may_finish) {
                rest.look(&self.shared);
                if may_finish && !rest.lasts(REST_BEFORE_FINISH) {
                    break;
                }
            }
            if self.shared.settings.scrub {
                scrub.step(&self.shared, ROUND);
            }
            self.shared.suspects.save(&*self.shared.disk, &self.shared.data);
        }
    }

    fn stopping(&self) -> bool {
        *self.stopping.lock()
    }

    /// Waits for the next round; `true` when told to stop.
    fn wait(&self) -> bool {
        let mut stopping = self.stopping.lock();
        if !*stopping {
            self.wake.wait_for(&mut stopping, ROUND);
        }
        *stopping
    }

    /// One compaction or, when intake rests, one segment of the finish pass. `true` when something was done.
    fn rewrite_one(&self, may_finish: bool) -> bool {
        let _one = self.rewriting.lock();
        let Some(plan) = rewrite::plan(&self.shared, may_finish) else { return false };
        match rewrite::carry_out(&self.shared, &plan) {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!(%error, "a segment was not rewritten");
                plan.leave_alone();
                // With the victim left alone the next round finds another, or none.
                false
            }
        }
    }
}

/// Since when intake rests.
struct Rest {
    raw_bytes: u64,
    since: Instant,
}

impl Rest {
    fn new(shared: &Shared) -> Self {
        Self { raw_bytes: shared.counters.raw_bytes.read(), since: Instant::now() }
    }

    fn look(&mut self, shared: &Shared) {
        let raw_bytes = shared.counters.raw_bytes.read();
        if raw_bytes != self.raw_bytes || shared.pressure.waiting() > 0 {
            *self = Self { raw_bytes, since: Instant::now() };
        }
    }

    fn lasts(&self, at_least: Duration) -> bool {
        self.since.elapsed() >= at_least
    }
}
