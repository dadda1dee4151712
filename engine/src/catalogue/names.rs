//! Texts that repeat are stored once and named by a number; the empty text is 0 and stored never.

use super::bounds::NAMES_MAX;
use rusqlite::{CachedStatement, Connection, OptionalExtension, params};
use std::collections::HashMap;

/// The numbers that the writer remembers; forgetting one costs a look-up.
#[derive(Debug, Default)]
pub(super) struct Names {
    clients: HashMap<String, i64>,
    words: HashMap<String, i64>,
}

impl Names {
    /// Forgets all: after a rollback a number may have been given to another text.
    pub fn clear(&mut self) {
        self.clients.clear();
        self.words.clear();
    }

    /// The number of a client, a new one when it was never seen.
    pub fn client(&mut self, connection: &Connection, name: &str) -> rusqlite::Result<i64> {
        number(
            &mut self.clients,
            name,
            || connection.prepare_cached("SELECT id FROM client WHERE name = ?1"),
            || {
                connection.prepare_cached("INSERT INTO client(name) VALUES(?1)")?.execute(params![name])?;
                Ok(connection.last_insert_rowid())
            },
        )
    }

    /// The number of a platform, reason, parent server or signature; 0 for the empty text.
    pub fn word(&mut self, connection: &Connection, text: &str) -> rusqlite::Result<i64> {
        if text.is_empty() {
            return Ok(0);
        }
        number(
            &mut self.words,
            text,
            || connection.prepare_cached("SELECT id FROM word WHERE text = ?1"),
            || {
                connection.prepare_cached("INSERT INTO word(text) VALUES(?1)")?.execute(params![text])?;
                Ok(connection.last_insert_rowid())
            },
        )
    }
}

fn number<'c>(
    known: &mut HashMap<String, i64>,
    text: &str,
    find: impl FnOnce() -> rusqlite::Result<CachedStatement<'c>>,
    insert: impl FnOnce() -> rusqlite::Result<i64>,
) -> rusqlite::Result<i64> {
    if let Some(number) = known.get(text) {
        return Ok(*number);
    }
    let found = find()?.query_row(params![text], |row| row.get(0)).optional()?;
    let number = match found {
        Some(number) => number,
        None => insert()?,
    };
    if known.len() >= NAMES_MAX {
        known.clear();
    }
    known.insert(text.to_owned(), number);
    Ok(number)
}
