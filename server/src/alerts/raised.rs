//! Where alerts are raised, and what is known of each event since the start.

use crate::daemon::clock;
use model::{Event, ItemId, Timestamp};
use parking_lot::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::mpsc;

/// Alerts that may wait for the teller, who does nothing but fold them.
const QUEUE_MAX: usize = 4096;
/// Items that one alert names; it says how many there are in all.
pub const ITEMS_MAX: usize = 10;
/// Characters of what an alert says.
const TEXT_CHARS_MAX: usize = 1000;

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raised {
    /// What.
    pub event: Event,
    /// In words.
    pub text: String,
    /// The items it is about, the first of them.
    pub items: Vec<ItemId>,
    /// How often it happened: for how many items.
    pub count: u64,
    /// When.
    pub at: Timestamp,
}

/// What is known of an event since the start.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Seen {
    /// How often it was raised.
    pub count: u64,
    /// When it was last told.
    pub told_at: Timestamp,
    /// What was last told.
    pub text: String,
    /// Deliveries that were given up.
    pub failed: u64,
    /// Why the last attempt failed that did, with its method and recipient; empty once that recipient was reached.
    pub failure: String,
}

/// The bell that everybody can ring.
pub struct Alerts {
    queue: mpsc::Sender<Raised>,
    receiver: Mutex<Option<mpsc::Receiver<Raised>>>,
    counts: [AtomicU64; Event::COUNT],
    /// What found no place in the queue.
    unqueued: [AtomicU64; Event::COUNT],
    seen: Mutex<Vec<Seen>>,
}

impl Default for Alerts {
    fn default() -> Self {
        let (queue, receiver) = mpsc::channel(QUEUE_MAX);
        Self {
            queue,
            receiver: Mutex::new(Some(receiver)),
            counts: Default::default(),
            unqueued: Default::default(),
            seen: Mutex::new(vec![Seen::default(); Event::COUNT]),
        }
    }
}

impl Alerts {
    /// Raises an event.
    pub fn raise(&self, event: Event, text: impl Into<String>) {
        self.raise_for(event, text, &[], 1);
    }

    /// Raises an event that is about items, `count` in all.
    pub fn raise_for(&self, event: Event, text: impl Into<String>, items: &[ItemId], count: u64) {
        self.counts[index(event)].fetch_add(count, Ordering::Relaxed);
        let text = text.into().chars().take(TEXT_CHARS_MAX).collect();
        let items = items.iter().take(ITEMS_MAX).copied().collect();
        let raised = Raised { event, text, items, count, at: clock::now() };
        if self.queue.try_send(raised).is_err() {
            self.unqueued[index(event)].fetch_add(count, Ordering::Relaxed);
        }
    }

    /// How often an event was raised since the start.
    pub fn count(&self, event: Event) -> u64 {
        self.counts[index(event)].load(Ordering::Relaxed)
    }

    /// What is known of an event.
    pub fn seen(&self, event: Event) -> Seen {
        let seen = self.seen.lock()[index(event)].clone();
        Seen { count: self.count(event), ..seen }
    }

    pub(super) fn change_seen(&self, event: Event, change: impl FnOnce(&mut Seen)) {
        change(&mut self.seen.lock()[index(event)]);
    }

    /// The end that the teller takes; there is one.
    pub(super) fn receiver(&self) -> Option<mpsc::Receiver<Raised>> {
        self.receiver.lock().take()
    }

    /// Takes what found no place in the queue.
    pub(super) fn unqueued(&self) -> impl Iterator<Item = (Event, u64)> {
        Event::ALL.into_iter().filter_map(|event| {
            let count = self.unqueued[index(event)].swap(0, Ordering::Relaxed);
            (count > 0).then_some((event, count))
        })
    }
}

fn index(event: Event) -> usize {
    usize::from(event.number()) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_storm_beyond_the_queue_loses_no_count() {
        let alerts = Alerts::default();
        for _ in 0..QUEUE_MAX + 10 {
            alerts.raise_for(Event::HeldForSubmission, "held", &[ItemId(1); 50], 2);
        }
        assert_eq!(alerts.count(Event::HeldForSubmission), 2 * (QUEUE_MAX as u64 + 10));
        assert_eq!(alerts.unqueued().collect::<Vec<_>>(), [(Event::HeldForSubmission, 20)]);
        assert_eq!(alerts.unqueued().count(), 0);
        let first = alerts.receiver().expect("the first takes it").try_recv().expect("one waits");
        assert_eq!(first.items.len(), ITEMS_MAX);
        assert!(alerts.receiver().is_none());
    }
}
