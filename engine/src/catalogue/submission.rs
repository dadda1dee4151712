//! Which samples are at the analysis centre, which items wait to get there, and what has waited for how long.
//!
//! 1. A sample has at most one submission at a time; it goes with its sample.
//! 2. The queue and the times of waiting come out of indexes that only hold items that wait: an arrival pays nothing.

use super::change::{Queued, SubmissionRow};
use super::own::Answer;
use model::submission::Stage;
use model::{Blake3, ItemId, SampleId, Sequence, Status, Timestamp};
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, params};

/// Puts a submission in the place of the one before; a sample that is gone gets none.
pub(super) fn put(connection: &Connection, row: &SubmissionRow) -> rusqlite::Result<Answer> {
    let (stage, sequence) = row.stage.code();
    connection
        .prepare_cached(
            "INSERT INTO submission(sample, key, stage, sequence, sent_blake3, sent_bytes, stripped, what, at_ms)
             SELECT id, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9 FROM sample WHERE id = ?1
             ON CONFLICT(sample) DO UPDATE SET key = ?2, stage = ?3, sequence = ?4, sent_blake3 = ?5, sent_bytes = ?6,
               stripped = ?7, what = ?8, at_ms = ?9",
        )?
        .execute(params![
            row.sample.0 as i64,
            row.key,
            stage,
            sequence.0 as i64,
            row.sent_blake3.0,
            row.sent_bytes as i64,
            row.stripped,
            row.what,
            row.at.0,
        ])?;
    Ok(Ok(()))
}

/// Takes a submission out.
pub(super) fn forget(connection: &Connection, sample: SampleId) -> rusqlite::Result<Answer> {
    connection.prepare_cached("DELETE FROM submission WHERE sample = ?1")?.execute(params![sample.0 as i64])?;
    Ok(Ok(()))
}

const COLUMNS: &str = "SELECT sample, key, stage, sequence, sent_blake3, sent_bytes, stripped, what, at_ms";

/// The submission of a sample.
pub(super) fn of_sample(connection: &Connection, sample: SampleId) -> rusqlite::Result<Option<SubmissionRow>> {
    connection
        .prepare_cached(&format!("{COLUMNS} FROM submission WHERE sample = ?1"))?
        .query_row(params![sample.0 as i64], read)
        .optional()
}

/// At most `limit` submissions of samples after `after`, ascending.
pub(super) fn after(connection: &Connection, after: SampleId, limit: usize) -> rusqlite::Result<Vec<SubmissionRow>> {
    connection
        .prepare_cached(&format!("{COLUMNS} FROM submission WHERE sample > ?1 ORDER BY sample LIMIT ?2"))?
        .query_map(params![after.0 as i64, limit as i64], read)?
        .collect()
}

fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<SubmissionRow> {
    let code: u8 = row.get(2)?;
    let stage = Stage::from_code(code, Sequence(row.get::<_, i64>(3)? as u64)).ok_or_else(|| {
        rusqlite::Error::FromSqlConversionFailure(2, Type::Integer, format!("{code} is the code of no stage").into())
    })?;
    Ok(SubmissionRow {
        sample: SampleId(row.get::<_, i64>(0)? as u64),
        key: row.get(1)?,
        stage,
        sent_blake3: Blake3(row.get(4)?),
        sent_bytes: row.get::<_, i64>(5)? as u64,
        stripped: row.get(6)?,
        what: row.get(7)?,
        at: Timestamp(row.get(8)?),
    })
}

/// At most `limit` items that are Submitted, behind `after`: the highest priority first, then the oldest.
pub(super) fn queued(connection: &Connection, after: Option<Queued>, limit: usize) -> rusqlite::Result<Vec<Queued>> {
    let (priority, item) = after.map_or((i64::MAX, 0), |after| (i64::from(after.priority), after.item.0 as i64));
    // The status stands in the text, for only then does SQLite see that the index holds all of them.
    connection
        .prepare_cached(
            "SELECT id, sample, sample_priority FROM item INDEXED BY item_queue
             WHERE status = 1 AND sample_priority <= ?1 AND (sample_priority < ?1 OR id > ?2)
             ORDER BY sample_priority DESC, id LIMIT ?3",
        )?
        .query_map(params![priority, item, limit as i64], |row| {
            Ok(Queued {
                item: ItemId(row.get::<_, i64>(0)? as u64),
                sample: SampleId(row.get::<_, i64>(1)? as u64),
                priority: row.get(2)?,
            })
        })?
        .collect()
}

/// How many items came to `status` in `since..=until` and still are in it, and the first `limit` of them.
pub(super) fn waiting(
    connection: &Connection,
    status: Status,
    since: Timestamp,
    until: Timestamp,
    limit: usize,
) -> rusqlite::Result<(u64, Vec<ItemId>)> {
    // The Quarantined are in no index of their own: arrivals would pay for it. They are few, or nothing is scanned.
    let source = match status {
        // The index's own condition, word for word: SQLite does not see by itself that it follows.
        Status::Submitted | Status::Released | Status::Needed | Status::Available | Status::Distributed => {
            "item_waits WHERE status > 0 AND status < 9 AND status <> 3 AND status <> 4 AND status <> 7 AND"
        }
        _ => "item_status WHERE",
    };
    let code = status.code();
    let all = format!("FROM item INDEXED BY {source} status = {code} AND status_at_ms > ?1 AND status_at_ms <= ?2");
    let count: i64 = connection
        .prepare_cached(&format!("SELECT count(*) {all}"))?
        .query_row(params![since.0, until.0], |row| row.get(0))?;
    if count == 0 {
        return Ok((0, Vec::new()));
    }
    let first = connection
        .prepare_cached(&format!("SELECT id {all} LIMIT ?3"))?
        .query_map(params![since.0, until.0, limit as i64], |row| Ok(ItemId(row.get::<_, i64>(0)? as u64)))?
        .collect::<rusqlite::Result<_>>()?;
    Ok((count as u64, first))
}

/// The highest set that an item needs which is Needed; 0 when none is.
pub(super) fn needed(connection: &Connection) -> rusqlite::Result<Sequence> {
    let needed: Option<i64> = connection
        .prepare_cached("SELECT max(signatures_sequence) FROM item INDEXED BY item_status WHERE status = 5")?
        .query_row([], |row| row.get(0))?;
    Ok(Sequence(needed.unwrap_or(0) as u64))
}
