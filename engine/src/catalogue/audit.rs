//! The log of what people did, chained so that a row cannot be changed or taken out unnoticed: each row carries the
//! BLAKE3 hash of the chain before it and of its own content.

use super::page::Cursor;
use model::{ItemId, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};

/// One row of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    /// Its number, rising.
    pub id: u64,
    /// When.
    pub at: Timestamp,
    /// Who did it.
    pub who: String,
    /// What was done.
    pub what: String,
    /// The item it was done with.
    pub item: Option<ItemId>,
    /// Hash of this row and, through it, of all before.
    pub chain: [u8; 32],
}

/// Rows of the log, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogPage {
    /// The rows.
    pub entries: Vec<LogEntry>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<Cursor>,
}

/// The end of the chain, read from the file when it is not known.
#[derive(Debug, Default)]
pub(super) struct Audit {
    end: Option<[u8; 32]>,
}

impl Audit {
    /// Forgets the end of the chain, which a rollback has moved.
    pub fn clear(&mut self) {
        self.end = None;
    }

    /// Adds a row.
    pub fn add(
        &mut self,
        connection: &Connection,
        at: Timestamp,
        who: &str,
        what: &str,
        item: Option<ItemId>,
    ) -> rusqlite::Result<()> {
        let before = match self.end {
            Some(end) => end,
            None => end_of_chain(connection)?,
        };
        let chain = link(&before, at, who, what, item);
        connection
            .prepare_cached("INSERT INTO log(at_ms, who, what, item, chain) VALUES(?1, ?2, ?3, ?4, ?5)")?
            .execute(params![at.0, who, what, item.map(|item| item.0 as i64), chain])?;
        self.end = Some(chain);
        Ok(())
    }
}

/// The hash of a row after `before`. Lengths go in, so that no two rows read alike.
fn link(before: &[u8; 32], at: Timestamp, who: &str, what: &str, item: Option<ItemId>) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(before);
    hasher.update(&at.0.to_le_bytes());
    for text in [who, what] {
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    }
    hasher.update(&[u8::from(item.is_some())]);
    hasher.update(&item.map_or(0, |item| item.0).to_le_bytes());
    *hasher.finalize().as_bytes()
}

fn end_of_chain(connection: &Connection) -> rusqlite::Result<[u8; 32]> {
    let end = connection
        .prepare_cached("SELECT chain FROM log ORDER BY id DESC LIMIT 1")?
        .query_row([], |row| row.get(0))
        .optional()?;
    Ok(end.unwrap_or([0; 32]))
}

fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<LogEntry> {
    Ok(LogEntry {
        id: row.get::<_, i64>(0)? as u64,
        at: Timestamp(row.get(1)?),
        who: row.get(2)?,
        what: row.get(3)?,
        item: row.get::<_, Option<i64>>(4)?.map(|item| ItemId(item as u64)),
        chain: row.get(5)?,
    })
}

/// At most `limit` rows before `cursor`, newest first.
pub(super) fn page(connection: &Connection, limit: usize, cursor: Option<&Cursor>) -> rusqlite::Result<LogPage> {
    let before = cursor.map_or(i64::MAX, |cursor| cursor.before());
    let entries: Vec<LogEntry> = connection
        .prepare_cached("SELECT id, at_ms, who, what, item, chain FROM log WHERE id < ?1 ORDER BY id DESC LIMIT ?2")?
        .query_map(params![before, limit as i64], read)?
        .collect::<rusqlite::Result<_>>()?;
    let last = entries.last().map_or(1, |entry| entry.id);
    let next = if entries.len() == limit && last > 1 { Some(Cursor::before_id(last)) } else { None };
    Ok(LogPage { entries, next })
}

/// Follows the chain from its first row; `Some` names the first row that does not fit.
pub(super) fn broken(connection: &Connection) -> rusqlite::Result<Option<u64>> {
    let mut statement = connection.prepare_cached("SELECT id, at_ms, who, what, item, chain FROM log ORDER BY id")?;
    let mut rows = statement.query([])?;
    let (mut before, mut expected_id) = ([0; 32], 1);
    while let Some(row) = rows.next()? {
        let entry = read(row)?;
        let chain = link(&before, entry.at, &entry.who, &entry.what, entry.item);
        if entry.id != expected_id || chain != entry.chain {
            return Ok(Some(entry.id));
        }
        (before, expected_id) = (chain, entry.id + 1);
    }
    Ok(None)
}
