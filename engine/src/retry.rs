//! Retries: an arrival that comes again with the same key is the same item.
//!
//! The window forgets the oldest keys: a client may have [`KEYS_PER_CLIENT`] of its own remembered, all clients
//! together [`KEYS_MAX`]. Both are far above what a client can have in flight.

use model::{Blake3, ItemId, RetryKey, SampleId};
use std::collections::{HashMap, VecDeque};

/// Keys remembered for one client: four windows of the native protocol.
const KEYS_PER_CLIENT: usize = 4096;
/// Keys remembered in all, about 100 MB at the most.
const KEYS_MAX: usize = 1 << 20;
/// Keys that a start reads back from the end of the log.
pub(crate) const KEYS_REPLAYED: usize = 1 << 14;

/// An arrival that a key named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Remembered {
    pub(crate) item: ItemId,
    pub(crate) sample: SampleId,
    /// The start of the content's digest: a key with other content is a mistake of the sender.
    digest_prefix: [u8; 8],
}

impl Remembered {
    pub(crate) fn new(item: ItemId, sample: SampleId, digest: &Blake3) -> Self {
        Self { item, sample, digest_prefix: crate::segment::footer::prefix(digest) }
    }

    pub(crate) fn is_of(&self, digest: &Blake3) -> bool {
        self.digest_prefix == crate::segment::footer::prefix(digest)
    }
}

/// The window.
#[derive(Debug, Default)]
pub(crate) struct RetryWindow {
    keys: HashMap<RetryKey, Remembered>,
    order: VecDeque<RetryKey>,
    clients: HashMap<String, VecDeque<RetryKey>>,
}

impl RetryWindow {
    pub(crate) fn get(&self, key: &RetryKey) -> Option<Remembered> {
        self.keys.get(key).copied()
    }

    pub(crate) fn remember(&mut self, client: &str, key: RetryKey, arrival: Remembered) {
        if self.keys.insert(key, arrival).is_some() {
            return;
        }
        self.order.push_back(key);
        let own = match self.clients.get_mut(client) {
            Some(own) => own,
            None => self.clients.entry(client.to_owned()).or_default(),
        };
        own.push_back(key);
        if own.len() > KEYS_PER_CLIENT
            && let Some(oldest) = own.pop_front()
        {
            self.keys.remove(&oldest);
        }
        if self.order.len() > KEYS_MAX {
            self.forget_oldest();
        }
    }

    /// Drops the older half of the order at once, so that the sweep over the clients is rare.
    fn forget_oldest(&mut self) {
        for key in self.order.drain(..KEYS_MAX / 2) {
            self.keys.remove(&key);
        }
        let keys = &self.keys;
        self.clients.retain(|_, own| {
            own.retain(|key| keys.contains_key(key));
            !own.is_empty()
        });
        self.order.retain(|key| keys.contains_key(key));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: u64) -> RetryKey {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&n.to_le_bytes());
        RetryKey(bytes)
    }

    #[test]
    fn one_busy_client_pushes_out_only_its_own_keys() {
        let mut window = RetryWindow::default();
        let digest = Blake3([0; 32]);
        window.remember("quiet", key(u64::MAX), Remembered::new(ItemId(1), SampleId(1), &digest));
        for n in 0..3 * KEYS_PER_CLIENT as u64 {
            window.remember("busy", key(n), Remembered::new(ItemId(n), SampleId(n), &digest));
        }
        assert!(window.get(&key(u64::MAX)).is_some());
        assert!(window.get(&key(0)).is_none());
        assert!(window.get(&key(3 * KEYS_PER_CLIENT as u64 - 1)).is_some());
    }

    #[test]
    fn all_clients_together_stay_within_the_bound() {
        let mut window = RetryWindow::default();
        let digest = Blake3([0; 32]);
        for n in 0..KEYS_MAX as u64 + 10 {
            window.remember(&format!("client {}", n % 1000), key(n), Remembered::new(ItemId(n), SampleId(n), &digest));
        }
        assert!(window.keys.len() <= KEYS_MAX && window.order.len() <= KEYS_MAX);
        assert!(window.get(&key(KEYS_MAX as u64 + 9)).is_some());
        assert!(window.get(&key(0)).is_none());
    }
}
