//! What scans found in samples, and what is left to do because of it.
//!
//! 1. A verdict belongs to a sample; its items show it. However many items share a sample, it is kept once.
//! 2. Findings that do not count are kept: what removing an allowance changes could not be said without them.
//! 3. A sample whose findings changed is unsettled in the same transaction, so that a kill between the change and its
//!    items' statuses loses neither.
//! 4. A verdict goes with its sample.

use super::change::{Found, SampleRow, SampleVerdict, Unsettled};
use super::names::Names;
use super::own::Answer;
use model::{Blake3, ItemId, RawBytes, SampleId, Sequence};
use rusqlite::{Connection, OptionalExtension, params};

/// Puts a verdict in the place of the one before; a sample that is gone gets none.
pub(super) fn put(connection: &Connection, names: &mut Names, verdict: &SampleVerdict) -> rusqlite::Result<Answer> {
    let sample = verdict.sample.0 as i64;
    let rows = connection
        .prepare_cached(
            "INSERT INTO verdict(sample, sequence) SELECT id, ?2 FROM sample WHERE id = ?1
             ON CONFLICT(sample) DO UPDATE SET sequence = ?2",
        )?
        .execute(params![sample, verdict.sequence.0 as i64])?;
    if rows == 0 {
        return Ok(Ok(()));
    }
    connection.prepare_cached("DELETE FROM finding WHERE sample = ?1")?.execute(params![sample])?;
    for found in &verdict.findings {
        let signature = names.word(connection, &found.signature)?;
        connection
            .prepare_cached(
                "INSERT OR IGNORE INTO finding(signature, sample, allowed, sequence) VALUES(?1, ?2, ?3, ?4)",
            )?
            .execute(params![signature, sample, found.allowed, found.sequence.0 as i64])?;
    }
    Ok(Ok(()))
}

/// Takes out what belongs to a sample that is gone.
pub(super) fn forget(connection: &Connection, sample: i64) -> rusqlite::Result<()> {
    for table in [
        "DELETE FROM verdict WHERE sample = ?1",
        "DELETE FROM finding WHERE sample = ?1",
        "DELETE FROM unsettled WHERE sample = ?1",
        "DELETE FROM submission WHERE sample = ?1",
    ] {
        connection.prepare_cached(table)?.execute(params![sample])?;
    }
    Ok(())
}

/// Marks a sample whose items are to be looked at.
pub(super) fn unsettle(connection: &Connection, sample: SampleId) -> rusqlite::Result<Answer> {
    connection
        .prepare_cached(
            "INSERT INTO unsettled(sample, stamp) SELECT id, random() FROM sample WHERE id = ?1
             ON CONFLICT(sample) DO UPDATE SET stamp = excluded.stamp",
        )?
        .execute(params![sample.0 as i64])?;
    Ok(Ok(()))
}

/// Takes the mark away, unless there is another by now.
pub(super) fn settled(connection: &Connection, looked_at: Unsettled) -> rusqlite::Result<Answer> {
    connection
        .prepare_cached("DELETE FROM unsettled WHERE sample = ?1 AND stamp = ?2")?
        .execute(params![looked_at.sample.0 as i64, looked_at.stamp])?;
    Ok(Ok(()))
}

/// Moves the watermark of a shelf.
pub(super) fn put_shelf(connection: &Connection, number: u64, sequence: Sequence) -> rusqlite::Result<Answer> {
    connection
        .prepare_cached(
            "INSERT INTO shelf(number, sequence) VALUES(?1, ?2) ON CONFLICT(number) DO UPDATE SET sequence = ?2",
        )?
        .execute(params![number as i64, sequence.0 as i64])?;
    Ok(Ok(()))
}

/// Forgets a shelf.
pub(super) fn forget_shelf(connection: &Connection, number: u64) -> rusqlite::Result<Answer> {
    connection.prepare_cached("DELETE FROM shelf WHERE number = ?1")?.execute(params![number as i64])?;
    Ok(Ok(()))
}

