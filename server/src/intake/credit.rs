//! How many body bytes a client may send.
//! 1. `outstanding` was granted and has not come; `held` has come and is neither durable nor thrown away.
//! 2. Both together stay below the target, but for what ends a body that has begun: that is always granted, in
//!    steps, so that no body waits for another one.
//! 3. A smaller target takes effect as credit is used up: what was granted is never taken back.

/// Steps in which a body that has begun is let through.
const STEP_BYTES: u64 = 1 << 20;

/// A client sent more than it was granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{bytes} body bytes came where {outstanding} were granted")]
pub struct OverCredit {
    bytes: u64,
    outstanding: u64,
}

/// The account of one connection.
#[derive(Debug, Default)]
pub struct Credit {
    outstanding: u64,
    held: u64,
    body_left: u64,
}

impl Credit {
    /// An account with what the welcome granted.
    pub fn new(granted: u64) -> Self {
        Self { outstanding: granted, held: 0, body_left: 0 }
    }

    /// A body of this many bytes follows.
    pub fn begun(&mut self, bytes: u64) {
        self.body_left = bytes;
    }

    /// Body bytes came.
    ///
    /// # Errors
    /// More than were granted.
    pub fn received(&mut self, bytes: u64) -> Result<(), OverCredit> {
        let left = self.outstanding.checked_sub(bytes);
        self.outstanding = left.ok_or(OverCredit { bytes, outstanding: self.outstanding })?;
        self.body_left = self.body_left.saturating_sub(bytes);
        self.held += bytes;
        Ok(())
    }

    /// Bytes that came are durable, written, or thrown away.
    pub fn released(&mut self, bytes: u64) {
        self.held = self.held.saturating_sub(bytes);
    }

    /// What to grant now, which is counted as granted; 0 when it is not worth a frame.
    pub fn grant(&mut self, target: u64) -> u64 {
        let free = target.saturating_sub(self.outstanding + self.held);
        let wanted = self.body_left.saturating_sub(self.outstanding);
        let step = if wanted > 0 && self.outstanding < STEP_BYTES / 2 { wanted.min(STEP_BYTES) } else { 0 };
        let grant = if free >= (target / 4).max(1) { free.max(step) } else { step };
        self.outstanding += grant;
        grant
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credit_comes_back_as_bytes_become_durable() {
        let mut credit = Credit::new(100);
        credit.begun(100);
        credit.received(100).expect("granted");
        assert_eq!(credit.grant(100), 0, "all of it is held");
        credit.released(20);
        assert_eq!(credit.grant(100), 0, "not worth a frame");
        credit.released(20);
        assert_eq!(credit.grant(100), 40);
        assert_eq!(credit.received(41), Err(OverCredit { bytes: 41, outstanding: 40 }));
    }

    #[test]
    fn a_body_that_has_begun_is_let_through_at_any_target() {
        let mut credit = Credit::new(10);
        let body = 5 * STEP_BYTES;
        credit.begun(body);
        let mut came = 0;
        while came < body {
            credit.grant(1);
            let bytes = credit.outstanding.min(body - came);
            assert!(bytes > 0, "stuck at {came}");
            credit.received(bytes).expect("granted");
            came += bytes;
        }
        assert_eq!(credit.grant(1), 0, "the target is exceeded and no body is open");
        credit.released(body);
        assert_eq!(credit.grant(1), 1, "a small target still lets the next body begin");
    }
}
