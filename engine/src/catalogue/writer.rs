//! The one connection that writes. A batch is one transaction: rows, counts, spans and the watermark together.
//!
//! 1. The watermark is never ahead of the rows: both are committed at once.
//! 2. A change whose sequence is at or below the watermark is passed over, so a replay changes nothing.
//! 3. After a failed batch everything remembered from it is forgotten; the file is what it was before.

use super::audit::Audit;
use super::bounds::CatalogueSettings;
use super::change::{Change, Entry, Own};
use super::client;
use super::error::CatalogueError;
use super::names::Names;
use super::own::{self, Answer};
use super::row;
use super::schema;
use super::span::Spans;
use super::submission;
use super::totals::{self, Deltas, Known, Said, Words};
use super::verdict;
use model::{ItemId, Status, Timestamp};
use rusqlite::{CachedStatement, Connection, OptionalExtension, params};
use std::path::{Path, PathBuf};

/// The owner thread's connection and what it remembers between batches.
#[derive(Debug)]
pub(super) struct Writer {
    path: PathBuf,
    connection: Connection,
    names: Names,
    known: Known,
    audit: Audit,
    spans: Spans,
    watermark: u64,
    by_status: [u64; Status::COUNT],
    client_news: u64,
}

impl Writer {
    /// Opens or makes the file.
    ///
    /// # Errors
    /// As [`schema::open_writer`].
    pub fn open(path: &Path, settings: &CatalogueSettings) -> Result<Self, CatalogueError> {
        let connection = schema::open_writer(path, settings)?;
        let (watermark, by_status) = read_state(&connection).map_err(|error| CatalogueError::of(path, &error))?;
        Ok(Self {
            path: path.to_path_buf(),
            connection,
            names: Names::default(),
            known: Known::default(),
            audit: Audit::default(),
            spans: Spans::default(),
            watermark,
            by_status,
            client_news: 0,
        })
    }

    /// The highest log sequence that is committed.
    pub fn watermark(&self) -> u64 {
        self.watermark
    }

    /// Batches with news of clients, since the start.
    pub fn client_news(&self) -> u64 {
        self.client_news
    }

    /// Items by status, as committed.
    pub fn by_status(&self) -> &[u64; Status::COUNT] {
        &self.by_status
    }

    /// Applies changes of the log in one transaction.
    ///
    /// # Errors
    /// All or nothing of the batch is in the file then, as [`Writer::watermark`] says, and it may be tried again.
    pub fn apply(&mut self, changes: &[Change]) -> Result<(), CatalogueError> {
        let mut watermark = self.watermark;
        let mut deltas = Deltas::default();
        let done = self.transaction(|writer| {
            let mut statements = Arrivals::prepare(&writer.connection)?;
            for change in changes {
                // Applied already, in an earlier batch or in this one.
                if change.sequence() <= watermark {
                    continue;
                }
                watermark = change.sequence();
                match change {
                    Change::Arrived(entry) => {
                        let said = Said::by(&entry.arrival, writer.names.words(&writer.connection, &entry.arrival)?);
                        let (client, is_made) = writer.names.client(&writer.connection, &entry.arrival.client, said)?;
                        if is_made {
                            writer.known.keep(client, said);
                        }
                        statements.arrived(&writer.connection, &mut writer.names, entry, client, said.words)?;
                        writer.spans.add(&writer.connection, entry.item.0 as i64, entry.arrival.received_at_ms)?;
                        deltas.came(Status::Quarantined, client, entry.raw.0 as i64);
                        deltas.seen(client, entry.arrival.received_at_ms, said);
                    }
                    Change::Deleted { items, at_ms, who, .. } => {
                        for item in items {
                            if let Some((status, client, raw_bytes)) = delete(&writer.connection, *item)? {
                                deltas.went(status, client, raw_bytes);
                                let at = Timestamp(*at_ms);
                                writer.audit.add(&writer.connection, at, who, "deleted", Some(*item))?;
                            }
                        }
                    }
                    Change::Passed { .. } => {}
                }
            }
            deltas.write(&writer.connection, &mut writer.known)?;
            writer.spans.write(&writer.connection)?;
            writer
                .connection
                .prepare_cached("UPDATE meta SET value = ?1 WHERE key = 'watermark'")?
                .execute(params![watermark as i64])?;
            Ok(())
        });
        if done.is_ok() {
            self.watermark = watermark;
            self.count(&deltas);
        }
        done
    }

