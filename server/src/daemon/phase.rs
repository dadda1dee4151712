//! Where in its life the daemon is, for `/readyz` and for every handler that needs the engine.

use tokio::sync::watch;

/// Recovering -> Running -> Draining; never back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// The data directory is being read.
    Recovering,
    /// Samples are taken.
    Running,
    /// A signal came: what is in flight ends, nothing new starts.
    Draining,
}

impl Phase {
    /// The word in `/readyz` and `/v1/status`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Recovering => "recovering",
            Self::Running => "running",
            Self::Draining => "draining",
        }
    }
}

/// The current phase, shared.
#[derive(Debug)]
pub struct PhaseCell(watch::Sender<Phase>);

impl Default for PhaseCell {
    fn default() -> Self {
        Self(watch::Sender::new(Phase::Recovering))
    }
}

impl PhaseCell {
    /// The phase now.
    pub fn now(&self) -> Phase {
        *self.0.borrow()
    }

    /// Moves on; a step back is ignored, so a late "running" cannot undo a drain.
    pub fn reach(&self, phase: Phase) {
        self.0.send_if_modified(|now| {
            let later = phase > *now;
            *now = phase.max(*now);
            later
        });
    }

    /// For whoever waits for the drain.
    pub fn watch(&self) -> PhaseWatch {
        PhaseWatch(self.0.subscribe())
    }
}

/// Waits for the drain.
#[derive(Debug, Clone)]
pub struct PhaseWatch(watch::Receiver<Phase>);

impl PhaseWatch {
    /// Ends when the drain begins. Cancel-safe.
    pub async fn draining(&mut self) {
        // The sender lives as long as the daemon's context; were it gone, nothing would be left to serve.
        drop(self.0.wait_for(|phase| *phase == Phase::Draining).await);
    }
}
