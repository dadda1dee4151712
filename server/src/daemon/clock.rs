//! The server's clock: the only place where the daemon asks what time it is.

use model::Timestamp;
use std::time::{SystemTime, UNIX_EPOCH};

/// Now, to the millisecond; 1970 for a clock that is set before that.
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
