//! What a centre remembers: submissions, what was found out about their content, definitions and who may have them.
//!
//! 1. An answer belongs to content, however many quarantines submitted it; a submission is answered by its content.
//! 2. A set, its lines and the answers that name it are one transaction: no answer names a set that is not there.
//! 3. Nothing here is forgotten: a number is never given twice, and who asked for what can be told later.

use crate::message::{Submission, kind_word};
use crate::reply::Said;
use model::{Blake3, Kind, Sequence, Sha256, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::path::Path;

/// The layout of the tables.
const LAYOUT: i64 = 2;
/// "LZCB": tells our file from any other SQLite file.
const APPLICATION_ID: i64 = 0x4c5a_4342;

const TABLES: &str = "
CREATE TABLE content(
  blake3 BLOB PRIMARY KEY, bytes INTEGER NOT NULL, at_ms INTEGER NOT NULL, features BLOB,
  said TEXT, sequence INTEGER NOT NULL DEFAULT 0, why TEXT NOT NULL DEFAULT '', answered_at_ms INTEGER) WITHOUT ROWID;
CREATE INDEX content_waiting ON content(at_ms) WHERE said IS NULL;
CREATE INDEX content_clean ON content(answered_at_ms) WHERE said = '\"not_infected\"';
CREATE INDEX content_sequence ON content(sequence DESC) WHERE said = '\"definitions\"';

CREATE TABLE submission(
  key TEXT PRIMARY KEY, account TEXT NOT NULL, company TEXT NOT NULL, blake3 BLOB NOT NULL, sha256 BLOB NOT NULL,
  bytes INTEGER NOT NULL, sent_blake3 BLOB NOT NULL, sent_bytes INTEGER NOT NULL, stripped TEXT NOT NULL,
  file_name TEXT NOT NULL, kind TEXT NOT NULL, client TEXT NOT NULL, platform TEXT NOT NULL, reason TEXT NOT NULL,
  priority INTEGER NOT NULL, taken INTEGER NOT NULL, at_ms INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX submission_content ON submission(sent_blake3);
CREATE INDEX submission_account ON submission(account);

CREATE TABLE line(
  name TEXT NOT NULL, file TEXT NOT NULL, text TEXT NOT NULL, content BLOB NOT NULL, sequence INTEGER NOT NULL,
  certified INTEGER NOT NULL DEFAULT 0, withdrawn INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY(name, file, text)) WITHOUT ROWID;

CREATE TABLE definitions(
  sequence INTEGER PRIMARY KEY, certified INTEGER NOT NULL, at_ms INTEGER NOT NULL);
";

/// The book.
pub struct Book {
    connection: Connection,
}

/// A submission as it is remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The submission.
    pub submission: Submission,
    /// Whose it is.
    pub account: String,
    /// Whether all of it is here, durable.
    pub taken: bool,
}

/// What waits to be analysed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The content.
    pub blake3: Blake3,
    /// Its length.
    pub bytes: u64,
    /// The whole samples that it was sent for, each with its length; the same as the content where nothing was stripped.
    pub samples: Vec<(Sha256, u64)>,
    /// What it is.
    pub kind: Kind,
}

/// A line of definitions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its signature's name; a signature may have several lines.
    pub name: String,
    /// The extension of its file: `ndb`, `ldb`, `hsb`, `repair`.
    pub file: String,
    /// The line.
    pub text: String,
    /// The content it was made for.
    pub content: Blake3,
    /// The set it came with.
    pub sequence: Sequence,
    /// Whether it is in a certified set.
    pub certified: bool,
}

/// A verdict on content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The content.
    pub content: Blake3,
    /// What is answered.
    pub said: Said,
    /// For a person.
    pub why: String,
}

