//! What the rest of the server sees of the gateway's task, and how it is woken.

use super::lane::Lane;
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
    /// Why a kind of work does not get through, and when it is tried again; none while all does.
    troubles: BTreeMap<Lane, (String, Timestamp)>,
    /// When it last answered.
    pub answered_at: Timestamp,
    /// Requests by kind and outcome.
    pub requests: BTreeMap<(&'static str, &'static str), u64>,
    /// The newest certified set that the gateway told of.
    pub certified: Sequence,
    /// The newest set that it has for us.
    pub newest: Sequence,
}

impl Told {
    /// Whether all gets through; `None` before the first answer.
    pub fn up(&self) -> Option<bool> {
        match (self.troubles.is_empty(), self.answered_at.is_never()) {
            (false, _) => Some(false),
            (true, false) => Some(true),
            (true, true) => None,
        }
    }

    /// Why not, each reason once.
    pub fn trouble(&self) -> String {
        let mut reasons: Vec<&str> = Vec::new();
        for (reason, _) in self.troubles.values() {
            if !reasons.contains(&reason.as_str()) {
                reasons.push(reason);
            }
        }
        reasons.join("; ")
    }

    /// When it is tried again; never while it answers.
    pub fn retry_at(&self) -> Timestamp {
        self.troubles.values().map(|(_, retry_at)| *retry_at).min().unwrap_or(Timestamp::NEVER)
    }
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

    /// A request of this kind was answered.
    pub(super) fn answered(&self, kind: &'static str) {
        self.told.lock().answered_at = clock::now();
        self.counted(kind, "ok");
    }

    /// A request had this outcome.
    pub(super) fn counted(&self, kind: &'static str, outcome: &'static str) {
        let mut told = self.told.lock();
        *told.requests.entry((kind, outcome)).or_default() += 1;
    }

    /// This kind of work gets through.
    pub(super) fn cleared(&self, lane: Lane) {
        self.told.lock().troubles.remove(&lane);
    }

    /// It does not.
    pub(super) fn troubled(&self, lane: Lane, why: String, retry_at: Timestamp) {
        self.told.lock().troubles.insert(lane, (why, retry_at));
    }

    /// What sets the gateway has.
    pub(super) fn sets(&self, certified: Sequence, newest: Sequence) {
        let mut told = self.told.lock();
        (told.certified, told.newest) = (certified, newest);
    }
}
