//! Events 17 to 22: items that stay in a status for too long (first seed, "Configuring alerting").
//!
//! 1. An item is told of once for each stay: what is looked at is who came to a status in a span of time, and spans do
//!    not overlap. Up to where is written down, so that a restart tells nothing twice.
//! 2. A clock that goes back, or a limit that is raised, looks at nothing until time has caught up.

use super::owner::Owner;
use super::settle::error;
use crate::daemon::clock;
use engine::catalogue::{CatalogueError, Own};
use model::{Event, Status, Timestamp};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// A status is looked at sixty times within its limit, but not more often than this,
const EVERY_MIN: Duration = Duration::from_millis(500);
/// and not less often than this.
const EVERY_MAX: Duration = Duration::from_secs(60);
/// Items that get a line in their errors; the alert counts all of them.
const NOTED_MAX: usize = 100;

/// When each was last looked at.
#[derive(Debug, Default)]
pub struct Timers {
    looked: BTreeMap<Status, Instant>,
}

impl Owner {
    /// Looks at times of waiting when it is time for that.
    pub(super) fn overdue(&mut self) -> Result<(), CatalogueError> {
        let counts = self.engine.catalogue().count_by_status();
        for (status, limit, event) in self.ground.policy.too_long.each() {
            let every = (limit / 60).clamp(EVERY_MIN, EVERY_MAX);
            let is_due = self.timers.looked.get(&status).is_none_or(|looked| looked.elapsed() >= every);
            if is_due && counts[usize::from(status.code())] > 0 {
                self.timers.looked.insert(status, Instant::now());
                self.overdue_in(status, limit, event)?;
            }
        }
        Ok(())
    }

    fn overdue_in(&mut self, status: Status, limit: Duration, event: Event) -> Result<(), CatalogueError> {
        let mark = format!("overdue_{}", event.id());
        let since = Timestamp(self.engine.catalogue().mark(&mark)?);
        let now = clock::now();
        let until = Timestamp(now.0.saturating_sub(i64::try_from(limit.as_millis()).unwrap_or(i64::MAX)));
        if until <= since {
            return Ok(());
        }
        let (count, items) = self.engine.catalogue().waiting(status, since, until, NOTED_MAX)?;
        // Nobody was told, so nobody can be told twice: the next look begins from the same place, for free.
        if count == 0 {
            return Ok(());
        }
        let text = format!("longer than {} in {status}", crate::config::amount::exact_span(limit));
        self.changes.extend(items.iter().map(|item| error(*item, now, &text)));
        self.changes.push(Own::Mark { name: mark, value: until.0 });
        self.write()?;
        self.context.alerts.raise_for(event, text, &items, count);
        Ok(())
    }
}
