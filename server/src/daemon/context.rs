//! What every handler and every connection shares.

use crate::alerts::Alerts;
use crate::control::{Bell, Figures};
use crate::daemon::clock;
use crate::daemon::events::Events;
use crate::daemon::options::{Limits, ServeOptions, ShelfOptions};
use crate::daemon::phase::{Phase, PhaseCell};
use crate::daemon::policy::Policy;
use crate::daemon::settings;
use crate::definitions::Definitions;
use crate::exchange::Exchange;
use crate::metrics::Metrics;
use crate::retest::Retests;
use crate::scanning::Cage;
use crate::security::tokens::TokenTable;
use anyhow::Context as _;
use arc_swap::ArcSwap;
use engine::{Engine, Health, Settings, Stored};
use model::Timestamp;
use model::wire::Outcome;
use parking_lot::Mutex;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::Semaphore;

/// Why nothing can be stored or read right now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotServing {
    /// The data directory is being read.
    #[error("the server is recovering its data directory: try again in a moment")]
    Recovering,
    /// A signal came.
    #[error("the server is shutting down: try another one, or this one when it is back")]
    Draining,
    /// The writer stopped after a failed write.
    #[error("the store takes nothing until an operator acts: {0}")]
    Stopped(String),
}

/// The daemon's shared state.
pub struct Context {
    engine: OnceLock<Engine>,
    /// Where in its life the daemon is.
    pub phase: PhaseCell,
    /// When the daemon started.
    pub started_at: Timestamp,
    /// The data directory.
    pub data: PathBuf,
    /// Known bearers.
    pub tokens: TokenTable,
    /// What a stranger may cost.
    pub limits: Limits,
    /// A sample of more plain bytes is streamed, not held.
    pub large_bytes_min: u64,
    /// One sample at most, in plain bytes.
    pub sample_bytes_max: u64,
    /// Figures of the network side; the engine counts its own.
    pub metrics: Metrics,
    /// What people are told.
    pub alerts: Alerts,
    /// What passes between the control loop and the gateway's task.
    pub exchange: Exchange,
    /// What `/v1/events` tells.
    pub events: Events,
    /// What can be changed while the server runs.
    pub settings: Mutex<settings::Settings>,
    /// Held by whoever changes settings.
    pub changing_settings: tokio::sync::Mutex<()>,
    policy: ArcSwap<Policy>,
    /// The sets of definitions that are here.
    pub definitions: Definitions,
    /// Workers that open samples.
    pub cage: Arc<Cage>,
    /// What the control loop counts.
    pub figures: Figures,
    /// What is kept of samples for re-tests.
    pub shelf_options: ShelfOptions,
    /// Re-tests, and what is known of samples for them.
    pub retests: Retests,
    bell: OnceLock<Bell>,
    /// The newest item that was acked here.
    pub acked: AtomicU64,
    /// Threads for samples that are streamed to disk.
    pub streams: Arc<Semaphore>,
}

impl Context {
    /// The state of a daemon that is about to recover.
    ///
    /// # Errors
    /// A key of definitions cannot be read.
    pub fn new(options: &ServeOptions, settings: &Settings) -> anyhow::Result<Arc<Self>> {
        let limits = options.limits.clone();
        let program = match &options.cage_program {
            Some(program) => program.clone(),
            None => std::env::current_exe().context("cannot find this program, which opens samples")?,
        };
        let definitions = Definitions::new(&options.data, options.definitions_keys.clone(), program.clone());
        definitions.trusted().context("cannot read the keys of definitions")?;
        let configured = settings::Settings::new(options.run_time_settings());
        Ok(Arc::new(Self {
            definitions,
            cage: Arc::new(Cage::new(program)),
            figures: Figures::default(),
            shelf_options: options.shelves,
            retests: Retests::new(&options.data),
            bell: OnceLock::new(),
            engine: OnceLock::new(),
            phase: PhaseCell::default(),
            started_at: clock::now(),
            data: options.data.clone(),
            tokens: TokenTable::new(&options.tokens),
            large_bytes_min: settings.large_bytes_min,
            sample_bytes_max: settings.sample_bytes_max,
            metrics: Metrics::default(),
            alerts: Alerts::default(),
            exchange: Exchange::default(),
            events: Events::new(limits.event_listeners_max),
            policy: ArcSwap::from_pointee(configured.policy().context("the settings cannot be used")?),
            settings: Mutex::new(configured),
            changing_settings: tokio::sync::Mutex::default(),
            acked: AtomicU64::new(0),
            streams: Arc::new(Semaphore::new(limits.streams_max)),
            limits,
        }))
    }

    /// The control loop runs.
    pub fn controlled(&self, bell: Bell) {
        // The start of the daemon calls this once.
        let _ = self.bell.set(bell);
    }

    /// The control loop, to be told something and to be waited for.
    pub fn control(&self) -> Option<&Bell> {
        self.bell.get()
    }

    /// Tells the control loop that there may be something to do.
    pub fn ring(&self) {
        if let Some(bell) = self.bell.get() {
            bell.ring();
        }
    }

    /// What the administrator decided, as it holds now.
    pub fn policy(&self) -> Arc<Policy> {
        self.policy.load_full()
    }

    /// The administrator decided otherwise.
    pub fn policy_changed(&self, policy: Policy) {
        self.policy.store(Arc::new(policy));
        self.exchange.wake();
        self.ring();
    }

    /// Recovery is over.
    pub fn opened(&self, engine: Engine) {
        // The start of the daemon calls this once.
        self.metrics.opened(&engine);
        let _ = self.engine.set(engine);
        self.phase.reach(Phase::Running);
    }

    /// The engine, to read with.
    ///
    /// # Errors
    /// Recovery is not over.
    pub fn engine(&self) -> Result<&Engine, NotServing> {
        self.engine.get().ok_or(NotServing::Recovering)
    }

    /// The engine, to store with.
    ///
    /// # Errors
    /// Recovery is not over, a drain has begun, or the writer has stopped.
    pub fn intake(&self) -> Result<&Engine, NotServing> {
        match self.phase.now() {
            Phase::Recovering => Err(NotServing::Recovering),
            Phase::Draining => Err(NotServing::Draining),
            Phase::Running => {
                let engine = self.engine()?;
                match engine.health() {
                    Health::Running => Ok(engine),
                    Health::Stopped { reason } => Err(NotServing::Stopped(reason)),
                }
            }
        }
    }

    /// An item is durable: counted, told, and waited for by the next list. A batch of acks calls this once for
    /// each item and takes no lock but the histogram's.
    pub fn acked(&self, receipt: &Stored, took: Duration) {
        self.metrics.acked(receipt, outcome(receipt), took);
        self.events.arrival(receipt.item, receipt.raw.0);
        self.acked.fetch_max(receipt.item.0, Ordering::AcqRel);
        self.ring();
    }
}

/// How a receipt became an item, in the words of the wire.
pub fn outcome(receipt: &Stored) -> Outcome {
    match (receipt.repeated, receipt.duplicate) {
        (true, _) => Outcome::Repeated,
        (false, true) => Outcome::Duplicate,
        (false, false) => Outcome::Stored,
    }
}
