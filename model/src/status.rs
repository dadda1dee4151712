//! The fourteen statuses of an item (first seed, "Viewing a list of quarantined items").
//!
//! 1. A name is exactly the seed's; it is what people and programs see.
//! 2. A code is what storage keeps; it never changes once given.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// How far an item has come through the loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Status {
    /// Received and durable; not scanned yet.
    Quarantined = 0,
    /// Queued for the gateway, which has not accepted it yet.
    Submitted = 1,
    /// Accepted by the gateway; no answer yet.
    Released = 2,
    /// Kept from submission until somebody decides.
    Held = 3,
    /// No new definitions are required.
    Unneeded = 4,
    /// New definitions are required and not ready for delivery yet.
    Needed = 5,
    /// Definitions are here and wait for somebody to queue their delivery.
    Available = 6,
    /// Delivery to the submitting computer is queued.
    Distribute = 7,
    /// The submitting computer holds the definitions.
    Distributed = 8,
    /// The submitting computer has installed them.
    Installed = 9,
    /// A person at the analysis centre has to look at the sample.
    Attention = 10,
    /// Processing failed.
    Error = 11,
    /// Definitions could not be delivered or installed.
    NotInstalled = 12,
    /// Processing begins again.
    Restart = 13,
}

impl Status {
    /// How many statuses there are.
    pub const COUNT: usize = 14;

    /// All of them, in the order of their codes: `ALL[code] == status`.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Quarantined,
        Self::Submitted,
        Self::Released,
        Self::Held,
        Self::Unneeded,
        Self::Needed,
        Self::Available,
        Self::Distribute,
        Self::Distributed,
        Self::Installed,
        Self::Attention,
        Self::Error,
        Self::NotInstalled,
        Self::Restart,
    ];

    /// The number that storage keeps, below [`Status::COUNT`].
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The status of a stored number; `None` where no version ever wrote it.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }

    /// The exact name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Quarantined => "Quarantined",
            Self::Submitted => "Submitted",
            Self::Released => "Released",
            Self::Held => "Held",
            Self::Unneeded => "Unneeded",
            Self::Needed => "Needed",
            Self::Available => "Available",
            Self::Distribute => "Distribute",
            Self::Distributed => "Distributed",
            Self::Installed => "Installed",
            Self::Attention => "Attention",
            Self::Error => "Error",
            Self::NotInstalled => "Not installed",
            Self::Restart => "Restart",
        }
    }

    /// One line for a person.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Quarantined => "received and safely stored, not scanned yet",
            Self::Submitted => "queued for the gateway, which has not accepted it yet",
            Self::Released => "accepted by the gateway, no answer yet",
            Self::Held => "kept from submission until somebody decides",
            Self::Unneeded => "no new definitions are required",
            Self::Needed => "new definitions are required",
            Self::Available => "definitions are here, their delivery waits to be queued",
            Self::Distribute => "delivery of definitions to the client is queued",
            Self::Distributed => "the client holds the definitions, not confirmed as installed",
            Self::Installed => "the client has installed the definitions",
            Self::Attention => "a person at the analysis centre has to look at it",
            Self::Error => "processing failed, see the item's errors",
            Self::NotInstalled => "definitions could not be delivered or installed",
            Self::Restart => "processing begins again",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.name())
    }
}

impl FromStr for Status {
    type Err = ParseStatusError;

    /// Reads a name in any case, with `-` or `_` for the space of "Not installed", so that it can be typed in a shell.
    fn from_str(text: &str) -> Result<Self, ParseStatusError> {
        let wanted = text.replace(['-', '_'], " ");
        Self::ALL
            .into_iter()
            .find(|status| status.name().eq_ignore_ascii_case(&wanted))
            .ok_or_else(|| ParseStatusError { text: text.chars().take(40).collect() })
    }
}

impl Serialize for Status {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Status {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A text that names no status.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{text}' is not a status: one of Quarantined, Submitted, Released, Held, Unneeded, Needed, Available, \
     Distribute, Distributed, Installed, Attention, Error, Not installed, Restart is expected"
)]
pub struct ParseStatusError {
    text: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_reads_back_from_its_name_and_its_code() {
        for (at, status) in Status::ALL.into_iter().enumerate() {
            assert_eq!(usize::from(status.code()), at);
            assert_eq!(Status::from_code(status.code()), Some(status));
            assert_eq!(status.to_string().parse(), Ok(status));
            assert_eq!(serde_json::to_value(status).unwrap(), status.name());
        }
        assert_eq!(Status::from_code(14), None);
    }

    #[test]
    fn a_status_can_be_typed_in_a_shell() {
        assert_eq!("not-installed".parse(), Ok(Status::NotInstalled));
        assert_eq!("HELD".parse(), Ok(Status::Held));
    }

    #[test]
    fn a_text_that_is_no_status_is_refused_with_the_choice() {
        let refused = "Lost".parse::<Status>().unwrap_err().to_string();
        assert!(refused.contains("'Lost'"), "{refused}");
        for status in Status::ALL {
            assert!(refused.contains(status.name()), "{refused}");
        }
    }
}