    /// Applies changes of the catalogue's own in one transaction that is on disk when this returns. Each has its own
    /// answer; a refused one changes nothing and does not hold up the others.
    ///
    /// # Errors
    /// All or nothing of the batch is in the file then.
    pub fn apply_own(&mut self, changes: &[Own]) -> Result<Vec<Answer>, CatalogueError> {
        let mut deltas = Deltas::default();
        let mut answers = Vec::with_capacity(changes.len());
        self.synchronous("FULL")?;
        let done = self.transaction(|writer| {
            for change in changes {
                let (connection, audit) = (&writer.connection, &mut writer.audit);
                answers.push(match change {
                    Own::Status(change) => {
                        own::change_status(connection, audit, &mut writer.names, change, &mut deltas)?
                    }
                    Own::Note(note) => own::note(connection, note)?,
                    Own::Setting(setting) => own::set(connection, audit, setting)?,
                    Own::ItemVerdict { item, verdict } => {
                        own::set_item_verdict(connection, &mut writer.names, *item, verdict)?
                    }
                    Own::Verdict(sample) => verdict::put(connection, &mut writer.names, sample)?,
                    Own::Unsettled(sample) => verdict::unsettle(connection, *sample)?,
                    Own::Settled(looked_at) => verdict::settled(connection, *looked_at)?,
                    Own::Submission(row) => submission::put(connection, row)?,
                    Own::SubmissionGone(sample) => submission::forget(connection, *sample)?,
                    Own::Mark { name, value } => own::mark(connection, name, *value)?,
                    Own::StripOverride { item, strip } => own::set_strip_override(connection, *item, *strip)?,
                    Own::Client(edit) => {
                        // Its row may say something else now than is remembered.
                        writer.known.clear();
                        client::edit(connection, audit, &mut writer.names, edit)?
                    }
                    Own::Shelf { number, sequence } => verdict::put_shelf(connection, *number, *sequence)?,
                    Own::ShelfGone(number) => verdict::forget_shelf(connection, *number)?,
                    Own::Logged { at, who, what } => {
                        audit.add(connection, *at, who, what, None)?;
                        Ok(())
                    }
                });
            }
            deltas.write(&writer.connection, &mut writer.known)
        });
        self.synchronous("NORMAL")?;
        done?;
        self.count(&deltas);
        Ok(answers)
    }

    /// Sets the bound on the file.
    pub fn allow_pages(&self, pages_max: u32) -> Result<(), CatalogueError> {
        schema::set_pages_max(&self.connection, pages_max).map_err(|error| CatalogueError::of(&self.path, &error))
    }

    /// Copies the write-ahead log into the file as far as no reader stands in the way, and waits for nobody.
    pub fn checkpoint(&self) -> Result<(), CatalogueError> {
        self.copy("PRAGMA wal_checkpoint(PASSIVE)")
    }

    /// Copies the write-ahead log into the file and empties it, waiting for readers a few seconds.
    pub fn close(&self) -> Result<(), CatalogueError> {
        self.copy("PRAGMA wal_checkpoint(TRUNCATE)")
    }

    fn copy(&self, pragma: &str) -> Result<(), CatalogueError> {
        self.connection.query_row(pragma, [], |_| Ok(())).map_err(|error| CatalogueError::of(&self.path, &error))
    }

    /// Gives the memory of the page cache back.
    pub fn shrink(&self) -> Result<(), CatalogueError> {
        self.connection.execute_batch("PRAGMA shrink_memory").map_err(|error| CatalogueError::of(&self.path, &error))
    }

    fn synchronous(&self, level: &str) -> Result<(), CatalogueError> {
        self.connection
            .pragma_update(None, "synchronous", level)
            .map_err(|error| CatalogueError::of(&self.path, &error))
    }

    fn count(&mut self, deltas: &Deltas) {
        self.client_news += u64::from(deltas.has_news());
        for (count, delta) in self.by_status.iter_mut().zip(deltas.by_status()) {
            *count = count.saturating_add_signed(*delta);
        }
    }

    /// Runs `work` in a transaction; after a failure nothing is remembered but what the file says.
    fn transaction(&mut self, work: impl FnOnce(&mut Self) -> rusqlite::Result<()>) -> Result<(), CatalogueError> {
        let done = self
            .connection
            .execute_batch("BEGIN IMMEDIATE")
            .and_then(|()| work(self))
            .and_then(|()| self.connection.execute_batch("COMMIT"));
        done.map_err(|error| {
            // SQLite may have rolled back by itself; then there is nothing to roll back, which is as good.
            if !self.connection.is_autocommit() {
                let _ = self.connection.execute_batch("ROLLBACK");
            }
            self.names.clear();
            self.known.clear();
            self.audit.clear();
            self.spans.clear();
            // A commit also reports a checkpoint that failed after it, so the batch may be in the file. Only the file
            // knows; where it cannot be read, the next batch fails as well.
            if let Ok((watermark, by_status)) = read_state(&self.connection) {
                (self.watermark, self.by_status) = (watermark, by_status);
            }
            CatalogueError::of(&self.path, &error)
        })
    }
}

