//! What the control loop is told, and the handle by which it is told.

use super::owner::Owner;
use crate::daemon::context::Context;
use crate::scanning::Answer;
use crossbeam_channel::{Sender, bounded};
use engine::Engine;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;

/// Events that may wait: every sample under way can answer, and a few more things can happen meanwhile.
const EVENTS_MAX: usize = crate::scanning::IN_FLIGHT_MAX + 64;

/// Everything that gives the loop work.
#[derive(Debug)]
pub enum Event {
    /// A scan is over.
    Scanned(Answer),
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
    events: Sender<Event>,
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
        let owner = Owner::new(Arc::clone(context), engine.clone(), scanners, queue);
        let thread = std::thread::Builder::new().name("control".to_owned()).spawn(move || owner.run())?;
        Ok(Self { events, thread: Some(thread) })
    }

    /// A way to say that there may be something to do. Never blocks.
    pub fn bell(&self) -> Bell {
        Bell(self.events.clone())
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.events.send(Event::Stop);
        if let Some(thread) = self.thread.take() {
            // It does not panic; if it did, the reason is already on stderr.
            let _ = thread.join();
        }
    }
}

/// Rings at the loop.
#[derive(Debug, Clone)]
pub struct Bell(Sender<Event>);

impl Bell {
    /// Rings. A full queue needs no bell: the loop looks after every event.
    pub fn ring(&self) {
        let _ = self.0.try_send(Event::Look);
    }
}
