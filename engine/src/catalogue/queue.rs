//! What passes between callers and the owner thread.
//!
//! 1. Changes of the log leave in the order in which they came; an own change leaves once those fed before it have
//!    left, so it finds its item and never starves.
//! 2. The queue has a bound: a feed that finds no room waits, and in the end leaves the rest to a replay.
//! 3. A change is counted as lag until it is committed, also when it was given up.

use super::bounds::{FEED_WAIT_MAX, LINGER_CHANGES_MAX};
use super::change::{Change, Own};
use super::error::CatalogueError;
use super::own::Answer;
use crossbeam_channel::Sender;
use model::Status;
use parking_lot::{Condvar, Mutex};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How the owner thread is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CatalogueHealth {
    /// It applies what it is fed.
    Running,
    /// The disk is full; it tries again until there is room.
    Stalled {
        /// What SQLite met.
        reason: String,
    },
    /// It has stopped; what it was fed since waits in the log for the next start.
    Failed {
        /// Why.
        reason: String,
    },
}

/// An own change and where its answer goes.
#[derive(Debug)]
pub(super) struct Asked {
    pub change: Own,
    pub answer: Sender<Answer>,
}

/// What the owner does next.
#[derive(Debug)]
pub(super) enum Work {
    /// Changes of the log.
    Log(Vec<Change>),
    /// Changes of the catalogue's own.
    Own(Vec<Asked>),
    /// Nothing has happened for a while; told once after each work.
    Rest,
    /// Nothing any more.
    Stop,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    No,
    Drained,
    Now,
}

#[derive(Debug)]
struct State {
    changes: VecDeque<Change>,
    /// Changes that ever came in, and that ever left.
    came: u64,
    left: u64,
    /// Own changes, each with the count of changes that came in before it.
    asked: VecDeque<(u64, Asked)>,
    health: CatalogueHealth,
    stop: Stop,
    /// Whether there was work since the last rest.
    worked: bool,
    /// Callers that wait for the watermark; the owner does not linger while there are any.
    waiting: usize,
}

/// Shared by the callers and the owner thread.
#[derive(Debug)]
pub(super) struct Queue {
    state: Mutex<State>,
    fed: Condvar,
    room: Condvar,
    reached: Condvar,
    changes_max: usize,
    rows_max: usize,
    linger: Duration,
    rest_after: Duration,
    lag: AtomicU64,
    watermark: AtomicU64,
    by_status: [AtomicU64; Status::COUNT],
    client_news: AtomicU64,
}

impl Queue {
    pub fn new(changes_max: usize, rows_max: usize, linger: Duration, rest_after: Duration) -> Self {
        Self {
            state: Mutex::new(State {
                changes: VecDeque::new(),
                came: 0,
                left: 0,
                asked: VecDeque::new(),
                health: CatalogueHealth::Running,
                stop: Stop::No,
                worked: false,
                waiting: 0,
            }),
            fed: Condvar::new(),
            room: Condvar::new(),
            reached: Condvar::new(),
            changes_max: changes_max.max(1),
            rows_max: rows_max.max(1),
            linger,
            rest_after,
            lag: AtomicU64::new(0),
            watermark: AtomicU64::new(0),
            by_status: Default::default(),
            client_news: AtomicU64::new(0),
        }
    }

    pub fn watermark(&self) -> u64 {
        self.watermark.load(Ordering::Acquire)
    }

    pub fn lag(&self) -> u64 {
        self.lag.load(Ordering::Relaxed)
    }

    pub fn by_status(&self) -> [u64; Status::COUNT] {
        std::array::from_fn(|code| self.by_status[code].load(Ordering::Relaxed))
    }

    pub fn client_news(&self) -> u64 {
        self.client_news.load(Ordering::Relaxed)
    }

    pub fn health(&self) -> CatalogueHealth {
        self.state.lock().health.clone()
    }

    /// Queues changes in log order, waiting for room.
    pub fn feed(&self, changes: Vec<Change>) {
        self.lag.fetch_add(changes.len() as u64, Ordering::Relaxed);
        let deadline = Instant::now() + FEED_WAIT_MAX;
        let mut state = self.state.lock();
        for change in changes {
            while state.changes.len() >= self.changes_max && takes_changes(&state) {
                // The owner may be lingering for changes that cannot come before it takes these.
                self.fed.notify_one();
                if self.room.wait_until(&mut state, deadline).timed_out() && state.changes.len() >= self.changes_max {
                    let reason = format!("{} changes found no room for {FEED_WAIT_MAX:?}", self.changes_max);
                    state.health = CatalogueHealth::Failed { reason };
                }
            }
            if !takes_changes(&state) {
                // A gap must not be followed by anything: what comes later waits in the log too.
                break;
            }
            state.changes.push_back(change);
            state.came += 1;
        }
        drop(state);
        self.fed.notify_one();
    }

