//! Group commit by natural batching: whatever is ready when the last commit ends is the next batch.
//! The product does the same, so no peer is beaten for want of it.

use crate::pack::Packed;
use anyhow::{Result, anyhow};
use crossbeam_channel::{Receiver, Sender, bounded};
use std::thread::JoinHandle;

/// The product's cap on a batch.
const BATCH_BYTES_MAX: usize = 8 << 20;
/// Writers wait for their ack, so there are never more in the queue than writers.
const QUEUE_MAX: usize = 1024;

struct Waiting {
    packed: Packed,
    ack: Sender<Result<(), String>>,
}

/// The queue in front of the one thread that commits.
pub struct Group {
    queue: Sender<Waiting>,
    owner: JoinHandle<()>,
}

impl Group {
    /// `commit` makes a whole batch durable or fails it.
    pub fn start(mut commit: impl FnMut(Vec<Packed>) -> Result<()> + Send + 'static) -> Self {
        let (queue, ready) = bounded::<Waiting>(QUEUE_MAX);
        let owner = std::thread::spawn(move || {
            while let Some((batch, acks)) = next(&ready) {
                let outcome = commit(batch).map_err(|error| format!("{error:#}"));
                for ack in acks {
                    // A writer that is gone needs no answer.
                    let _ = ack.send(outcome.clone());
                }
            }
        });
        Self { queue, owner }
    }

    /// Returns when the batch that took the sample is durable.
    pub fn put(&self, packed: Packed) -> Result<()> {
        let (ack, answer) = bounded(1);
        self.queue.send(Waiting { packed, ack }).map_err(|_| anyhow!("the committing thread has ended"))?;
        answer.recv().map_err(|_| anyhow!("the committing thread has ended"))?.map_err(anyhow::Error::msg)
    }

    /// Waits for the committing thread, and so for the store it owns, to end.
    pub fn close(self) -> Result<()> {
        drop(self.queue);
        self.owner.join().map_err(|_| anyhow!("the committing thread panicked"))
    }
}

fn next(ready: &Receiver<Waiting>) -> Option<(Vec<Packed>, Vec<Sender<Result<(), String>>>)> {
    let first = ready.recv().ok()?;
    let mut bytes = first.packed.value.len();
    let (mut batch, mut acks) = (vec![first.packed], vec![first.ack]);
    while bytes < BATCH_BYTES_MAX {
        let Ok(more) = ready.try_recv() else { break };
        bytes += more.packed.value.len();
        batch.push(more.packed);
        acks.push(more.ack);
    }
    Some((batch, acks))
}
