//! Buffers for bodies, used again instead of made anew.
//!
//! The pool keeps a bounded number of bytes for the next burst and gives all of them back to the system when the store
//! has been idle.

use parking_lot::Mutex;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

/// Bytes that the pool keeps at most.
const KEPT_BYTES_MAX: usize = 16 << 20;
/// Smaller ones cost the allocator next to nothing.
const POOLED_BYTES_MIN: usize = 16 << 10;

/// Buffers that wait for use.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    buffers: Vec<Vec<u8>>,
    bytes: usize,
}

impl Pool {
    /// An empty buffer with room for `bytes`.
    pub(crate) fn take(self: &Arc<Self>, bytes: usize) -> Buffer {
        let capacity = bytes.next_power_of_two();
        let fits = |buffer: &Vec<u8>| buffer.capacity() >= bytes && buffer.capacity() <= capacity * 4;
        let mut kept = self.kept.lock();
        let found = kept.buffers.iter().rposition(fits).map(|at| kept.buffers.swap_remove(at));
        if let Some(buffer) = &found {
            kept.bytes -= buffer.capacity();
        }
        drop(kept);
        Buffer { bytes: found.unwrap_or_else(|| Vec::with_capacity(bytes)), pool: Some(Arc::clone(self)) }
    }

    /// Gives everything back to the system.
    pub(crate) fn trim(&self) {
        *self.kept.lock() = Kept::default();
    }

    fn give_back(&self, mut buffer: Vec<u8>) {
        let capacity = buffer.capacity();
        let mut kept = self.kept.lock();
        if capacity >= POOLED_BYTES_MIN && kept.bytes + capacity <= KEPT_BYTES_MAX {
            buffer.clear();
            kept.bytes += capacity;
            kept.buffers.push(buffer);
        }
    }
}

/// A body on its way in. Dropping it gives it back to its pool.
#[derive(Debug, Default)]
pub struct Buffer {
    bytes: Vec<u8>,
    pool: Option<Arc<Pool>>,
}

impl From<Vec<u8>> for Buffer {
    fn from(bytes: Vec<u8>) -> Self {
        Self { bytes, pool: None }
    }
}

impl Deref for Buffer {
    type Target = Vec<u8>;

    fn deref(&self) -> &Vec<u8> {
        &self.bytes
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if let Some(pool) = self.pool.take() {
            pool.give_back(std::mem::take(&mut self.bytes));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_comes_back_empty_and_the_pool_stays_within_its_bound() {
        let pool = Arc::new(Pool::default());
        let mut first = pool.take(64 << 10);
        first.extend_from_slice(b"secret");
        let address = first.as_ptr();
        drop(first);
        let again = pool.take(64 << 10);
        assert_eq!((again.as_ptr(), again.len()), (address, 0));
        drop(again);
        let many: Vec<_> = (0..100).map(|_| pool.take(1 << 20)).collect();
        drop(many);
        assert!(pool.kept.lock().bytes <= KEPT_BYTES_MAX);
        pool.trim();
        assert_eq!(pool.kept.lock().bytes, 0);
    }
}