    /// Queues an own change.
    ///
    /// # Errors
    /// The owner has stopped.
    pub fn ask(&self, asked: Asked) -> Result<(), CatalogueError> {
        self.ask_all([asked])
    }

    /// Queues own changes that leave together.
    ///
    /// # Errors
    /// The owner has stopped.
    pub fn ask_all(&self, asked: impl IntoIterator<Item = Asked>) -> Result<(), CatalogueError> {
        let mut state = self.state.lock();
        if state.stop != Stop::No {
            return Err(CatalogueError::Stopped { reason: "it is closed".to_owned() });
        }
        if let CatalogueHealth::Failed { reason } | CatalogueHealth::Stalled { reason } = &state.health {
            return Err(CatalogueError::Stopped { reason: reason.clone() });
        }
        let after = state.came;
        state.asked.extend(asked.into_iter().map(|asked| (after, asked)));
        drop(state);
        self.fed.notify_one();
        Ok(())
    }

    /// Waits until the watermark is at `sequence`; false when `deadline` passes or the owner stops before.
    pub fn reach(&self, sequence: u64, deadline: Duration) -> bool {
        if self.watermark() >= sequence {
            return true;
        }
        let until = Instant::now() + deadline;
        let mut state = self.state.lock();
        state.waiting += 1;
        self.fed.notify_one();
        while self.watermark() < sequence && takes_changes(&state) {
            if self.reached.wait_until(&mut state, until).timed_out() {
                break;
            }
        }
        state.waiting -= 1;
        self.watermark() >= sequence
    }

    /// The owner's next work.
    pub fn next(&self) -> Work {
        let mut state = self.state.lock();
        while state.changes.is_empty() && state.asked.is_empty() && state.stop == Stop::No {
            if !state.worked {
                self.fed.wait(&mut state);
            } else if self.fed.wait_for(&mut state, self.rest_after).timed_out() && state.changes.is_empty() {
                state.worked = false;
                return Work::Rest;
            }
        }
        state.worked = true;
        let deadline = Instant::now() + self.linger;
        while state.changes.len() < LINGER_CHANGES_MAX.min(self.changes_max)
            && state.asked.is_empty()
            && state.waiting == 0
            && state.stop == Stop::No
        {
            if self.fed.wait_until(&mut state, deadline).timed_out() {
                break;
            }
        }
        if state.stop == Stop::Now {
            return Work::Stop;
        }
        let left = state.left;
        let due = state.asked.iter().take_while(|(after, _)| *after <= left).count();
        if due > 0 {
            return Work::Own(state.asked.drain(..due).map(|(_, asked)| asked).collect());
        }
        if state.changes.is_empty() {
            return Work::Stop;
        }
        let taken = self.take(&mut state.changes);
        state.left += taken.len() as u64;
        drop(state);
        self.room.notify_all();
        Work::Log(taken)
    }

    /// The further behind, the larger the batch, up to its bound.
    fn take(&self, changes: &mut VecDeque<Change>) -> Vec<Change> {
        let mut rows = 0;
        let count = changes
            .iter()
            .take_while(|change| {
                let first = rows == 0;
                rows += change.rows();
                first || rows <= self.rows_max
            })
            .count();
        let taken = changes.drain(..count).collect();
        if changes.is_empty() {
            // The memory of a burst is given back.
            changes.shrink_to(LINGER_CHANGES_MAX);
        }
        taken
    }

    /// Publishes what is committed.
    pub fn committed(&self, changes: usize, watermark: u64, by_status: &[u64; Status::COUNT], client_news: u64) {
        for (shown, count) in self.by_status.iter().zip(by_status) {
            shown.store(*count, Ordering::Relaxed);
        }
        self.client_news.store(client_news, Ordering::Relaxed);
        self.lag.fetch_sub(changes as u64, Ordering::Relaxed);
        let mut state = self.state.lock();
        // Under the lock, so that a waiter either sees the watermark or is woken.
        self.watermark.store(watermark, Ordering::Release);
        if matches!(state.health, CatalogueHealth::Stalled { .. }) {
            state.health = CatalogueHealth::Running;
        }
        drop(state);
        self.reached.notify_all();
    }

    /// Shows that the disk is full and waits for the next try; false when there is no next try.
    pub fn stalled(&self, reason: String, pause: Duration) -> bool {
        let mut state = self.state.lock();
        let refused = std::mem::take(&mut state.asked);
        if takes_changes(&state) {
            state.health = CatalogueHealth::Stalled { reason: reason.clone() };
        }
        answer_all(refused, &reason);
        let until = Instant::now() + pause;
        while takes_changes(&state) && state.stop == Stop::No {
            if self.fed.wait_until(&mut state, until).timed_out() {
                return true;
            }
        }
        false
    }

