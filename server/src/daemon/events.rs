//! What happens, told to whoever listens on `/v1/events`.
//! 1. Telling never blocks and never waits for a listener.
//! 2. Arrivals are folded: one event a tick however many came.
//! 3. A listener that falls behind is told so once and let go; it asks the API for what it missed.

use crate::control::Moved;
use model::ItemId;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, broadcast};

/// Events that a listener may be behind.
const BEHIND_MAX: usize = 256;
/// Items that one event lists.
const MOVED_MAX: usize = 100;
/// How often arrivals are told.
pub const TICK: Duration = Duration::from_millis(500);

/// One event, as it goes out.
#[derive(Debug, Clone)]
pub struct Told {
    /// Its `event:` field.
    pub name: &'static str,
    /// Its `data:` field, one line of JSON.
    pub data: Arc<str>,
}

/// The teller.
#[derive(Debug)]
pub struct Events {
    channel: broadcast::Sender<Told>,
    listeners: Arc<Semaphore>,
    arrived: AtomicU64,
    arrived_bytes: AtomicU64,
    newest: AtomicU64,
}

/// One listener's end; gives its place back when dropped.
pub struct Listener {
    /// Where events arrive.
    pub events: broadcast::Receiver<Told>,
    _place: OwnedSemaphorePermit,
}

impl Events {
    /// Tells at most `listeners_max` listeners.
    pub fn new(listeners_max: usize) -> Self {
        Self {
            channel: broadcast::Sender::new(BEHIND_MAX),
            listeners: Arc::new(Semaphore::new(listeners_max)),
            arrived: AtomicU64::new(0),
            arrived_bytes: AtomicU64::new(0),
            newest: AtomicU64::new(0),
        }
    }

    /// A new listener, or `None` when there are too many.
    pub fn listen(&self) -> Option<Listener> {
        let place = Arc::clone(&self.listeners).try_acquire_owned().ok()?;
        Some(Listener { events: self.channel.subscribe(), _place: place })
    }

    /// Counts an arrival; the next tick tells it.
    pub fn arrival(&self, item: ItemId, raw_bytes: u64) {
        self.arrived.fetch_add(1, Ordering::Relaxed);
        self.arrived_bytes.fetch_add(raw_bytes, Ordering::Relaxed);
        self.newest.fetch_max(item.0, Ordering::Relaxed);
    }

    /// Tells at once that items were deleted.
    pub fn deleted(&self, count: usize, who: &str) {
        self.tell("deleted", &json!({"count": count, "who": who}));
    }

    /// Tells that items changed status; many at once are one event that lists the first.
    pub fn moved(&self, moved: &[Moved]) {
        if moved.is_empty() {
            return;
        }
        let listed: Vec<_> =
            moved.iter().take(MOVED_MAX).map(|one| json!({"id": one.item, "from": one.from, "to": one.to})).collect();
        self.tell("statuses", &json!({"count": moved.len(), "items": listed}));
    }

    /// Tells that definitions are in use, or how a re-test goes.
    pub fn told(&self, name: &'static str, data: &serde_json::Value) {
        self.tell(name, data);
    }

    /// Tells at once that a setting changed.
    pub fn setting(&self, key: &str, value: &serde_json::Value, who: &str) {
        self.tell("setting", &json!({"key": key, "value": value, "who": who}));
    }

    /// Tells the arrivals since the last tick, if there were any.
    pub fn tick(&self) {
        let count = self.arrived.swap(0, Ordering::Relaxed);
        if count > 0 {
            let bytes = self.arrived_bytes.swap(0, Ordering::Relaxed);
            let newest = self.newest.load(Ordering::Relaxed);
            self.tell("arrivals", &json!({"count": count, "bytes": bytes, "newest": newest}));
        }
    }

    fn tell(&self, name: &'static str, data: &serde_json::Value) {
        // Nobody listening is no error.
        let _ = self.channel.send(Told { name, data: data.to_string().into() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrivals_are_folded_into_one_event() {
        let events = Events::new(1);
        let mut listener = events.listen().expect("a place is free");
        assert!(events.listen().is_none(), "one place only");
        events.arrival(ItemId(4), 10);
        events.arrival(ItemId(3), 5);
        events.tick();
        events.tick();
        let told = listener.events.try_recv().expect("one event");
        assert_eq!((told.name, &*told.data), ("arrivals", r#"{"bytes":15,"count":2,"newest":4}"#));
        assert!(listener.events.try_recv().is_err(), "nothing arrived since");
    }

    #[test]
    fn a_listener_that_falls_behind_is_told_how_much_it_missed() {
        let events = Events::new(1);
        let mut listener = events.listen().expect("a place is free");
        for _ in 0..BEHIND_MAX + 10 {
            events.deleted(1, "ann");
        }
        let missed = listener.events.try_recv();
        assert!(matches!(missed, Err(broadcast::error::TryRecvError::Lagged(10))), "{missed:?}");
    }
}
