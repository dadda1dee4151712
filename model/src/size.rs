//! Bytes of two kinds that must not be mixed up.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! size {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(out)
            }
        }
    };
}

size!(
    /// Plain bytes of a sample, as the client has them.
    RawBytes
);
size!(
    /// Bytes on disk: compressed, sealed, with their record around them.
    StoredBytes
);
