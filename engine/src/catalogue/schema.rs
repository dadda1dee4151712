//! The tables, and how a connection is set up.
//!
//! 1. No index holds a digest: a unique one cut inserts to a quarter. The dedupe index knows digests, a sample has a
//!    small integer here.
//! 2. Every index ends in the row id, so each gives its rows newest first without sorting.
//! 3. Sequences and times are 64-bit integers; a sequence that a client made up may wrap negative and reads back whole.

use super::bounds::{CHECKPOINT_PAGES, CatalogueSettings, JOURNAL_BYTES_MAX};
use super::error::CatalogueError;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use std::path::Path;

/// The layout of the tables below; it changes with any of them.
const LAYOUT: i64 = 3;

/// "LZRT": tells our file from any other SQLite file.
const APPLICATION_ID: i64 = 0x4c5a_5254;

const TABLES: &str = "
CREATE TABLE meta(key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO meta VALUES('watermark', 0);

CREATE TABLE total(status INTEGER PRIMARY KEY, items INTEGER NOT NULL);

CREATE TABLE client(
  id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,
  items INTEGER NOT NULL DEFAULT 0, raw_bytes INTEGER NOT NULL DEFAULT 0,
  seen_at_ms INTEGER NOT NULL DEFAULT 0, managed INTEGER NOT NULL DEFAULT 0, platform INTEGER NOT NULL DEFAULT 0,
  parent_server INTEGER NOT NULL DEFAULT 0, sequence INTEGER NOT NULL DEFAULT 0,
  managed_set INTEGER, parent_server_set INTEGER);

CREATE TABLE word(id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);

CREATE TABLE sample(
  id INTEGER PRIMARY KEY, blake3 BLOB NOT NULL, sha256 BLOB NOT NULL,
  raw_bytes INTEGER NOT NULL, stored_bytes INTEGER NOT NULL);

CREATE TABLE item(
  id INTEGER PRIMARY KEY, sample INTEGER NOT NULL, client INTEGER NOT NULL, status INTEGER NOT NULL,
  flags INTEGER NOT NULL, platform INTEGER NOT NULL, parent_server INTEGER NOT NULL, reason INTEGER NOT NULL,
  definitions_sequence INTEGER NOT NULL, received_at_ms INTEGER NOT NULL, name TEXT NOT NULL,
  received_priority INTEGER NOT NULL, priority_override INTEGER, basis INTEGER NOT NULL,
  send_again_count INTEGER NOT NULL, verdict_sequence INTEGER NOT NULL,
  sample_priority INTEGER NOT NULL, date_submitted_ms INTEGER NOT NULL, date_analysis_finished_ms INTEGER NOT NULL,
  signatures_priority INTEGER NOT NULL, signatures_sequence INTEGER NOT NULL, date_sample_finished_ms INTEGER NOT NULL,
  status_at_ms INTEGER NOT NULL, strip_override INTEGER);
CREATE INDEX item_status ON item(status);
CREATE INDEX item_client ON item(client, status);
CREATE INDEX item_sample ON item(sample);
-- Those that wait for something, by how long; and the queue for the gateway. Neither costs an arrival more than a look at
-- its status: written with IN, SQLite would make a table of the list for each, and so the first condition tells it apart.
CREATE INDEX item_waits ON item(status, status_at_ms)
  WHERE status > 0 AND status < 9 AND status <> 3 AND status <> 4 AND status <> 7;
CREATE INDEX item_queue ON item(sample_priority DESC) WHERE status = 1;

CREATE TABLE span(
  first INTEGER PRIMARY KEY, last INTEGER NOT NULL, at_ms_min INTEGER NOT NULL, at_ms_max INTEGER NOT NULL);

CREATE TABLE note(
  item INTEGER NOT NULL, number INTEGER NOT NULL, kind INTEGER NOT NULL, at_ms INTEGER NOT NULL,
  who TEXT NOT NULL, what TEXT NOT NULL, PRIMARY KEY(item, number)) WITHOUT ROWID;

CREATE TABLE detection(
  signature INTEGER NOT NULL, item INTEGER NOT NULL, PRIMARY KEY(signature, item)) WITHOUT ROWID;
CREATE INDEX detection_item ON detection(item);

CREATE TABLE verdict(sample INTEGER PRIMARY KEY, sequence INTEGER NOT NULL);

CREATE TABLE finding(
  signature INTEGER NOT NULL, sample INTEGER NOT NULL, allowed INTEGER NOT NULL, sequence INTEGER NOT NULL,
  PRIMARY KEY(signature, sample)) WITHOUT ROWID;
CREATE INDEX finding_sample ON finding(sample);

CREATE TABLE unsettled(sample INTEGER PRIMARY KEY, stamp INTEGER NOT NULL);

CREATE TABLE submission(
  sample INTEGER PRIMARY KEY, key TEXT NOT NULL, stage INTEGER NOT NULL, sequence INTEGER NOT NULL,
  sent_blake3 BLOB NOT NULL, sent_bytes INTEGER NOT NULL, stripped TEXT NOT NULL, what TEXT NOT NULL,
  at_ms INTEGER NOT NULL);

CREATE TABLE shelf(number INTEGER PRIMARY KEY, sequence INTEGER NOT NULL);

CREATE TABLE mark(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;

CREATE TABLE setting(
  key TEXT PRIMARY KEY, json TEXT NOT NULL, who TEXT NOT NULL, at_ms INTEGER NOT NULL) WITHOUT ROWID;

CREATE TABLE log(
  id INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, who TEXT NOT NULL, what TEXT NOT NULL, item INTEGER,
  chain BLOB NOT NULL);
";

/// Opens the writer's connection, making the file and its tables when they are not there.
///
/// # Errors
/// The file is damaged, no catalogue, of another layout, or cannot be written.
pub(super) fn open_writer(path: &Path, settings: &CatalogueSettings) -> Result<Connection, CatalogueError> {
    let connection = prepare(path, settings).map_err(|error| CatalogueError::of(path, &error))?;
    let found = layout(&connection).map_err(|error| CatalogueError::of(path, &error))?;
    match found {
        None => create(&connection).map_err(|error| CatalogueError::of(path, &error))?,
        Some(LAYOUT) => {}
        Some(found) => return Err(CatalogueError::Layout { path: path.to_path_buf(), found, expected: LAYOUT }),
    }
    Ok(connection)
}

fn prepare(path: &Path, settings: &CatalogueSettings) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    keep_plans(&connection)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "foreign_keys", false)?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    connection.pragma_update(None, "journal_size_limit", JOURNAL_BYTES_MAX)?;
    set_cache(&connection, settings.writer_cache_bytes)?;
    set_pages_max(&connection, settings.pages_max)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

/// Opens a connection that can only read. The writer must be open.
pub(super) fn open_reader(path: &Path, cache_bytes: usize) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    keep_plans(&connection)?;
    set_cache(&connection, cache_bytes)?;
    connection.set_prepared_statement_cache_capacity(32);
    Ok(connection)
}

