//! Texts that repeat are stored once and named by a number; the empty text is 0 and stored never.

use super::bounds::NAMES_MAX;
use super::totals::{Said, Words};
use model::Arrival;
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

    /// The number of a client, a new one when it was never seen, and whether it is new; a new one begins with what is said
    /// of it.
    pub fn client(&mut self, connection: &Connection, name: &str, said: Said) -> rusqlite::Result<(i64, bool)> {
        let mut is_made = false;
        let client = number(
            &mut self.clients,
            name,
            || connection.prepare_cached("SELECT id FROM client WHERE name = ?1"),
            || {
                is_made = true;
                let Said { managed, words, sequence } = said;
                connection
                    .prepare_cached(
                        "INSERT INTO client(name, managed, platform, parent_server, sequence) VALUES(?1, ?2, ?3, ?4, ?5)",
                    )?
                    .execute(params![name, managed, words.platform, words.parent_server, sequence.0 as i64])?;
                Ok(connection.last_insert_rowid())
            },
        )?;
        Ok((client, is_made))
    }

    /// The numbers of an arrival's texts about its client.
    pub fn words(&mut self, connection: &Connection, arrival: &Arrival) -> rusqlite::Result<Words> {
        Ok(Words {
            platform: self.word(connection, &arrival.platform)?,
            parent_server: self.word(connection, &arrival.parent_server)?,
        })
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
