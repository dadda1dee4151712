//! One answer for one who waits.
//!
//! A channel's receiver spins and yields before it sleeps. With dozens of clients waiting for one sync that is an
//! eighth of the processor, taken from those who pack; here whoever waits sleeps at once.

use parking_lot::{Condvar, Mutex};
use std::sync::Arc;

/// The two ends of an answer.
pub(crate) fn reply<T>() -> (Answer<T>, Waiter<T>) {
    let slot = Arc::new(Slot { state: Mutex::new(State::Awaited), came: Condvar::new() });
    (Answer(Some(Arc::clone(&slot))), Waiter(slot))
}

struct Slot<T> {
    state: Mutex<State<T>>,
    came: Condvar,
}

enum State<T> {
    Awaited,
    Given(T),
    /// Dropped without an answer.
    Forgotten,
}

/// Gives the answer.
pub(crate) struct Answer<T>(Option<Arc<Slot<T>>>);

/// Waits for it.
pub(crate) struct Waiter<T>(Arc<Slot<T>>);

impl<T> Answer<T> {
    /// Gives the answer and wakes the one who waits.
    pub(crate) fn give(mut self, value: T) {
        self.end(State::Given(value));
    }

    fn end(&mut self, state: State<T>) {
        if let Some(slot) = self.0.take() {
            *slot.state.lock() = state;
            slot.came.notify_one();
        }
    }
}

impl<T> Drop for Answer<T> {
    fn drop(&mut self) {
        self.end(State::Forgotten);
    }
}

impl<T> Waiter<T> {
    /// Sleeps until the answer is there; `None` when whoever had to give it is gone.
    pub(crate) fn wait(self) -> Option<T> {
        let mut state = self.0.state.lock();
        loop {
            match std::mem::replace(&mut *state, State::Awaited) {
                State::Awaited => self.0.came.wait(&mut state),
                State::Given(value) => return Some(value),
                State::Forgotten => return None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_reaches_whoever_waits_before_or_after() {
        for early in [true, false] {
            let (answer, waiter) = reply();
            std::thread::scope(|scope| {
                let give = move || answer.give(7);
                if early {
                    give();
                } else {
                    scope.spawn(give);
                }
                assert_eq!(waiter.wait(), Some(7));
            });
        }
    }

    #[test]
    fn a_forgotten_answer_lets_the_waiter_go() {
        let (answer, waiter) = reply::<u8>();
        std::thread::scope(|scope| {
            scope.spawn(move || drop(answer));
            assert_eq!(waiter.wait(), None);
        });
    }
}
