//! Names of things that are counted.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

macro_rules! counted {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(out)
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                text.parse().map($name).map_err(|_| ParseIdError { what: $what, text: text.chars().take(40).collect() })
            }
        }
    };
}

counted!(
    /// An item: one arrival of a sample. It is the arrival's sequence in the log, so it never repeats.
    ItemId,
    "an item id"
);
counted!(
    /// A stored sample: the log sequence of the record that brought its bytes.
    SampleId,
    "a sample id"
);
counted!(
    /// The number of a definitions set; it only ever rises. 0 means unknown.
    Sequence,
    "a definitions sequence"
);
counted!(
    /// A client's number in the catalogue.
    ClientId,
    "a client id"
);

/// A text that is not a whole number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{text}' is not {what}: a whole number is expected")]
pub struct ParseIdError {
    what: &'static str,
    text: String,
}