impl Book {
    /// Opens the file or makes it.
    ///
    /// # Errors
    /// It cannot be opened, or is another file.
    pub fn open(path: &Path) -> rusqlite::Result<Self> {
        let connection = Connection::open(path)?;
        connection.busy_timeout(std::time::Duration::from_secs(5))?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        if tables == 0 {
            let transaction = connection.unchecked_transaction()?;
            transaction.execute_batch(TABLES)?;
            transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
            transaction.pragma_update(None, "user_version", LAYOUT)?;
            transaction.commit()?;
        }
        let application: i64 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
        let layout: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if (application, layout) != (APPLICATION_ID, LAYOUT) {
            let text = format!("{} is no book of a centre, or one of another version", path.display());
            return Err(rusqlite::Error::SqliteFailure(
                rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_NOTADB),
                Some(text),
            ));
        }
        Ok(Self { connection })
    }

    /// The submission of this key.
    ///
    /// # Errors
    /// The file cannot be read, as for all of these.
    pub fn submission(&self, key: &str) -> rusqlite::Result<Option<Held>> {
        self.connection
            .prepare_cached("SELECT * FROM submission WHERE key = ?1")?
            .query_row(params![key], held)
            .optional()
    }

    /// Remembers a submission whose content is on its way.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn begin(&self, submission: &Submission, account: &str, company: &str, now: Timestamp) -> rusqlite::Result<()> {
        let one = submission;
        self.connection
            .prepare_cached(
                "INSERT OR IGNORE INTO submission VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, 0, ?16)",
            )?
            .execute(params![
                one.key,
                account,
                company,
                one.blake3.0,
                one.sha256.0,
                one.bytes as i64,
                one.sent_blake3.0,
                one.sent_bytes as i64,
                one.stripped,
                one.file_name,
                kind_word(one.kind),
                one.client,
                one.platform,
                one.reason,
                one.priority,
                now.0,
            ])?;
        Ok(())
    }

    /// A submission's content is here, durable: it is taken, and its content waits for an answer unless it has one.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn taken(&mut self, submission: &Submission, now: Timestamp) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        transaction
            .prepare_cached("INSERT OR IGNORE INTO content(blake3, bytes, at_ms) VALUES(?1, ?2, ?3)")?
            .execute(params![submission.sent_blake3.0, submission.sent_bytes as i64, now.0])?;
        transaction
            .prepare_cached("UPDATE submission SET taken = 1 WHERE key = ?1")?
            .execute(params![submission.key])?;
        // Whoever sends again what was said to have failed wants it to be tried again.
        transaction
            .prepare_cached(
                "UPDATE content SET said = NULL, why = '', answered_at_ms = NULL WHERE blake3 = ?1
                 AND said IN ('\"failed\"', '\"send_again\"')",
            )?
            .execute(params![submission.sent_blake3.0])?;
        transaction.commit()
    }

    /// Whether this content is here.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn has_content(&self, blake3: &Blake3) -> rusqlite::Result<bool> {
        let found: Option<i64> = self
            .connection
            .prepare_cached("SELECT 1 FROM content WHERE blake3 = ?1")?
            .query_row(params![blake3.0], |row| row.get(0))
            .optional()?;
        Ok(found.is_some())
    }

    /// What is said about a submission; `None` when there is no such one, or it is not all here.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn answer(&self, key: &str, blake3: &Blake3, account: &str) -> rusqlite::Result<Option<(Said, String)>> {
        self.connection
            .prepare_cached(
                "SELECT c.said, c.sequence, c.why FROM submission s JOIN content c ON c.blake3 = s.sent_blake3
                 WHERE s.key = ?1 AND s.blake3 = ?2 AND s.account = ?3 AND s.taken = 1",
            )?
            .query_row(params![key, blake3.0, account], |row| {
                let said: Option<String> = row.get(0)?;
                Ok((said_of(said.as_deref(), Sequence(row.get::<_, i64>(1)? as u64)), row.get(2)?))
            })
            .optional()
    }

    /// At most `limit` contents that wait for an answer, the oldest first.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn waiting(&self, limit: usize) -> rusqlite::Result<Vec<Waiting>> {
        let mut found: Vec<Waiting> = self
            .connection
            .prepare_cached("SELECT blake3, bytes FROM content WHERE said IS NULL ORDER BY at_ms, blake3 LIMIT ?1")?
            .query_map(params![limit as i64], |row| {
                let (blake3, bytes) = (Blake3(row.get(0)?), row.get::<_, i64>(1)? as u64);
                Ok(Waiting { blake3, bytes, samples: Vec::new(), kind: Kind::File })
            })?
            .collect::<rusqlite::Result<_>>()?;
        for one in &mut found {
            let mut statement = self.connection.prepare_cached(
                "SELECT DISTINCT sha256, bytes, kind FROM submission WHERE sent_blake3 = ?1 AND taken = 1 LIMIT 64",
            )?;
            let mut rows = statement.query(params![one.blake3.0])?;
            while let Some(row) = rows.next()? {
                one.samples.push((Sha256(row.get(0)?), row.get::<_, i64>(1)? as u64));
                if row.get::<_, String>(2)? == kind_word(Kind::BootSector) {
                    one.kind = Kind::BootSector;
                }
            }
        }
        Ok(found)
    }

    /// Contents that were found clean at or after `since`, the first of them first, each with when.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn clean(&self, since: Timestamp) -> rusqlite::Result<Vec<(Blake3, Timestamp)>> {
        self.connection
            .prepare_cached(
                "SELECT blake3, answered_at_ms FROM content INDEXED BY content_clean
                 WHERE said = '\"not_infected\"' AND answered_at_ms >= ?1 AND bytes > 0 ORDER BY answered_at_ms",
            )?
            .query_map(params![since.0], |row| Ok((Blake3(row.get(0)?), Timestamp(row.get(1)?))))?
            .collect()
    }

    /// At most `limit` contents that are for a person, the oldest first, each with why and with a name that it had.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn for_a_person(&self, limit: usize) -> rusqlite::Result<Vec<(Waiting, String, String)>> {
        self.connection
            .prepare(
                "SELECT c.blake3, c.bytes, c.why, (SELECT file_name FROM submission s WHERE s.sent_blake3 = c.blake3 LIMIT 1)
                 FROM content c WHERE c.said = '\"needs_person\"' ORDER BY c.at_ms, c.blake3 LIMIT ?1",
            )?
            .query_map(params![limit as i64], |row| {
                let content = Waiting {
                    blake3: Blake3(row.get(0)?),
                    bytes: row.get::<_, i64>(1)? as u64,
                    samples: Vec::new(),
                    kind: Kind::File,
                };
                Ok((content, row.get(2)?, row.get::<_, Option<String>>(3)?.unwrap_or_default()))
            })?
            .collect()
    }

    /// A person answers for content, whatever was said of it before; false when there is no such content.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn answered_by_hand(&mut self, verdict: &Verdict, now: Timestamp) -> rusqlite::Result<bool> {
        if !self.has_content(&verdict.content)? {
            return Ok(false);
        }
        self.answered(std::slice::from_ref(verdict), None, now)?;
        Ok(true)
    }

    /// How many contents wait for an answer.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn waiting_count(&self) -> rusqlite::Result<u64> {
        self.connection.query_row("SELECT count(*) FROM content WHERE said IS NULL", [], |row| {
            row.get::<_, i64>(0).map(|count| count as u64)
        })
    }

    /// Every content with the features kept of it, in the order in which they came.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn features(&self) -> rusqlite::Result<Vec<(Blake3, Vec<u8>)>> {
        self.connection
            .prepare("SELECT blake3, features FROM content WHERE features IS NOT NULL ORDER BY at_ms, blake3")?
            .query_map([], |row| Ok((Blake3(row.get(0)?), row.get(1)?)))?
            .collect()
    }

    /// Every line that holds, by name.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn lines(&self) -> rusqlite::Result<Vec<Line>> {
        self.connection
            .prepare("SELECT name, file, text, content, sequence, certified FROM line WHERE withdrawn = 0 ORDER BY name, file, text")?
            .query_map([], |row| {
                Ok(Line {
                    name: row.get(0)?,
                    file: row.get(1)?,
                    text: row.get(2)?,
                    content: Blake3(row.get(3)?),
                    sequence: Sequence(row.get::<_, i64>(4)? as u64),
                    certified: row.get(5)?,
                })
            })?
            .collect()
    }

    /// The highest number that was given to a set; 0 for none.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn newest(&self) -> rusqlite::Result<Sequence> {
        self.highest("SELECT max(sequence) FROM definitions")
    }

    /// The newest certified set; 0 for none.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn certified(&self) -> rusqlite::Result<Sequence> {
        self.highest("SELECT max(sequence) FROM definitions WHERE certified = 1")
    }

    /// The newest set that is not certified and was made at or before `until`; 0 for none.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn soaked(&self, until: Timestamp) -> rusqlite::Result<Sequence> {
        let found: Option<i64> = self
            .connection
            .prepare_cached("SELECT max(sequence) FROM definitions WHERE certified = 0 AND at_ms <= ?1")?
            .query_row(params![until.0], |row| row.get(0))?;
        Ok(Sequence(found.unwrap_or(0) as u64))
    }

    /// The newest set that an account may have: the newest certified one, or one made for what it submitted.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn newest_for(&self, account: &str) -> rusqlite::Result<Sequence> {
        let made: Option<i64> = self
            .connection
            .prepare_cached(
                // From the newest set downwards: what a customer is told of was made for him a moment ago, as a rule.
                "SELECT c.sequence FROM content c INDEXED BY content_sequence
                 WHERE c.said = '\"definitions\"' AND EXISTS(
                   SELECT 1 FROM submission s WHERE s.sent_blake3 = c.blake3 AND s.account = ?1 AND s.taken = 1)
                 ORDER BY c.sequence DESC LIMIT 1",
            )?
            .query_row(params![account], |row| row.get(0))
            .optional()?;
        Ok(self.certified()?.max(Sequence(made.unwrap_or(0) as u64)))
    }

    fn highest(&self, sql: &str) -> rusqlite::Result<Sequence> {
        let found: Option<i64> = self.connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
        Ok(Sequence(found.unwrap_or(0) as u64))
    }

    /// Keeps features of contents, so that groups can be made again after a start.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn keep_features(&mut self, features: &[(Blake3, Vec<u8>)]) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        for (blake3, bytes) in features {
            transaction
                .prepare_cached("UPDATE content SET features = ?2 WHERE blake3 = ?1")?
                .execute(params![blake3.0, bytes])?;
        }
        transaction.commit()
    }

    /// Writes verdicts, with the set that they name where they name a new one.
    ///
    /// # Errors
    /// The file cannot be written; nothing is then.
    pub fn answered(
        &mut self,
        verdicts: &[Verdict],
        set: Option<(Sequence, bool, &[Line])>,
        now: Timestamp,
    ) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        if let Some((sequence, certified, lines)) = set {
            transaction.execute(
                "INSERT INTO definitions(sequence, certified, at_ms) VALUES(?1, ?2, ?3)",
                params![sequence.0 as i64, certified, now.0],
            )?;
            for line in lines {
                transaction
                    .prepare_cached(
                        "INSERT INTO line(name, file, text, content, sequence, certified) VALUES(?1, ?2, ?3, ?4, ?5, ?6)
                         ON CONFLICT(name, file, text) DO UPDATE SET content = ?4, sequence = ?5, certified = ?6,
                           withdrawn = 0",
                    )?
                    .execute(params![
                        line.name,
                        line.file,
                        line.text,
                        line.content.0,
                        line.sequence.0 as i64,
                        line.certified
                    ])?;
            }
        }
        for verdict in verdicts {
            let (said, sequence) = word_of(verdict.said);
            transaction
                .prepare_cached(
                    "UPDATE content SET said = ?2, sequence = ?3, why = ?4, answered_at_ms = ?5 WHERE blake3 = ?1",
                )?
                .execute(params![verdict.content.0, said, sequence.0 as i64, verdict.why, now.0])?;
        }
        transaction.commit()
    }

    /// A certified set was made of the lines up to `soaked`, without those that failed; what was made since is in the set
    /// `rest`, when there is one.
    ///
    /// # Errors
    /// The file cannot be written; nothing is then.
    pub fn promoted(
        &mut self,
        certified: Sequence,
        soaked: Sequence,
        failed: &[String],
        rest: Option<Sequence>,
        now: Timestamp,
    ) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        let made = |sequence: Sequence, certified: bool| {
            transaction.execute(
                "INSERT INTO definitions(sequence, certified, at_ms) VALUES(?1, ?2, ?3)",
                params![sequence.0 as i64, certified, now.0],
            )
        };
        made(certified, true)?;
        for name in failed {
            transaction.execute("UPDATE line SET withdrawn = 1 WHERE name = ?1", params![name])?;
        }
        transaction.execute(
            "UPDATE line SET certified = 1 WHERE sequence <= ?1 AND withdrawn = 0",
            params![soaked.0 as i64],
        )?;
        if let Some(rest) = rest {
            made(rest, false)?;
            transaction.execute(
                "UPDATE content SET sequence = ?2 WHERE said = '\"definitions\"' AND sequence > ?1",
                params![soaked.0 as i64, rest.0 as i64],
            )?;
            transaction.execute(
                "UPDATE line SET sequence = ?2 WHERE sequence > ?1",
                params![soaked.0 as i64, rest.0 as i64],
            )?;
        }
        transaction.commit()
    }
}