/// Keeps a prepared statement's plan whatever is bound to it. Without this SQLite, as it is built here, compiles a
/// statement anew for every binding that could change the plan: 25 to 50 us where the answer takes 3.
fn keep_plans(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

fn set_cache(connection: &Connection, bytes: usize) -> rusqlite::Result<()> {
    // A negative number is a size in KiB.
    connection.pragma_update(None, "cache_size", -((bytes >> 10) as i64))
}

/// Bounds the file, 0 for the most that SQLite can do.
pub(super) fn set_pages_max(connection: &Connection, pages_max: u32) -> rusqlite::Result<()> {
    let pages = if pages_max == 0 { 4_294_967_294 } else { i64::from(pages_max) };
    connection.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))
}

/// The layout of the file, `None` for an empty one.
fn layout(connection: &Connection) -> rusqlite::Result<Option<i64>> {
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if tables == 0 {
        return Ok(None);
    }
    let application: i64 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let layout: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    // Another program's file has a layout that we never write.
    Ok(Some(if application == APPLICATION_ID { layout } else { 0 }))
}

fn create(connection: &Connection) -> rusqlite::Result<()> {
    let transaction = connection.unchecked_transaction()?;
    transaction.execute_batch(TABLES)?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", LAYOUT)?;
    transaction.commit()
}
