//! Dropping the content of samples that no item needs any more.
//!
//! 1. A sample is dropped only when the catalogue, brought up to a point of the log after the decision was announced,
//!    knows no item of it, and no arrival came to rely on it in between.
//! 2. The lane has the last word, for only the lane makes arrivals.
//! 3. A newer copy, stored because the older was damaged, also serves the items of the older: it goes after them.

use crate::lane::Work;
use crate::reply::reply;
use crate::segment::footer::prefix;
use crate::shared::Shared;
use crossbeam_channel::{Sender, bounded};
use model::{Blake3, SampleId};
use parking_lot::Mutex;
use std::time::Duration;

/// How long the catalogue may take to catch up before the decision is put off.
const CATCH_UP: Duration = Duration::from_secs(10);
/// Samples decided in one round.
const ROUND_MAX: usize = 1024;

/// Samples that lost an item.
pub(super) struct Drops {
    candidates: Mutex<Vec<(Blake3, SampleId)>>,
    /// One round at a time, so that whoever asks for all to be decided waits for the round under way.
    deciding: Mutex<()>,
}

impl Drops {
    pub(super) fn new(candidates: Vec<(Blake3, SampleId)>) -> Self {
        Self { candidates: Mutex::new(candidates), deciding: Mutex::default() }
    }

    pub(super) fn add(&self, more: Vec<(Blake3, SampleId)>) {
        self.candidates.lock().extend(more);
    }

    /// Decides about all candidates; those that cannot be decided now come again.
    pub(super) fn run(&self, shared: &Shared, lane: &Sender<Work>) {
        let _one = self.deciding.lock();
        loop {
            let round: Vec<_> = {
                let mut candidates = self.candidates.lock();
                let from = candidates.len().saturating_sub(ROUND_MAX);
                candidates.split_off(from)
            };
            if round.is_empty() {
                return;
            }
            match decide(shared, lane, &round) {
                Some(freed) => self.add(freed),
                None => {
                    self.add(round);
                    return;
                }
            }
        }
    }
}

/// Gives the newer copies that served what goes now, to be decided next; `None` when the catalogue does not catch up or
/// the lane has stopped.
fn decide(shared: &Shared, lane: &Sender<Work>, round: &[(Blake3, SampleId)]) -> Option<Vec<(Blake3, SampleId)>> {
    {
        let mut holds = shared.holds.lock();
        round.iter().for_each(|(_, sample)| holds.close(*sample));
    }
    // What was placed before this point and relies on one of them is in the log now; what comes later is noticed.
    let reached = barrier(lane).is_some_and(|sequence| shared.catalogue.reach(sequence, CATCH_UP));
    let mut tombstones = Vec::new();
    let mut freed = Vec::new();
    for (digest, sample) in round {
        let copies = shared.index.samples_of(prefix(digest));
        let mut served = copies.iter().filter(|copy| *copy <= sample).chain(std::iter::once(sample));
        let unneeded = reached && served.all(|copy| matches!(shared.catalogue.live_items_of(*copy), Ok(0)));
        if unneeded {
            freed.extend(copies.iter().filter(|copy| *copy > sample).map(|copy| (*digest, *copy)));
        }
        if unneeded && !shared.dead.lock().samples.contains(&sample.0) {
            tombstones.push((*digest, *sample));
        } else {
            shared.holds.lock().may_drop(*sample);
        }
    }
    let (answer, answers) = bounded(tombstones.len().max(1));
    for (digest, sample) in tombstones {
        let answer = answer.clone();
        let done = Box::new(move |outcome| drop(answer.send(outcome)));
        if lane.send(Work::Tombstone { digest, sample, done }).is_err() {
            return None;
        }
    }
    drop(answer);
    (reached && answers.iter().all(|outcome| outcome.is_ok())).then_some(freed)
}

fn barrier(lane: &Sender<Work>) -> Option<u64> {
    let (answer, outcome) = reply();
    let done = Box::new(move |outcome| answer.give(outcome));
    lane.send(Work::Barrier { seal: false, done }).ok()?;
    outcome.wait()?.ok()
}
