//! A lane is one connection that many simulated clients share. It takes arrivals from the pacer the
//! moment they are released, whatever the connection does, so that the generator's lag and the
//! server's delay stay apart.

pub mod http;
pub mod native;
mod talk;

use crate::measure::{Doubt, Due, Measure};
use std::collections::VecDeque;
use std::future::Future;
use tokio::sync::mpsc::Receiver;
use tokio::time::{Instant, sleep_until};

/// Arrivals on their way into a lane.
#[derive(Debug)]
pub struct Inbox {
    due: Receiver<Due>,
    open: bool,
    /// Taken in hand, not yet sent.
    pub backlog: VecDeque<Due>,
}

impl Inbox {
    /// An inbox that the pacer fills.
    pub fn new(due: Receiver<Due>) -> Self {
        Self { due, open: true, backlog: VecDeque::new() }
    }

    /// Takes the next arrival in hand; pends forever once the pacer is done. Cancel-safe.
    pub async fn take(&mut self, measure: &Measure) {
        if !self.open {
            return std::future::pending().await;
        }
        match self.due.recv().await {
            Some(due) => {
                measure.offered(due, Instant::now());
                self.backlog.push_back(due);
            }
            None => self.open = false,
        }
    }

    /// Whether nothing is left and nothing will come.
    pub fn is_done(&self) -> bool {
        !self.open && self.backlog.is_empty()
    }

    /// Runs `work` to its end or the deadline (`None`), taking arrivals in hand meanwhile.
    pub async fn while_taking<T>(
        &mut self,
        measure: &Measure,
        deadline: Instant,
        work: impl Future<Output = T>,
    ) -> Option<T> {
        tokio::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return Some(done),
                () = self.take(measure) => {}
                () = sleep_until(deadline) => return None,
            }
        }
    }

    /// Counts everything that is left, and everything that still comes, as errors of this kind.
    pub async fn give_up(&mut self, measure: &Measure, kind: &str) {
        while !self.is_done() {
            while self.backlog.pop_front().is_some() {
                measure.failed(kind, Doubt::None);
            }
            if self.open {
                self.take(measure).await;
            }
        }
    }
}
