//! What the rest of the server sees of the gateway's task, and how it is woken.

use crate::daemon::clock;
use model::{SampleId, Sequence, Timestamp};
use parking_lot::Mutex;
use std::collections::{BTreeMap, BTreeSet};
use tokio::sync::Notify;

/// Samples that wait to be asked about at once.
const WANTED_MAX: usize = 10_000;

/// Shared by the task, the control loop and the doors.
#[derive(Default)]
pub struct Exchange {
    wake: Notify,
    told: Mutex<Told>,
    wanted: Mutex<Wanted>,
}

/// How it goes.
#[derive(Debug, Clone, Default)]
pub struct Told {
    /// Whether the gateway answered last time; `None` before the first.
    pub up: Option<bool>,
    /// Why not.
    pub trouble: String,
    /// When it last answered.
    pub answered_at: Timestamp,
    /// When it is tried again; never while it answers.
    pub retry_at: Timestamp,
    /// Requests by kind and outcome.
    pub requests: BTreeMap<(&'static str, &'static str), u64>,
    /// The newest certified set that the gateway told of.
    pub certified: Sequence,
    /// The newest set that it has for us.
    pub newest: Sequence,
}

#[derive(Default)]
struct Wanted {
    samples: BTreeSet<SampleId>,
    sets: bool,
}

impl Exchange {
    /// There may be something to do: items are Submitted or Needed, or the policy changed.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    /// The centre is to be asked about these samples, and for definitions, at once.
    pub fn want(&self, samples: impl IntoIterator<Item = SampleId>) {
        let mut wanted = self.wanted.lock();
        wanted.sets = true;
        for sample in samples {
            if wanted.samples.len() < WANTED_MAX {
                wanted.samples.insert(sample);
            }
        }
        drop(wanted);
        self.wake();
    }

    /// How it goes.
    pub fn told(&self) -> Told {
        self.told.lock().clone()
    }

    pub(super) async fn woken(&self) {
        self.wake.notified().await;
    }

    /// What is wanted at once: samples, and whether definitions are.
    pub(super) fn take_wanted(&self) -> (BTreeSet<SampleId>, bool) {
        let mut wanted = self.wanted.lock();
        (std::mem::take(&mut wanted.samples), std::mem::take(&mut wanted.sets))
    }

    pub(super) fn is_wanted(&self) -> bool {
        let wanted = self.wanted.lock();
        wanted.sets || !wanted.samples.is_empty()
    }

    /// A request had this outcome.
    pub(super) fn counted(&self, kind: &'static str, outcome: &'static str) {
        let mut told = self.told.lock();
        *told.requests.entry((kind, outcome)).or_default() += 1;
    }

    /// The gateway answered.
    pub(super) fn answered(&self) {
        let mut told = self.told.lock();
        told.up = Some(true);
        told.answered_at = clock::now();
        told.retry_at = Timestamp::NEVER;
        told.trouble.clear();
    }

    /// It did not.
    pub(super) fn troubled(&self, why: &str, retry_at: Timestamp) {
        let mut told = self.told.lock();
        told.up = Some(false);
        told.retry_at = retry_at;
        why.clone_into(&mut told.trouble);
    }

    /// What sets the gateway has.
    pub(super) fn sets(&self, certified: Sequence, newest: Sequence) {
        let mut told = self.told.lock();
        (told.certified, told.newest) = (certified, newest);
    }
}
