//! Counts that are kept instead of counted: items by status, items and bytes by client. A batch gathers what it adds
//! and writes it once, in the same transaction as its rows.

use model::{Arrival, Sequence, Status};
use rusqlite::{Connection, params};
use std::collections::HashMap;

/// What a batch adds to the counts.
#[derive(Debug, Default)]
pub(super) struct Deltas {
    by_status: [i64; Status::COUNT],
    by_client: HashMap<i64, (i64, i64)>,
    seen: HashMap<i64, Seen>,
    /// Some of what was seen is news of a client that has sent something before.
    news: bool,
}

/// The numbers of an arrival's texts.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Words {
    pub platform: i64,
    pub parent_server: i64,
}

/// What the arrivals of a batch say about their client; what they leave open stays as it was.
#[derive(Debug, Default)]
struct Seen {
    at_ms: i64,
    managed: bool,
    words: Words,
    sequence: Sequence,
}

impl Deltas {
    /// An item of `client` with `raw_bytes` is here now, in `status`.
    pub fn came(&mut self, status: Status, client: i64, raw_bytes: i64) {
        self.count(status, client, 1, raw_bytes);
    }

    /// What an arrival says about its client: the last one wins, except that a client once managed stays so.
    pub fn seen(&mut self, client: i64, arrival: &Arrival, words: Words) {
        let seen = self.seen.entry(client).or_default();
        seen.at_ms = seen.at_ms.max(arrival.received_at_ms);
        seen.managed |= arrival.managed;
        for (kept, new) in
            [(&mut seen.words.platform, words.platform), (&mut seen.words.parent_server, words.parent_server)]
        {
            if new != 0 {
                *kept = new;
            }
        }
        if arrival.definitions_sequence != Sequence(0) {
            seen.sequence = arrival.definitions_sequence;
        }
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
    pub fn write(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let mut total = connection.prepare_cached(
            "INSERT INTO total(status, items) VALUES(?1, ?2) ON CONFLICT(status) DO UPDATE SET items = items + ?2",
        )?;
        for (status, items) in self.by_status.iter().enumerate().filter(|(_, items)| **items != 0) {
            total.execute(params![status as i64, items])?;
        }
        // Before the counts: a client that was not known has nothing that could wait.
        let mut news = connection
            .prepare_cached("SELECT 1 FROM client WHERE id = ?1 AND items > 0 AND (sequence < ?2 OR managed < ?3)")?;
        for (client, what) in self.seen.iter().filter(|(_, what)| what.managed || what.sequence != Sequence(0)) {
            self.news |= news.exists(params![client, what.sequence.0 as i64, what.managed])?;
        }
        let mut usage = connection
            .prepare_cached("UPDATE client SET items = items + ?2, raw_bytes = raw_bytes + ?3 WHERE id = ?1")?;
        for (client, (items, raw_bytes)) in &self.by_client {
            usage.execute(params![client, items, raw_bytes])?;
        }
        let mut seen = connection.prepare_cached(
            "UPDATE client SET seen_at_ms = max(seen_at_ms, ?2), managed = managed | ?3,
               platform = CASE ?4 WHEN 0 THEN platform ELSE ?4 END,
               parent_server = CASE ?5 WHEN 0 THEN parent_server ELSE ?5 END,
               sequence = CASE ?6 WHEN 0 THEN sequence ELSE ?6 END WHERE id = ?1",
        )?;
        for (client, what) in &self.seen {
            let Words { platform, parent_server } = what.words;
            seen.execute(params![client, what.at_ms, what.managed, platform, parent_server, what.sequence.0 as i64])?;
        }
        Ok(())
    }

    /// Whether something came to be known of a client that items of it may wait for.
    pub fn has_news(&self) -> bool {
        self.news
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
