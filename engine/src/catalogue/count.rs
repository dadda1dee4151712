//! How many items a filter matches: from the kept counts where they answer it, else row by row within a deadline.

use super::bounds::COUNT_WAIT_MAX;
use super::filter::Filter;
use super::page::each_id;
use super::totals;
use rusqlite::{Connection, OptionalExtension, params};
use std::time::{Duration, Instant};

/// A finished count, or how far it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Count {
    All(u64),
    TooWide { counted: u64, waited: Duration },
}

/// Rows between two looks at the clock.
const ROWS_PER_LOOK: u64 = 4_096;

pub(super) fn count(connection: &Connection, filter: &Filter) -> rusqlite::Result<Count> {
    if let Some(kept) = kept(connection, filter)? {
        return Ok(Count::All(kept));
    }
    let begun = Instant::now();
    let (mut counted, mut looked_at, mut late) = (0, 0_u64, false);
    each_id(connection, &filter.plan(connection)?, None, |plan, id| {
        looked_at += 1;
        late = looked_at % ROWS_PER_LOOK == 0 && begun.elapsed() > COUNT_WAIT_MAX;
        counted += u64::from(plan.residual.matches(connection, id)?);
        Ok(!late)
    })?;
    Ok(if late { Count::TooWide { counted, waited: begun.elapsed() } } else { Count::All(counted) })
}

/// The answer of the kept counts; `None` where they have none.
fn kept(connection: &Connection, filter: &Filter) -> rusqlite::Result<Option<u64>> {
    let Filter { statuses: _, client, samples, signature, since_ms, until_ms } = filter;
    if samples.is_some() || signature.is_some() || since_ms.is_some() || until_ms.is_some() {
        return Ok(None);
    }
    let statuses = filter.distinct_statuses();
    match client {
        None => {
            let counts = totals::read_by_status(connection)?;
            let wanted =
                |code: usize| statuses.is_empty() || statuses.iter().any(|one| usize::from(one.code()) == code);
            Ok(Some(counts.iter().enumerate().filter(|(code, _)| wanted(*code)).map(|(_, count)| count).sum()))
        }
        Some(client) if statuses.is_empty() => {
            let items: Option<i64> = connection
                .prepare_cached("SELECT items FROM client WHERE name = ?1")?
                .query_row(params![client], |row| row.get(0))
                .optional()?;
            Ok(Some(items.unwrap_or(0) as u64))
        }
        Some(_) => Ok(None),
    }
}
