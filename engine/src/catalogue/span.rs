//! Finding items by time without an index on it: items come in nearly in the order of time, so one row per few
//! thousand items, with the first and last time among them, bounds the ids that a range of time can have. The bounds
//! are wide, never too narrow: a clock that was set back only makes them wider.

use super::bounds::SPAN_ITEMS_MAX;
use rusqlite::{Connection, OptionalExtension, params};
use std::ops::Range;

/// The row that new items still go into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span {
    first: i64,
    last: i64,
    at_ms_min: i64,
    at_ms_max: i64,
}

/// The last span, read from the file when it is not known.
#[derive(Debug, Default)]
pub(super) struct Spans {
    open: Option<Span>,
    written: bool,
}

impl Spans {
    /// Forgets what a rollback took back.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// An item came in; ids only rise.
    pub fn add(&mut self, connection: &Connection, id: i64, at_ms: i64) -> rusqlite::Result<()> {
        if self.open.is_none() {
            self.open = last(connection)?;
        }
        match &mut self.open {
            Some(span) if id - span.first < SPAN_ITEMS_MAX => {
                span.last = id;
                span.at_ms_min = span.at_ms_min.min(at_ms);
                span.at_ms_max = span.at_ms_max.max(at_ms);
            }
            Some(_) | None => {
                self.write(connection)?;
                self.open = Some(Span { first: id, last: id, at_ms_min: at_ms, at_ms_max: at_ms });
            }
        }
        self.written = false;
        Ok(())
    }

    /// Writes the last span, inside the batch's transaction.
    pub fn write(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        if let (Some(span), false) = (self.open, self.written) {
            connection
                .prepare_cached(
                    "INSERT OR REPLACE INTO span(first, last, at_ms_min, at_ms_max) VALUES(?1, ?2, ?3, ?4)",
                )?
                .execute(params![span.first, span.last, span.at_ms_min, span.at_ms_max])?;
        }
        self.written = true;
        Ok(())
    }
}

fn last(connection: &Connection) -> rusqlite::Result<Option<Span>> {
    connection
        .prepare_cached("SELECT first, last, at_ms_min, at_ms_max FROM span ORDER BY first DESC LIMIT 1")?
        .query_row([], |row| {
            Ok(Span { first: row.get(0)?, last: row.get(1)?, at_ms_min: row.get(2)?, at_ms_max: row.get(3)? })
        })
        .optional()
}

/// The ids that items received in `since_ms..until_ms` can have.
pub(super) fn ids(connection: &Connection, since_ms: i64, until_ms: i64) -> rusqlite::Result<Range<i64>> {
    let (first, last): (Option<i64>, Option<i64>) = connection
        .prepare_cached("SELECT min(first), max(last) FROM span WHERE at_ms_max >= ?1 AND at_ms_min < ?2")?
        .query_row(params![since_ms, until_ms], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(match (first, last) {
        (Some(first), Some(last)) => first..last.saturating_add(1),
        (_, _) => 0..0,
    })
}
