//! What re-tests there were and how the present one goes, in a file that survives the process.

use model::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::path::{Path, PathBuf};

/// Re-tests that are remembered.
const KEPT_MAX: usize = 100;

/// How much is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Extent {
    /// What the change of definitions can have changed.
    Delta,
    /// Every sample, with the whole set.
    Full,
}

/// Where a re-test is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It goes on.
    Running,
    /// It has answered every sample.
    Done,
    /// Newer definitions came; the next re-test goes on from there.
    Overtaken,
}

/// One re-test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retest {
    /// Its number.
    pub id: u64,
    /// How much is looked at.
    pub extent: Extent,
    /// Where it is.
    pub state: State,
    /// The set that it answers with.
    pub sequence: u64,
    /// Who asked for it; `definitions` when new definitions did.
    pub who: String,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// Samples to answer.
    pub samples: u64,
    /// Samples answered.
    pub answered: u64,
    /// Samples whose bytes were scanned for that.
    pub scanned: u64,
    /// Blocks of 64 KiB read to check what the index said.
    pub blocks_read: u64,
    /// Plain bytes of all samples answered.
    pub plain_bytes: u64,
    /// Samples newly detected.
    pub newly_detected: u64,
    /// Samples no longer detected.
    pub no_longer_detected: u64,
    /// Samples that could not be scanned; what was known of them stands.
    pub faults: u64,
    /// Milliseconds of work, without pauses and restarts.
    pub work_ms: u64,
    /// A full one has answered every sample up to this id.
    #[serde(default)]
    pub cursor: u64,
}

/// All of it.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Book {
    /// Whether re-tests wait.
    pub paused: bool,
    /// Somebody wants a full one.
    pub full_wanted_by: Option<String>,
    /// Oldest first; the last one may be running.
    pub retests: VecDeque<Retest>,
    #[serde(skip)]
    path: PathBuf,
}

impl Book {
    /// Reads it; one that is not there, or cannot be read, begins anew, which costs nothing but what was known of the past.
    pub fn open(path: &Path) -> Self {
        let read = std::fs::read(path).ok().and_then(|bytes| match serde_json::from_slice::<Self>(&bytes) {
            Ok(book) => Some(book),
            Err(error) => {
                tracing::warn!(%error, path = %path.display(), "the record of re-tests cannot be read and begins anew");
                None
            }
        });
        Self { path: path.to_owned(), ..read.unwrap_or_default() }
    }

    /// The one that goes on, if one does.
    pub fn running(&mut self) -> Option<&mut Retest> {
        self.retests.back_mut().filter(|retest| retest.state == State::Running)
    }

    /// Begins one.
    pub fn begin(&mut self, extent: Extent, sequence: u64, samples: u64, who: &str, now: Timestamp) {
        let id = self.retests.back().map_or(1, |last| last.id + 1);
        while self.retests.len() >= KEPT_MAX {
            self.retests.pop_front();
        }
        self.retests.push_back(Retest {
            id,
            extent,
            state: State::Running,
            sequence,
            who: who.to_owned(),
            started_at: now,
            finished_at: None,
            samples,
            answered: 0,
            scanned: 0,
            blocks_read: 0,
            plain_bytes: 0,
            newly_detected: 0,
            no_longer_detected: 0,
            faults: 0,
            work_ms: 0,
            cursor: 0,
        });
    }

    /// Ends the one that goes on.
    pub fn end(&mut self, state: State, now: Timestamp) {
        if let Some(retest) = self.running() {
            retest.state = state;
            retest.finished_at = Some(now);
        }
    }

    /// Writes it down, all or nothing. A failure costs what a restart would repeat, and is said.
    pub fn save(&self) {
        let written = serde_json::to_vec(self).map_err(std::io::Error::other).and_then(|json| {
            let coming = self.path.with_extension("coming");
            std::fs::write(&coming, json)?;
            std::fs::File::open(&coming)?.sync_all()?;
            std::fs::rename(&coming, &self.path)
        });
        if let Err(error) = written {
            tracing::warn!(%error, path = %self.path.display(), "the record of re-tests cannot be written");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_book_reads_back_as_it_was_and_a_damaged_one_begins_anew() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("retests.json");
        let mut book = Book::open(&path);
        for sequence in 1..=KEPT_MAX as u64 + 5 {
            book.begin(Extent::Delta, sequence, 10, "definitions", Timestamp(sequence as i64));
            book.end(State::Done, Timestamp(7));
        }
        book.begin(Extent::Full, 400, 10, "ann", Timestamp(8));
        book.paused = true;
        book.save();
        let mut again = Book::open(&path);
        assert_eq!((again.retests.len(), again.paused), (KEPT_MAX, true));
        assert_eq!(again.running().map(|retest| (retest.id, retest.sequence)), Some((KEPT_MAX as u64 + 6, 400)));
        std::fs::write(&path, b"{").unwrap();
        assert!(Book::open(&path).running().is_none());
    }
}