fn held(row: &Row<'_>) -> rusqlite::Result<Held> {
    let kind: String = row.get(10)?;
    Ok(Held {
        account: row.get(1)?,
        taken: row.get(15)?,
        submission: Submission {
            key: row.get(0)?,
            blake3: Blake3(row.get(3)?),
            sha256: Sha256(row.get(4)?),
            bytes: row.get::<_, i64>(5)? as u64,
            sent_blake3: Blake3(row.get(6)?),
            sent_bytes: row.get::<_, i64>(7)? as u64,
            stripped: row.get(8)?,
            file_name: row.get(9)?,
            kind: if kind == kind_word(Kind::BootSector) { Kind::BootSector } else { Kind::File },
            client: row.get(11)?,
            platform: row.get(12)?,
            reason: row.get(13)?,
            definitions_sequence: Sequence(0),
            priority: row.get(14)?,
        },
    })
}

/// The words in which answers are kept.
fn word_of(said: Said) -> (Option<&'static str>, Sequence) {
    let none = Sequence(0);
    match said {
        Said::Pending => (None, none),
        Said::NotInfected => (Some("\"not_infected\""), none),
        Said::Definitions { sequence } => (Some("\"definitions\""), sequence),
        Said::NeedsPerson => (Some("\"needs_person\""), none),
        Said::Failed => (Some("\"failed\""), none),
        Said::SendAgain => (Some("\"send_again\""), none),
        Said::NotKnown => (Some("\"not_known\""), none),
    }
}

fn said_of(word: Option<&str>, sequence: Sequence) -> Said {
    match word {
        None => Said::Pending,
        Some("\"not_infected\"") => Said::NotInfected,
        Some("\"definitions\"") => Said::Definitions { sequence },
        Some("\"needs_person\"") => Said::NeedsPerson,
        Some("\"send_again\"") => Said::SendAgain,
        Some("\"not_known\"") => Said::NotKnown,
        Some(_) => Said::Failed,
    }
}

#[cfg(test)]
mod tests;
