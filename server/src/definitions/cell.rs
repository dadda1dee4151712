//! The set in use, swapped as a whole.

use super::active::Active;
use arc_swap::ArcSwap;
use std::sync::Arc;

/// What is used.
#[derive(Default)]
pub enum State {
    /// No set has come yet: samples wait.
    #[default]
    None,
    /// The one on disk is being compiled: samples wait.
    Loading,
    /// This one.
    Ready(Arc<Active>),
    /// The one on disk cannot be used: samples wait.
    Failed(String),
}

impl State {
    /// The word for it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Loading => "loading",
            Self::Ready(_) => "ready",
            Self::Failed(_) => "failed",
        }
    }
}

/// Where the state stands; reading it takes no lock.
#[derive(Default)]
pub struct Cell(ArcSwap<State>);

impl Cell {
    /// As it is now.
    pub fn state(&self) -> Arc<State> {
        self.0.load_full()
    }

    /// The set in use.
    pub fn active(&self) -> Option<Arc<Active>> {
        match &**self.0.load() {
            State::Ready(active) => Some(Arc::clone(active)),
            State::None | State::Loading | State::Failed(_) => None,
        }
    }

    pub(super) fn set(&self, active: Active) {
        self.0.store(Arc::new(State::Ready(Arc::new(active))));
    }

    pub(super) fn loading(&self) {
        self.0.store(Arc::new(State::Loading));
    }

    pub(super) fn failed(&self, why: String) {
        self.0.store(Arc::new(State::Failed(why)));
    }
}