    /// Shows that the owner has stopped for good and lets everybody go.
    pub fn failed(&self, reason: String) {
        let mut state = self.state.lock();
        answer_all(std::mem::take(&mut state.asked), &reason);
        state.changes = VecDeque::new();
        if takes_changes(&state) {
            state.health = CatalogueHealth::Failed { reason };
        }
        drop(state);
        self.room.notify_all();
        self.reached.notify_all();
    }

    /// Asks the owner to stop, after the queue is empty.
    pub fn drain(&self) {
        self.stop(Stop::Drained);
    }

    /// Asks the owner to stop after its present batch.
    pub fn abandon(&self) {
        self.stop(Stop::Now);
    }

    fn stop(&self, stop: Stop) {
        self.state.lock().stop = stop;
        self.fed.notify_all();
        self.room.notify_all();
    }
}

fn takes_changes(state: &State) -> bool {
    let failed = matches!(state.health, CatalogueHealth::Failed { .. });
    !failed && state.stop != Stop::Now
}

fn answer_all(asked: VecDeque<(u64, Asked)>, reason: &str) {
    for (_, one) in asked {
        // A caller that no longer waits is not told.
        let _ = one.answer.send(Err(CatalogueError::Stopped { reason: reason.to_owned() }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::bounds::REST_AFTER;
    use crate::catalogue::change::Setting;
    use crossbeam_channel::bounded;
    use model::Timestamp;

    fn passed(sequences: std::ops::Range<u64>) -> Vec<Change> {
        sequences.map(|sequence| Change::Passed { sequence }).collect()
    }

    fn asked() -> Asked {
        let setting = Setting { key: "k".to_owned(), json: "1".to_owned(), who: "admin".to_owned(), at: Timestamp(1) };
        Asked { change: Own::Setting(setting), answer: bounded(1).0 }
    }

    #[test]
    fn an_own_change_goes_after_what_was_fed_before_it_and_before_what_came_later() {
        let queue = Queue::new(100, 5, Duration::ZERO, REST_AFTER);
        queue.feed(passed(1..8));
        queue.ask(asked()).unwrap();
        queue.feed(passed(8..60));
        let mut applied = 0;
        loop {
            match queue.next() {
                Work::Log(changes) => applied += changes.len(),
                Work::Own(own) => {
                    assert_eq!(own.len(), 1);
                    break;
                }
                Work::Rest | Work::Stop => panic!("there is work"),
            }
        }
        assert_eq!(applied, 10, "the batch of five that holds the seventh change, and no more");
    }

    #[test]
    fn a_batch_grows_with_what_is_queued_up_to_its_bound() {
        let queue = Queue::new(1_000, 50, Duration::ZERO, REST_AFTER);
        for (fed, taken) in [(1, 1), (20, 20), (90, 50)] {
            queue.feed(passed(1..fed + 1));
            let Work::Log(changes) = queue.next() else { panic!("there are changes") };
            assert_eq!(changes.len(), taken);
        }
    }

    #[test]
    fn a_large_deletion_is_a_batch_of_its_own() {
        let queue = Queue::new(1_000, 50, Duration::ZERO, REST_AFTER);
        let items = (1..200).map(model::ItemId).collect();
        queue.feed(vec![Change::Deleted { sequence: 300, items, at_ms: 1, who: "admin".to_owned() }]);
        queue.feed(passed(301..303));
        let Work::Log(changes) = queue.next() else { panic!("there are changes") };
        assert_eq!(changes.len(), 1);
    }

    #[test]
    fn after_a_failure_changes_are_counted_as_lag_and_not_kept() {
        let queue = Queue::new(10, 5, Duration::ZERO, REST_AFTER);
        queue.failed("the disk is gone".to_owned());
        queue.feed(passed(1..100));
        assert_eq!(queue.lag(), 99);
        assert!(matches!(queue.ask(asked()), Err(CatalogueError::Stopped { .. })));
        assert!(!queue.reach(1, Duration::from_secs(60)));
    }

    #[test]
    fn an_idle_owner_is_told_to_rest_once() {
        let queue = Queue::new(10, 5, Duration::ZERO, Duration::ZERO);
        queue.feed(passed(1..2));
        assert!(matches!(queue.next(), Work::Log(_)));
        assert!(matches!(queue.next(), Work::Rest));
        queue.drain();
        assert!(matches!(queue.next(), Work::Stop));
    }
}
