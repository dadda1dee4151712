//! Counts everything that is kept and compares; follows the audit chain. Slow: it reads every row.

use super::audit;
use super::totals;
use model::Status;
use rusqlite::Connection;

/// What does not fit, one sentence each; empty when all is well.
pub(super) fn check(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut wrong = Vec::new();
    let kept = totals::read_by_status(connection)?;
    let mut counted = [0_u64; Status::COUNT];
    let mut strange = 0_u64;
    let mut statement = connection.prepare("SELECT status, count(*) FROM item NOT INDEXED GROUP BY status")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (code, items): (i64, i64) = (row.get(0)?, row.get(1)?);
        match usize::try_from(code).ok().and_then(|code| counted.get_mut(code)) {
            Some(count) => *count = items as u64,
            None => strange += items as u64,
        }
    }
    if strange > 0 {
        wrong.push(format!("{strange} items have a status that does not exist"));
    }
    for status in Status::ALL {
        let (kept, counted) = (kept[usize::from(status.code())], counted[usize::from(status.code())]);
        if kept != counted {
            wrong.push(format!("{kept} items are kept as {status}, {counted} are counted"));
        }
    }
    for (what, sql) in [
        (
            "clients whose usage is not the sum of their items",
            "SELECT count(*) FROM client c LEFT JOIN
               (SELECT i.client AS id, count(*) AS items, sum(s.raw_bytes) AS raw_bytes
                FROM item i JOIN sample s ON s.id = i.sample GROUP BY i.client) u USING(id)
             WHERE c.items <> coalesce(u.items, 0) OR c.raw_bytes <> coalesce(u.raw_bytes, 0)",
        ),
        ("items without a sample", "SELECT count(*) FROM item WHERE sample NOT IN (SELECT id FROM sample)"),
        ("samples without an item", "SELECT count(*) FROM sample WHERE id NOT IN (SELECT sample FROM item)"),
        (
            "verdicts or findings without a sample",
            "SELECT (SELECT count(*) FROM verdict WHERE sample NOT IN (SELECT id FROM sample))
               + (SELECT count(*) FROM finding WHERE sample NOT IN (SELECT id FROM sample))",
        ),
        ("submissions without a sample", "SELECT count(*) FROM submission WHERE sample NOT IN (SELECT id FROM sample)"),
        ("notes without an item", "SELECT count(*) FROM note WHERE item NOT IN (SELECT id FROM item)"),
        (
            "items above the watermark",
            "SELECT count(*) FROM item WHERE id > (SELECT value FROM meta WHERE key = 'watermark')",
        ),
    ] {
        let count: i64 = connection.query_row(sql, [], |row| row.get(0))?;
        if count > 0 {
            wrong.push(format!("there are {count} {what}"));
        }
    }
    if let Some(row) = audit::broken(connection)? {
        wrong.push(format!("the log's chain breaks at row {row}"));
    }
    Ok(wrong)
}
