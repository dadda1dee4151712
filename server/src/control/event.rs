//! What the control loop is told, and the handle by which it is told.

use super::owner::Owner;
use super::request::Ask;
use crate::daemon::context::Context;
use crate::scanning::Answer;
use crossbeam_channel::{Sender, bounded};
use engine::Engine;
use engine::catalogue::SubmissionRow;
use model::SampleId;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;

/// Events that may wait: every sample under way can answer, and a few more things can happen meanwhile.
const EVENTS_MAX: usize = crate::scanning::IN_FLIGHT_MAX + 256;

/// Everything that gives the loop work.
#[derive(Debug)]
pub enum Event {
    /// A scan is over.
    Scanned(Answer),
    /// A sample's submission came to a stage: its items are to be told.
    Staged(Box<SubmissionRow>),
    /// User data is to be stripped from a sample, and cannot be.
    NotStripped {
        /// The sample.
        sample: SampleId,
        /// Why.
        why: String,
    },
    /// A sample cannot be submitted here: it cannot be read.
    Unreadable {
        /// The sample.
        sample: SampleId,
        /// Why.
        why: String,
    },
    /// An attempt to submit a sample failed; it will be tried again.
    Troubled {
        /// The sample.
        sample: SampleId,
        /// Why.
        why: String,
    },
    /// Somebody wants something of items.
    Asked(Box<Ask>),
    /// Items came, or definitions, or verdicts changed: there may be something to do.
    Look,
    /// No more work is taken.
    Stop,
}

/// What the loop counts.
#[derive(Debug, Default)]
pub struct Figures {
    /// Plain bytes scanned.
    pub scan_bytes: AtomicU64,
    /// Samples scanned.
    pub scans: AtomicU64,
    /// Samples whose scan failed.
    pub scan_faults: AtomicU64,
    /// Samples handed to the scanner and not answered.
    pub in_flight: AtomicU64,
    /// Nonzero while the scanner cannot run.
    pub down: AtomicU64,
}

impl Figures {
    pub(super) fn add(counter: &AtomicU64, more: u64) {
        counter.fetch_add(more, Ordering::Relaxed);
    }
}

/// The running loop.
pub struct Control {
    bell: Bell,
    thread: Option<JoinHandle<()>>,
}

impl Control {
    /// Starts it.
    ///
    /// # Errors
    /// A thread cannot be started.
    pub fn start(context: &Arc<Context>, engine: &Engine) -> std::io::Result<Self> {
        let (events, queue) = bounded(EVENTS_MAX);
        let answers = events.clone();
        let scanners =
            crate::scanning::Scanners::start(engine, &context.cage, context.retests.larder(), move |answer| {
                // The loop outlives the scanners, so it is there to take it.
                let _ = answers.send(Event::Scanned(answer));
            })?;
        let bell = Bell { events, rung: Arc::default() };
        bell.review();
        let owner = Owner::new(Arc::clone(context), engine.clone(), scanners, queue, Arc::clone(&bell.rung));
        let thread = std::thread::Builder::new().name("control".to_owned()).spawn(move || owner.run())?;
        Ok(Self { bell, thread: Some(thread) })
    }

    /// A way to tell it something.
    pub fn bell(&self) -> Bell {
        self.bell.clone()
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.bell.events.send(Event::Stop);
        if let Some(thread) = self.thread.take() {
            // It does not panic; if it did, the reason is already on stderr.
            let _ = thread.join();
        }
    }
}

/// Rings at the loop.
#[derive(Debug, Clone)]
pub struct Bell {
    events: Sender<Event>,
    rung: Arc<Rung>,
}

/// What was rung for and not looked at yet.
#[derive(Debug, Default)]
pub struct Rung {
    /// Items came, or verdicts changed.
    pub look: AtomicBool,
    /// What items that wait for definitions rest on has changed.
    pub review: AtomicBool,
}

impl Bell {
    /// Rings. Never blocks. A full queue needs no bell: the loop looks at what was rung for after every event.
    pub fn ring(&self) {
        self.rung.look.store(true, Ordering::Release);
        let _ = self.events.try_send(Event::Look);
    }

    /// What items that wait for definitions rest on has changed: policy, clients, definitions, a re-test that ended.
    pub fn review(&self) {
        self.rung.review.store(true, Ordering::Release);
        self.ring();
    }

    /// Tells the loop something. Blocks while its queue is full; false when it has ended.
    pub fn tell(&self, event: Event) -> bool {
        self.events.send(event).is_ok()
    }
}