/// The hot statements, looked up once a batch.
struct Arrivals<'c> {
    sample: CachedStatement<'c>,
    item: CachedStatement<'c>,
}

impl<'c> Arrivals<'c> {
    fn prepare(connection: &'c Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            sample: connection.prepare_cached(
                "INSERT OR IGNORE INTO sample(id, blake3, sha256, raw_bytes, stored_bytes) VALUES(?1, ?2, ?3, ?4, ?5)",
            )?,
            item: connection.prepare_cached(
                "INSERT INTO item(id, sample, client, status, flags, platform, parent_server, reason,
                   definitions_sequence, received_at_ms, name, received_priority, basis, send_again_count,
                   verdict_sequence, sample_priority,
                   date_submitted_ms, date_analysis_finished_ms, signatures_priority, signatures_sequence,
                   date_sample_finished_ms, status_at_ms)
                 VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, 0, 0, 0, ?12, 0, 0, 0, 0, 0, ?10)",
            )?,
        })
    }

    fn arrived(
        &mut self,
        connection: &Connection,
        names: &mut Names,
        entry: &Entry,
        client: i64,
        words: Words,
    ) -> rusqlite::Result<()> {
        let arrival = &entry.arrival;
        let reason = names.word(connection, &arrival.reason)?;
        // The sample's row is also made by a duplicate, for the last item of a sample takes the row with it, and a
        // duplicate may have been on its way then.
        self.sample.execute(params![
            entry.sample.0 as i64,
            entry.blake3.0,
            entry.sha256.0,
            entry.raw.0 as i64,
            entry.stored.0 as i64
        ])?;
        self.item.execute(params![
            entry.item.0 as i64,
            entry.sample.0 as i64,
            client,
            Status::Quarantined.code(),
            row::flags(arrival),
            words.platform,
            words.parent_server,
            reason,
            arrival.definitions_sequence.0 as i64,
            arrival.received_at_ms,
            arrival.name,
            arrival.sample_priority,
        ])?;
        Ok(())
    }
}

/// Takes out an item with all that belongs to it, and its sample when it was the last; what it counted for, or `None`
/// when there is no such item.
fn delete(connection: &Connection, item: ItemId) -> rusqlite::Result<Option<(Status, i64, i64)>> {
    let id = item.0 as i64;
    let found: Option<(u8, i64, i64, i64)> = connection
        .prepare_cached(
            "SELECT i.status, i.client, i.sample, s.raw_bytes FROM item i JOIN sample s ON s.id = i.sample WHERE i.id = ?1",
        )?
        .query_row(params![id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
        .optional()?;
    let Some((status, client, sample, raw_bytes)) = found else { return Ok(None) };
    for table in
        ["DELETE FROM item WHERE id = ?1", "DELETE FROM note WHERE item = ?1", "DELETE FROM detection WHERE item = ?1"]
    {
        connection.prepare_cached(table)?.execute(params![id])?;
    }
    connection
        .prepare_cached(
            "DELETE FROM sample WHERE id = ?1 AND NOT EXISTS(SELECT 1 FROM item INDEXED BY item_sample WHERE sample = ?1)",
        )?
        .execute(params![sample])?;
    if connection.changes() > 0 {
        verdict::forget(connection, sample)?;
    }
    Ok(Some((row::status(status)?, client, raw_bytes)))
}

fn read_state(connection: &Connection) -> rusqlite::Result<(u64, [u64; Status::COUNT])> {
    let watermark: i64 =
        connection.query_row("SELECT value FROM meta WHERE key = 'watermark'", [], |row| row.get(0))?;
    Ok((watermark as u64, totals::read_by_status(connection)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_that_fails_after_the_fact_is_not_applied_again() {
        let directory = tempfile::tempdir().unwrap();
        let mut writer = Writer::open(&directory.path().join("c"), &CatalogueSettings::default()).unwrap();
        let failed = writer.transaction(|writer| {
            writer.connection.execute("UPDATE meta SET value = 3 WHERE key = 'watermark'", [])?;
            writer.connection.execute_batch("COMMIT")?;
            Err(rusqlite::Error::InvalidQuery)
        });
        assert!(failed.is_err());
        assert_eq!(writer.watermark(), 3);
        writer.apply(&[Change::Passed { sequence: 2 }, Change::Passed { sequence: 4 }]).unwrap();
        assert_eq!(writer.watermark(), 4);
    }
}