/// A sample's verdict, its findings by name; `None` before its first scan.
pub(super) fn of_sample(connection: &Connection, sample: SampleId) -> rusqlite::Result<Option<SampleVerdict>> {
    let id = sample.0 as i64;
    let sequence: Option<i64> = connection
        .prepare_cached("SELECT sequence FROM verdict WHERE sample = ?1")?
        .query_row(params![id], |row| row.get(0))
        .optional()?;
    let Some(sequence) = sequence else { return Ok(None) };
    let findings = connection
        .prepare_cached(
            "SELECT w.text, f.allowed, f.sequence FROM finding f JOIN word w ON w.id = f.signature
             WHERE f.sample = ?1 ORDER BY w.text",
        )?
        .query_map(params![id], |row| {
            Ok(Found { signature: row.get(0)?, allowed: row.get(1)?, sequence: Sequence(row.get::<_, i64>(2)? as u64) })
        })?
        .collect::<rusqlite::Result<_>>()?;
    Ok(Some(SampleVerdict { sample, sequence: Sequence(sequence as u64), findings }))
}

/// Samples in which a signature was found, whether it counts or not, ascending.
pub(super) fn samples_with(connection: &Connection, signature: &str) -> rusqlite::Result<Vec<SampleId>> {
    ids(
        connection
            .prepare_cached(
                "SELECT f.sample FROM word w JOIN finding f ON f.signature = w.id WHERE w.text = ?1 ORDER BY f.sample",
            )?
            .query_map(params![signature], |row| row.get::<_, i64>(0))?,
        SampleId,
    )
}

/// Every signature that something was found by, ascending.
pub(super) fn signatures_found(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    connection
        .prepare_cached(
            // From one signature to the next in the index: what is found by one costs nothing more.
            "WITH RECURSIVE each(id) AS (
               SELECT min(signature) FROM finding
               UNION ALL SELECT (SELECT min(signature) FROM finding WHERE signature > each.id) FROM each WHERE each.id IS NOT NULL)
             SELECT w.text FROM each JOIN word w ON w.id = each.id ORDER BY w.text",
        )?
        .query_map([], |row| row.get(0))?
        .collect()
}

/// At most `limit` samples after `after`, ascending.
pub(super) fn samples_after(
    connection: &Connection,
    after: SampleId,
    limit: usize,
) -> rusqlite::Result<Vec<SampleRow>> {
    connection
        .prepare_cached(
            "SELECT s.id, s.blake3, s.raw_bytes, coalesce(v.sequence, 0)
             FROM sample s LEFT JOIN verdict v ON v.sample = s.id WHERE s.id > ?1 ORDER BY s.id LIMIT ?2",
        )?
        .query_map(params![after.0 as i64, limit as i64], |row| {
            Ok(SampleRow {
                sample: SampleId(row.get::<_, i64>(0)? as u64),
                blake3: Blake3(row.get(1)?),
                raw: RawBytes(row.get::<_, i64>(2)? as u64),
                sequence: Sequence(row.get::<_, i64>(3)? as u64),
            })
        })?
        .collect()
}

/// At most `limit` samples whose items are to be looked at.
pub(super) fn unsettled(connection: &Connection, limit: usize) -> rusqlite::Result<Vec<Unsettled>> {
    connection
        .prepare_cached("SELECT sample, stamp FROM unsettled ORDER BY sample LIMIT ?1")?
        .query_map(params![limit as i64], |row| {
            Ok(Unsettled { sample: SampleId(row.get::<_, i64>(0)? as u64), stamp: row.get(1)? })
        })?
        .collect()
}

/// At most `limit` items of a sample after `after`, ascending.
pub(super) fn items_of(
    connection: &Connection,
    sample: SampleId,
    after: ItemId,
    limit: usize,
) -> rusqlite::Result<Vec<ItemId>> {
    ids(
        connection
            .prepare_cached(
                "SELECT id FROM item INDEXED BY item_sample WHERE sample = ?1 AND id > ?2 ORDER BY id LIMIT ?3",
            )?
            .query_map(params![sample.0 as i64, after.0 as i64, limit as i64], |row| row.get::<_, i64>(0))?,
        ItemId,
    )
}

/// The watermarks of all shelves.
pub(super) fn shelves(connection: &Connection) -> rusqlite::Result<Vec<(u64, Sequence)>> {
    connection
        .prepare_cached("SELECT number, sequence FROM shelf ORDER BY number")?
        .query_map([], |row| Ok((row.get::<_, i64>(0)? as u64, Sequence(row.get::<_, i64>(1)? as u64))))?
        .collect()
}

fn ids<T>(rows: impl Iterator<Item = rusqlite::Result<i64>>, made: impl Fn(u64) -> T) -> rusqlite::Result<Vec<T>> {
    rows.map(|id| id.map(|id| made(id as u64))).collect()
}
