//! Counts that are kept instead of counted: items by status, items and bytes by client. A batch gathers what it adds
//! and writes it once, in the same transaction as its rows.

use super::bounds::NAMES_MAX;
use model::{Arrival, Sequence, Status};
use rusqlite::{Connection, params};
use std::collections::HashMap;

/// What a batch adds to the counts.
#[derive(Debug, Default)]
pub(super) struct Deltas {
    by_status: [i64; Status::COUNT],
    by_client: HashMap<i64, Usage>,
    /// Some of what was seen is news of a client that has sent something before.
    news: bool,
}

/// What a batch says about a client.
#[derive(Debug, Default)]
struct Usage {
    items: i64,
    raw_bytes: i64,
    at_ms: i64,
    said: Said,
}

/// The numbers of an arrival's texts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Words {
    pub platform: i64,
    pub parent_server: i64,
}

/// What arrivals say about their client; what they leave open stays as it was.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Said {
    pub managed: bool,
    pub words: Words,
    pub sequence: Sequence,
}

impl Said {
    /// What an arrival says.
    pub fn by(arrival: &Arrival, words: Words) -> Said {
        Said { managed: arrival.managed, words, sequence: arrival.definitions_sequence }
    }

    /// This, where it says something, over what was said before.
    fn over(self, before: Said) -> Said {
        let word = |new: i64, old: i64| if new != 0 { new } else { old };
        Said {
            managed: self.managed | before.managed,
            words: Words {
                platform: word(self.words.platform, before.words.platform),
                parent_server: word(self.words.parent_server, before.words.parent_server),
            },
            sequence: if self.sequence == Sequence(0) { before.sequence } else { self.sequence },
        }
    }
}

/// What the rows of clients say, as far as it is remembered: an arrival that says nothing new changes no more of its
/// client's row than its counts.
#[derive(Debug, Default)]
pub(super) struct Known(HashMap<i64, Said>);

impl Known {
    /// Forgets all: after a rollback, or when somebody else has changed a row.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// What a client's row says now.
    pub fn keep(&mut self, client: i64, said: Said) {
        if self.0.len() >= NAMES_MAX {
            self.0.clear();
        }
        self.0.insert(client, said);
    }
}

impl Deltas {
    /// An item of `client` with `raw_bytes` is here now, in `status`.
    pub fn came(&mut self, status: Status, client: i64, raw_bytes: i64) {
        self.count(status, client, 1, raw_bytes);
    }

    /// What an arrival says about its client: the last one wins, except that a client once managed stays so.
    pub fn seen(&mut self, client: i64, at_ms: i64, said: Said) {
        let usage = self.by_client.entry(client).or_default();
        usage.at_ms = usage.at_ms.max(at_ms);
        usage.said = said.over(usage.said);
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
        usage.items += items;
        usage.raw_bytes += raw_bytes;
    }

    /// Writes all of it, inside the batch's transaction.
    pub fn write(&mut self, connection: &Connection, known: &mut Known) -> rusqlite::Result<()> {
        let mut total = connection.prepare_cached(
            "INSERT INTO total(status, items) VALUES(?1, ?2) ON CONFLICT(status) DO UPDATE SET items = items + ?2",
        )?;
        for (status, items) in self.by_status.iter().enumerate().filter(|(_, items)| **items != 0) {
            total.execute(params![status as i64, items])?;
        }
        let mut counts = connection.prepare_cached(
            "UPDATE client SET items = items + ?2, raw_bytes = raw_bytes + ?3, seen_at_ms = max(seen_at_ms, ?4)
             WHERE id = ?1",
        )?;
        for (client, usage) in &self.by_client {
            let remembered = known.0.get(client).copied();
            if usage.said == Said::default() || remembered.is_some_and(|before| usage.said.over(before) == before) {
                counts.execute(params![client, usage.items, usage.raw_bytes, usage.at_ms])?;
            } else {
                self.news |= write_said(connection, *client, usage)?;
                match remembered {
                    Some(before) => known.keep(*client, usage.said.over(before)),
                    // What its row said before is not known here; the next time nothing of this is new.
                    None => known.keep(*client, usage.said),
                }
            }
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

/// Writes what arrivals say about their client with its counts; true when that is news of one that has items.
fn write_said(connection: &Connection, client: i64, usage: &Usage) -> rusqlite::Result<bool> {
    let Said { managed, words, sequence } = usage.said;
    let is_news = (managed || sequence != Sequence(0))
        && connection
            .prepare_cached("SELECT 1 FROM client WHERE id = ?1 AND items > 0 AND (sequence < ?2 OR managed < ?3)")?
            .exists(params![client, sequence.0 as i64, managed])?;
    connection
        .prepare_cached(
            "UPDATE client SET items = items + ?2, raw_bytes = raw_bytes + ?3, seen_at_ms = max(seen_at_ms, ?4),
               managed = managed | ?5, platform = CASE ?6 WHEN 0 THEN platform ELSE ?6 END,
               parent_server = CASE ?7 WHEN 0 THEN parent_server ELSE ?7 END,
               sequence = CASE ?8 WHEN 0 THEN sequence ELSE ?8 END WHERE id = ?1",
        )?
        .execute(params![
            client,
            usage.items,
            usage.raw_bytes,
            usage.at_ms,
            managed,
            words.platform,
            words.parent_server,
            sequence.0 as i64
        ])?;
    Ok(is_news)
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
