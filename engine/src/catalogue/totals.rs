//! Counts that are kept instead of counted: items by status, items and bytes by client. A batch gathers what it adds
//! and writes it once, in the same transaction as its rows.

use model::Status;
use rusqlite::{Connection, params};
use std::collections::HashMap;

/// What a batch adds to the counts.
#[derive(Debug, Default)]
pub(super) struct Deltas {
    by_status: [i64; Status::COUNT],
    by_client: HashMap<i64, (i64, i64)>,
}

impl Deltas {
    /// An item of `client` with `raw_bytes` is here now, in `status`.
    pub fn came(&mut self, status: Status, client: i64, raw_bytes: i64) {
        self.count(status, client, 1, raw_bytes);
    }

    /// It is here no longer.
    pub fn went(&mut self, status: Status, client: i64, raw_bytes: i64) {
        self.count(status, client, -1, -raw_bytes);
    }

    /// An item changed its status.
    pub fn moved(&mut self, from: Status, to: Status) {
        self.by_status[usize::from(from.code())] -= 1;
        self.by_status[usize::from(to.code())] += 1;
    }

    fn count(&mut self, status: Status, client: i64, items: i64, raw_bytes: i64) {
        self.by_status[usize::from(status.code())] += items;
        let usage = self.by_client.entry(client).or_default();
        usage.0 += items;
        usage.1 += raw_bytes;
    }

    /// Writes all of it, inside the batch's transaction.
    pub fn write(&self, connection: &Connection) -> rusqlite::Result<()> {
        let mut total = connection.prepare_cached(
            "INSERT INTO total(status, items) VALUES(?1, ?2) ON CONFLICT(status) DO UPDATE SET items = items + ?2",
        )?;
        for (status, items) in self.by_status.iter().enumerate().filter(|(_, items)| **items != 0) {
            total.execute(params![status as i64, items])?;
        }
        let mut usage = connection
            .prepare_cached("UPDATE client SET items = items + ?2, raw_bytes = raw_bytes + ?3 WHERE id = ?1")?;
        for (client, (items, raw_bytes)) in &self.by_client {
            usage.execute(params![client, items, raw_bytes])?;
        }
        Ok(())
    }

    /// What this batch adds to each status.
    pub fn by_status(&self) -> &[i64; Status::COUNT] {
        &self.by_status
    }
}

/// The counts by status, as the file has them.
pub(super) fn read_by_status(connection: &Connection) -> rusqlite::Result<[u64; Status::COUNT]> {
    let mut counts = [0; Status::COUNT];
    let mut statement = connection.prepare_cached("SELECT status, items FROM total")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let code: i64 = row.get(0)?;
        if let Some(count) = usize::try_from(code).ok().and_then(|code| counts.get_mut(code)) {
            *count = row.get::<_, i64>(1)? as u64;
        }
    }
    Ok(counts)
}
