//! Releases arrivals at their intended times. It never looks at answers: the loop is open.

use crate::measure::Due;
use crate::schedule::{Schedule, client};
use crate::work::Work;
use std::sync::Arc;
use tokio::sync::mpsc::Sender;
use tokio::time::Instant;

/// Where arrivals go: each client always to the same lane.
#[derive(Debug)]
pub struct Pace {
    work: Arc<Work>,
    schedule: Arc<Schedule>,
    origin: Instant,
    lanes: Vec<Sender<Due>>,
    next: u64,
}

impl Pace {
    /// Nothing is released before `origin`.
    pub fn new(work: Arc<Work>, schedule: Arc<Schedule>, origin: Instant, lanes: Vec<Sender<Due>>) -> Self {
        Self { work, schedule, origin, lanes, next: 0 }
    }

    /// Paces from a thread of its own, whose sleep is finer than the runtime's millisecond. A full
    /// lane makes it wait, which shows as lag.
    pub fn on_this_thread(mut self) {
        while let Some((due, lane)) = self.upcoming() {
            let now = Instant::now();
            if due.intended > now {
                std::thread::sleep(due.intended - now);
            }
            if lane.blocking_send(due).is_err() {
                return;
            }
            self.next += 1;
        }
    }

    /// Paces on the runtime's own clock, which a test may have paused.
    pub async fn on_this_task(mut self) {
        while let Some((due, lane)) = self.upcoming() {
            tokio::time::sleep_until(due.intended).await;
            if lane.send(due).await.is_err() {
                return;
            }
            self.next += 1;
        }
    }

    fn upcoming(&self) -> Option<(Due, &Sender<Due>)> {
        let start = self.schedule.start(self.next)?;
        let due = Due { index: self.next, intended: self.origin + start };
        let client = client(&self.work.profile, self.work.seed, self.next);
        Some((due, &self.lanes[(client % self.lanes.len() as u64) as usize]))
    }
}
