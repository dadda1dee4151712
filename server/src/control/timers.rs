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
use std::time::{Duration, Instant};

/// How often times of waiting are looked at, at most.
const EVERY: Duration = Duration::from_secs(5);
/// Items that get a line in their errors; the alert counts all of them.
const NOTED_MAX: usize = 100;

/// When they were last looked at.
#[derive(Debug, Default)]
pub struct Timers {
    looked: Option<Instant>,
}

impl Owner {
    /// Looks at times of waiting when it is time for that.
    pub(super) fn overdue(&mut self) -> Result<(), CatalogueError> {
        let limits = self.ground.policy.too_long.each();
        let shortest = limits.iter().map(|(_, limit, _)| *limit).min().unwrap_or(EVERY);
        if self.timers.looked.is_some_and(|looked| looked.elapsed() < EVERY.min(shortest)) {
            return Ok(());
        }
        self.timers.looked = Some(Instant::now());
        let counts = self.engine.catalogue().count_by_status();
        for (status, limit, event) in limits {
            if counts[usize::from(status.code())] > 0 {
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
