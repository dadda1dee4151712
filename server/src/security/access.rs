//! What each role may do: one table, so that a new right makes every role answer.

use crate::daemon::options::Role;
use std::sync::Arc;

/// One kind of thing a caller may want.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// Send samples and ask whether a digest is here.
    Forward,
    /// Make an item on a digest without sending its bytes.
    Claim,
    /// Read items, figures, settings, log and events.
    Read,
    /// Read the bytes of a sample.
    Restore,
    /// Act on items.
    Act,
    /// Change settings.
    Configure,
}

impl Right {
    /// The word in a refusal.
    pub fn word(self) -> &'static str {
        match self {
            Self::Forward => "send samples",
            Self::Claim => "claim a digest without its bytes",
            Self::Read => "read items and figures",
            Self::Restore => "read samples",
            Self::Act => "act on items",
            Self::Configure => "change settings",
        }
    }
}

impl Role {
    /// Whether a bearer of this role has `right`. Only a forwarder claims digests, and it can never read a
    /// sample: else a digest would be enough to fetch the bytes it names.
    pub fn has(self, right: Right) -> bool {
        match self {
            Self::Viewer => matches!(right, Right::Read),
            Self::Operator => matches!(right, Right::Read | Right::Restore | Right::Act | Right::Forward),
            Self::Administrator => !matches!(right, Right::Claim),
            Self::Forwarder => matches!(right, Right::Forward | Right::Claim),
            Self::Target => false,
        }
    }

    /// The word in configuration, audit log and refusals.
    pub fn word(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Administrator => "administrator",
            Self::Forwarder => "forwarder",
            Self::Target => "target",
        }
    }
}

/// Who is asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// The server has no tokens: whoever reaches it may do everything.
    Anyone,
    /// The bearer of a known token.
    Bearer {
        /// The token's name.
        name: Arc<str>,
        /// Its role.
        role: Role,
    },
}

impl Caller {
    /// Whether the caller has `right`.
    pub fn has(&self, right: Right) -> bool {
        match self {
            Self::Anyone => true,
            Self::Bearer { role, .. } => role.has(right),
        }
    }

    /// The name in the audit log.
    pub fn name(&self) -> &str {
        match self {
            Self::Anyone => "anyone",
            Self::Bearer { name, .. } => name,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forwarder_can_never_read_a_sample_and_only_a_forwarder_claims() {
        for role in [Role::Viewer, Role::Operator, Role::Administrator, Role::Forwarder, Role::Target] {
            assert!(!(role.has(Right::Restore) && role.has(Right::Claim)), "{}", role.word());
        }
        assert!(Role::Forwarder.has(Right::Claim) && !Role::Forwarder.has(Right::Read));
        assert!(!Role::Administrator.has(Right::Claim));
    }
}
