//! What the fake holds, and what it does wrong.

use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;
use std::time::Duration;

/// Every way in which the fake can be wrong; arrivals are counted from 1.
#[derive(Debug, Clone, Default)]
pub struct Lies {
    /// This arrival is acked and its item is gone.
    pub lose: Option<u64>,
    /// This arrival's bytes are changed after the ack.
    pub change: Option<u64>,
    /// This arrival is acked twice.
    pub ack_twice: Option<u64>,
    /// This arrival is acked as the item of the one before.
    pub share_item: Option<u64>,
    /// This arrival makes two items.
    pub store_twice: Option<u64>,
    /// This arrival is stored and never answered.
    pub withhold: Option<u64>,
    /// The connection breaks instead of this arrival's ack.
    pub break_at: Option<u64>,
    /// The quota is passed by this many bytes before it holds.
    pub pass_quota: u64,
    /// Offers are let in although the house is full.
    pub refuse_late: bool,
    /// From when, and for how long, nothing is answered.
    pub stall: Option<(Duration, Duration)>,
}

pub struct House {
    pub lies: Lies,
    pub max_bytes: u64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    arrivals: u64,
    next_item: u64,
    used_bytes: u64,
    items: BTreeMap<u64, [u8; 32]>,
    samples: HashMap<[u8; 32], Vec<u8>>,
    changed: BTreeMap<u64, Vec<u8>>,
    retries: HashMap<String, u64>,
    /// Bytes let in and not yet here, by retry key.
    reserved: HashMap<String, u64>,
}

/// What became of one arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Made {
    pub nth: u64,
    pub item: u64,
    pub outcome: &'static str,
}

impl House {
    pub fn new(lies: Lies, max_bytes: u64) -> Self {
        let state = State { next_item: 1, ..State::default() };
        Self { lies, max_bytes, state: Mutex::new(state) }
    }

    pub fn knows(&self, digest: &[u8; 32]) -> bool {
        self.state.lock().unwrap().samples.contains_key(digest)
    }

    /// Keeps room for an arrival that is about to come; false when there is none.
    pub fn reserve(&self, retry: String, bytes: u64) -> bool {
        let mut state = self.state.lock().unwrap();
        let taken = state.used_bytes + state.reserved.values().sum::<u64>();
        let has_room = taken + bytes <= self.max_bytes + self.lies.pass_quota;
        if has_room {
            state.reserved.insert(retry, bytes);
        }
        has_room
    }

    /// One arrival; `body` is absent for a claimed digest. `None` when there is no room.
    pub fn store(&self, retry: String, digest: [u8; 32], body: Option<Vec<u8>>) -> Option<Made> {
        let mut state = self.state.lock().unwrap();
        if let Some(item) = state.retries.get(&retry) {
            return Some(Made { nth: state.arrivals, item: *item, outcome: "repeated" });
        }
        state.reserved.remove(&retry);
        let outcome = if state.samples.contains_key(&digest) { "duplicate" } else { "stored" };
        if outcome == "stored" {
            let body = body.expect("an unknown digest comes with its bytes");
            if state.used_bytes + body.len() as u64 > self.max_bytes + self.lies.pass_quota {
                return None;
            }
            state.used_bytes += body.len() as u64;
            state.samples.insert(digest, body);
        }
        state.arrivals += 1;
        let nth = Some(state.arrivals);
        let mut item = state.next_item;
        if nth == self.lies.share_item {
            item -= 1;
        } else {
            state.next_item += 1;
            state.items.insert(item, digest);
        }
        if nth == self.lies.store_twice {
            let twin = state.next_item;
            state.next_item += 1;
            state.items.insert(twin, digest);
        }
        if nth == self.lies.lose {
            state.items.remove(&item);
        }
        if nth == self.lies.change {
            state.changed.insert(item, b"not what was sent".to_vec());
        }
        state.retries.insert(retry, item);
        Some(Made { nth: state.arrivals, item, outcome })
    }

    pub fn count(&self) -> usize {
        self.state.lock().unwrap().items.len()
    }

    pub fn sample_count(&self) -> usize {
        self.state.lock().unwrap().samples.len()
    }

    pub fn used_bytes(&self) -> u64 {
        self.state.lock().unwrap().used_bytes
    }

    pub fn read(&self, item: u64) -> Option<Vec<u8>> {
        let state = self.state.lock().unwrap();
        let digest = state.items.get(&item)?;
        state.changed.get(&item).or_else(|| state.samples.get(digest)).cloned()
    }
}
