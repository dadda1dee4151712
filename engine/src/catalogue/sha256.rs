//! From a SHA-256 to the samples that have it, for those who ask by the digest that the field exchanges.
//!
//! 1. No SQL index holds a digest, so the first question reads the table of samples once, and what it learns is kept in
//!    memory: eight bytes of digest and the sample's number. Whoever never asks pays nothing.
//! 2. Later questions read only what came since. Every row of a sample, made or made again, comes with a newer item.
//! 3. What is in memory is a hint: an answer is checked against the sample's row, so a row that went away does no harm.

use super::bounds::SHA256_WAIT_MAX;
use super::error::CatalogueError;
use super::readers::Readers;
use hashbrown::HashTable;
use model::{Blake3, SampleId, Sha256};
use parking_lot::Mutex;
use rusqlite::{Connection, OptionalExtension, params};
use std::time::{Duration, Instant};

/// Rows read in one transaction: some 30 ms, so that a reader's state of the file never gets old.
const ROWS_PER_READ: i64 = 65_536;

/// What was learned so far.
#[derive(Debug, Default)]
pub(super) struct Sha256Names(Mutex<Learned>);

#[derive(Debug, Default)]
struct Learned {
    /// First eight bytes and sample.
    names: HashTable<(u64, i64)>,
    /// Samples up to here were read from their table.
    sample: i64,
    /// Items up to here brought nothing unknown; `None` before the first look.
    item: Option<i64>,
    samples_read: bool,
}

impl Sha256Names {
    /// All samples with this SHA-256, oldest first; more than one when a damaged copy was replaced. Blocks.
    ///
    /// # Errors
    /// Reading failed, or there was more to learn than a caller should wait for: what was learned stays, so asking again
    /// goes on from there.
    pub fn samples(&self, readers: &Readers, sha256: &Sha256) -> Result<Vec<SampleId>, CatalogueError> {
        let mut learned = self.0.lock();
        let began = Instant::now();
        while !readers.read(|connection| learned.learn(connection))? {
            if began.elapsed() > SHA256_WAIT_MAX {
                return Err(CatalogueError::StillReading { samples: learned.names.len() as u64 });
            }
        }
        let print = print_of(sha256);
        let hits: Vec<i64> =
            learned.names.iter_hash(spread(print)).filter(|name| name.0 == print).map(|name| name.1).collect();
        drop(learned);
        let mut samples = Vec::new();
        for sample in hits {
            let digests = readers.read(|connection| digests(connection, SampleId(sample as u64)))?;
            if digests.is_some_and(|(_, found)| found == *sha256) {
                samples.push(SampleId(sample as u64));
            }
        }
        samples.sort_unstable();
        Ok(samples)
    }

    /// Bytes it occupies.
    pub fn memory_bytes(&self) -> u64 {
        // A question that is just learning is not waited for.
        self.0.try_lock_for(Duration::from_millis(10)).map_or(0, |learned| learned.names.allocation_size() as u64)
    }
}

impl Learned {
    /// Reads on; `true` when nothing was left to read.
    fn learn(&mut self, connection: &Connection) -> rusqlite::Result<bool> {
        let newest: i64 =
            connection.prepare_cached("SELECT ifnull(max(id), 0) FROM item")?.query_row([], |row| row.get(0))?;
        let item = *self.item.get_or_insert(newest);
        if !self.samples_read {
            let sql = "SELECT id, sha256 FROM sample WHERE id > ?1 ORDER BY id LIMIT ?2";
            let (rows, last) = self.take(connection, sql, self.sample)?;
            self.sample = last;
            self.samples_read = rows < ROWS_PER_READ;
            return Ok(self.samples_read && item == newest);
        }
        // Only what brought a row matters, but a duplicate may have made one again, so each new item is looked at.
        let sql = "SELECT i.id, s.sha256, s.id FROM item i JOIN sample s ON s.id = i.sample WHERE i.id > ?1
                   ORDER BY i.id LIMIT ?2";
        let (rows, last) = self.take(connection, sql, item)?;
        self.item = Some(last);
        Ok(rows < ROWS_PER_READ)
    }

    /// Takes names from rows of a running number, a digest and, when it is another number, the sample; gives how many
    /// there were and the last running number.
    fn take(&mut self, connection: &Connection, sql: &str, after: i64) -> rusqlite::Result<(i64, i64)> {
        let mut statement = connection.prepare_cached(sql)?;
        let sample_column = statement.column_count() - 1;
        let sample_column = if sample_column == 1 { 0 } else { sample_column };
        let mut rows = statement.query(params![after, ROWS_PER_READ])?;
        let (mut count, mut last) = (0, after);
        while let Some(row) = rows.next()? {
            (count, last) = (count + 1, row.get(0)?);
            let name = (print_of(&Sha256(row.get(1)?)), row.get(sample_column)?);
            if self.names.find(spread(name.0), |known| *known == name).is_none() {
                self.names.insert_unique(spread(name.0), name, |known| spread(known.0));
            }
        }
        Ok((count, last))
    }
}

/// The digests of a sample that has items.
pub(super) fn digests(connection: &Connection, sample: SampleId) -> rusqlite::Result<Option<(Blake3, Sha256)>> {
    connection
        .prepare_cached("SELECT blake3, sha256 FROM sample WHERE id = ?1")?
        .query_row(params![sample.0 as i64], |row| Ok((Blake3(row.get(0)?), Sha256(row.get(1)?))))
        .optional()
}

fn print_of(sha256: &Sha256) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = sha256.0;
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}

/// The table takes the upper bits too; a digest made up by a stranger must not choose them.
fn spread(print: u64) -> u64 {
    print.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}
