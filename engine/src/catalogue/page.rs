//! Pages of items, newest first. A page begins below an id, so items that come in meanwhile never shift it: no item is
//! skipped, none comes twice.

use super::bounds::{PAGE_ITEMS_MAX, PAGE_ROWS_MAX};
use super::error::CatalogueError;
use super::filter::{Filter, Plan};
use super::row;
use model::{Item, ItemId};
use rusqlite::{CachedStatement, Connection, Rows, params_from_iter};
use std::fmt;
use std::str::FromStr;

/// A place in a list: everything below this id is still to come. Its text means nothing to anybody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    before: u64,
}

impl Cursor {
    pub(super) fn before_id(id: u64) -> Self {
        Self { before: id }
    }

    /// The end of the ids to come, as SQLite knows ids.
    pub(super) fn before(&self) -> i64 {
        i64::try_from(self.before).unwrap_or(i64::MAX)
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "c{:x}", self.before)
    }
}

impl FromStr for Cursor {
    type Err = CatalogueError;

    fn from_str(text: &str) -> Result<Self, CatalogueError> {
        text.strip_prefix('c')
            .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
            .and_then(|digits| u64::from_str_radix(digits, 16).ok())
            .map(|before| Self { before })
            .ok_or_else(|| CatalogueError::Cursor { text: text.chars().take(40).collect() })
    }
}

/// Some of the items that a filter matches.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Page {
    /// The items, newest first. Fewer than asked for, even none, does not mean the end: only `next` does.
    pub items: Vec<Item>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<Cursor>,
}

/// At most `limit` items before `cursor`, newest first.
pub(super) fn page(
    connection: &Connection,
    filter: &Filter,
    limit: usize,
    cursor: Option<&Cursor>,
) -> rusqlite::Result<Page> {
    let limit = limit.clamp(1, PAGE_ITEMS_MAX);
    let mut page = Page::default();
    let mut looked_at = 0;
    let mut last = None;
    each_id(connection, &filter.plan(connection)?, cursor, |plan, id| {
        if page.items.len() == limit || looked_at == PAGE_ROWS_MAX {
            // There is more, and it begins below the last id that was looked at.
            page.next = last.map(Cursor::before_id);
            return Ok(false);
        }
        looked_at += 1;
        last = Some(id as u64);
        if plan.residual.matches(connection, id)? {
            page.items.extend(row::item(connection, ItemId(id as u64))?);
        }
        Ok(true)
    })?;
    Ok(page)
}

/// Gives the ids that the plan's drivers name, highest first, until `each` has enough. The runs of several drivers
/// share no id, so merging them is choosing the highest head.
pub(super) fn each_id(
    connection: &Connection,
    plan: &Plan,
    cursor: Option<&Cursor>,
    mut each: impl FnMut(&Plan, i64) -> rusqlite::Result<bool>,
) -> rusqlite::Result<()> {
    let end = cursor.map_or(plan.ids.end, |cursor| plan.ids.end.min(cursor.before()));
    let mut statements: Vec<CachedStatement<'_>> = Vec::with_capacity(plan.drivers.len());
    for driver in &plan.drivers {
        statements.push(connection.prepare_cached(driver.sql())?);
    }
    let mut runs: Vec<(i64, Rows<'_>)> = Vec::with_capacity(statements.len());
    for (statement, driver) in statements.iter_mut().zip(&plan.drivers) {
        let parameters = [plan.ids.start, end].into_iter().chain(driver.parameters());
        let mut rows = statement.query(params_from_iter(parameters))?;
        if let Some(head) = step(&mut rows)? {
            runs.push((head, rows));
        }
    }
    while let Some(highest) = (0..runs.len()).max_by_key(|at| runs[*at].0) {
        let (head, rows) = &mut runs[highest];
        if !each(plan, *head)? {
            break;
        }
        match step(rows)? {
            Some(next) => *head = next,
            None => drop(runs.swap_remove(highest)),
        }
    }
    Ok(())
}

fn step(rows: &mut Rows<'_>) -> rusqlite::Result<Option<i64>> {
    match rows.next()? {
        Some(row) => Ok(Some(row.get(0)?)),
        None => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_from_its_text_and_nothing_else_is_one() {
        for before in [0, 1, 255, u64::MAX] {
            let cursor = Cursor::before_id(before);
            assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }
        for text in ["", "c", "7", "c+7", "cxyz", "c11112222333344445"] {
            assert!(matches!(text.parse::<Cursor>(), Err(CatalogueError::Cursor { .. })), "{text}");
        }
    }
}
