//! The catalogue as its callers hold it: feeding, asking and reading, each handed to the part that does it.

use super::audit::LogPage;
use super::bounds::{ANSWER_WAIT_MAX, CatalogueSettings, PAGE_ITEMS_MAX, REST_AFTER};
use super::change::{
    Change, ClientRow, Note, NoteKind, Own, Queued, SampleRow, SampleVerdict, Setting, Standing, StatusChange,
    SubmissionRow, Unsettled,
};
use super::count::{self, Count};
use super::error::CatalogueError;
use super::filter::Filter;
use super::page::{Cursor, Page};
use super::queue::{Asked, CatalogueHealth, Queue};
use super::readers::Readers;
use super::row::Clients;
use super::sha256::{self, Sha256Names};
use super::writer::Writer;
use super::{audit, check, client, owner, page, row, submission, verdict};
use model::{Blake3, Item, ItemId, SampleId, Sequence, Sha256, Status, Timestamp};
use parking_lot::Mutex;
use rusqlite::{OptionalExtension, params};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The catalogue. Cloning it is cheap; the last clone to be dropped stops the owner thread without draining, which
/// loses nothing that the log does not have. [`Catalogue::close`] drains.
#[derive(Debug, Clone)]
pub struct Catalogue {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    queue: Arc<Queue>,
    readers: Readers,
    sha256_names: Sha256Names,
    pages_max: Arc<AtomicU32>,
    owner: Mutex<Option<JoinHandle<()>>>,
}

impl Catalogue {
    /// Opens the file or makes it, and starts the owner thread. The caller then feeds every log record above
    /// [`Catalogue::watermark`].
    ///
    /// # Errors
    /// The file is damaged, is no catalogue or one of another layout, or cannot be written.
    pub fn open(path: &Path, settings: CatalogueSettings) -> Result<Self, CatalogueError> {
        let writer = Writer::open(path, &settings)?;
        let queue =
            Arc::new(Queue::new(settings.queue_changes_max, settings.batch_rows_max, settings.linger, REST_AFTER));
        queue.committed(0, writer.watermark(), writer.by_status(), writer.client_news());
        let pages_max = Arc::new(AtomicU32::new(settings.pages_max));
        let (owner_queue, owner_pages) = (Arc::clone(&queue), Arc::clone(&pages_max));
        let owner = std::thread::Builder::new()
            .name("catalogue".to_owned())
            .spawn(move || owner::run(writer, &owner_queue, &owner_pages))
            .map_err(|error| CatalogueError::Io {
                path: path.to_path_buf(),
                reason: format!("its thread did not start: {error}"),
            })?;
        Ok(Self {
            inner: Arc::new(Inner {
                path: path.to_path_buf(),
                queue,
                readers: Readers::new(path, settings.readers, settings.reader_cache_bytes),
                sha256_names: Sha256Names::default(),
                pages_max,
                owner: Mutex::new(Some(owner)),
            }),
        })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    /// The highest log sequence that is applied and committed.
    pub fn watermark(&self) -> u64 {
        self.inner.queue.watermark()
    }

    /// Changes that were fed and are not committed yet.
    pub fn lag(&self) -> u64 {
        self.inner.queue.lag()
    }

    /// How many batches since the start had news of clients in their arrivals: newer definitions, or that one is managed.
    /// Items may wait for either.
    pub fn client_news(&self) -> u64 {
        self.inner.queue.client_news()
    }

    /// How the owner thread is.
    pub fn health(&self) -> CatalogueHealth {
        self.inner.queue.health()
    }

    /// Queues changes in log order, without gaps. Waits while the queue is full; whoever feeds keeps the lag below
    /// that. After a failure changes are counted as lag and otherwise left to the next start.
    pub fn feed(&self, changes: Vec<Change>) {
        self.inner.queue.feed(changes);
    }

    /// Waits until everything up to `sequence` can be read; false when that takes longer than `deadline`.
    pub fn reach(&self, sequence: u64, deadline: Duration) -> bool {
        self.inner.queue.reach(sequence, deadline)
    }

    /// One item with its actions and errors; the first action is its reception.
    ///
    /// # Errors
    /// Reading failed, as for every method below that reads.
    pub fn item(&self, id: ItemId) -> Result<Option<Item>, CatalogueError> {
        self.inner.readers.read(|connection| row::item(connection, id))
    }

    /// Where an item stands, for the status table.
    ///
    /// # Errors
    /// Reading failed.
    pub fn standing(&self, id: ItemId) -> Result<Option<Standing>, CatalogueError> {
        self.inner.readers.read(|connection| row::standing(connection, id))
    }

    /// At most `limit` (1 to 1,000) items before `cursor`, newest first.
    ///
    /// # Errors
    /// Reading failed.
    pub fn page(&self, filter: &Filter, limit: usize, cursor: Option<&Cursor>) -> Result<Page, CatalogueError> {
        self.inner.readers.read(|connection| page::page(connection, filter, limit, cursor))
    }

    /// How many items match.
    ///
    /// # Errors
    /// Reading failed, or counting row by row took longer than a caller should wait.
    pub fn count(&self, filter: &Filter) -> Result<u64, CatalogueError> {
        match self.inner.readers.read(|connection| count::count(connection, filter))? {
            Count::All(count) => Ok(count),
            Count::TooWide { counted, waited } => {
                Err(CatalogueError::TooWide { counted, waited_ms: waited.as_millis() as u64 })
            }
        }
    }

    /// Items by status, by [`Status::code`]; read from memory.
    pub fn count_by_status(&self) -> [u64; Status::COUNT] {
        self.inner.queue.by_status()
    }

    /// How many items share a sample.
    ///
    /// # Errors
    /// Reading failed.
    pub fn live_items_of(&self, sample: SampleId) -> Result<u64, CatalogueError> {
        self.inner.readers.read(|connection| {
            let items: i64 = connection
                .prepare_cached("SELECT count(*) FROM item INDEXED BY item_sample WHERE sample = ?1")?
                .query_row(params![sample.0 as i64], |row| row.get(0))?;
            Ok(items as u64)
        })
    }

    /// At most `limit` items of one status, oldest first.
    ///
    /// # Errors
    /// Reading failed.
    pub fn oldest(&self, status: Status, clients: Clients, limit: usize) -> Result<Vec<ItemId>, CatalogueError> {
        self.inner.readers.read(|connection| row::oldest(connection, status, clients, limit))
    }

    /// The sample of an item.
    ///
    /// # Errors
    /// Reading failed.
    pub fn sample_of(&self, item: ItemId) -> Result<Option<(SampleId, Blake3)>, CatalogueError> {
        self.inner.readers.read(|connection| {
            connection
                .prepare_cached("SELECT s.id, s.blake3 FROM item i JOIN sample s ON s.id = i.sample WHERE i.id = ?1")?
                .query_row(params![item.0 as i64], |row| {
                    Ok((SampleId(row.get::<_, i64>(0)? as u64), Blake3(row.get(1)?)))
                })
                .optional()
        })
    }

    /// The digests of a sample that has items.
    ///
    /// # Errors
    /// Reading failed.
    pub fn digests_of(&self, sample: SampleId) -> Result<Option<(Blake3, Sha256)>, CatalogueError> {
        self.inner.readers.read(|connection| sha256::digests(connection, sample))
    }

    /// The samples with this SHA-256 that have items. The first question reads every sample's row, later ones what came
    /// since.
    ///
    /// # Errors
    /// Reading failed, or took longer than a caller should wait; asking again goes on from there.
    pub fn samples_with_sha256(&self, sha256: &Sha256) -> Result<Vec<SampleId>, CatalogueError> {
        self.inner.sha256_names.samples(&self.inner.readers, sha256)
    }

    /// Memory that questions by SHA-256 have taken: none before the first.
    pub fn sha256_memory_bytes(&self) -> u64 {
        self.inner.sha256_names.memory_bytes()
    }

    /// Every client that has items: name, items, plain bytes of their samples (a shared sample counts for each item).
    ///
    /// # Errors
    /// Reading failed.
    pub fn client_usage(&self) -> Result<Vec<(String, u64, u64)>, CatalogueError> {
        self.inner.readers.read(|connection| {
            connection
                .prepare_cached("SELECT name, items, raw_bytes FROM client WHERE items > 0 ORDER BY name")?
                .query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)? as u64, row.get::<_, i64>(2)? as u64)))?
                .collect()
        })
    }

    /// The settings that were changed at run time, by key.
    ///
    /// # Errors
    /// Reading failed.
    pub fn settings(&self) -> Result<Vec<Setting>, CatalogueError> {
        self.inner.readers.read(|connection| {
            connection
                .prepare_cached("SELECT key, json, who, at_ms FROM setting ORDER BY key")?
                .query_map([], |row| {
                    Ok(Setting { key: row.get(0)?, json: row.get(1)?, who: row.get(2)?, at: Timestamp(row.get(3)?) })
                })?
                .collect()
        })
    }

    /// Sets a setting; it is durable and in the log when this returns.
    ///
    /// # Errors
    /// Writing failed, or no answer came in time.
    pub fn set_setting(&self, key: &str, json: &serde_json::Value, who: &str) -> Result<(), CatalogueError> {
        self.ask(Own::Setting(Setting { key: key.to_owned(), json: json.to_string(), who: who.to_owned(), at: now() }))
    }

    /// Adds to an item's actions; durable when this returns.
    ///
    /// # Errors
    /// There is no such item, writing failed, or no answer came in time.
    pub fn add_action(&self, item: ItemId, at: Timestamp, who: &str, what: &str) -> Result<(), CatalogueError> {
        self.note(item, NoteKind::Action, at, who, what)
    }

    /// Adds to an item's errors; durable when this returns.
    ///
    /// # Errors
    /// There is no such item, writing failed, or no answer came in time.
    pub fn add_error(&self, item: ItemId, at: Timestamp, what: &str) -> Result<(), CatalogueError> {
        self.note(item, NoteKind::Error, at, "", what)
    }

    /// Changes an item's status with all that the change sets, adds it to the item's actions and to the log; durable
    /// when this returns. Which changes there are is for the caller to know.
    ///
    /// # Errors
    /// There is no such item, it is not in the status that the change was computed from, writing failed, or no answer
    /// came in time.
    pub fn change_status(&self, change: StatusChange) -> Result<(), CatalogueError> {
        self.ask(Own::Status(Box::new(change)))
    }

    /// At most `limit` rows of the log before `cursor`, newest first.
    ///
    /// # Errors
    /// Reading failed.
    pub fn log_page(&self, limit: usize, cursor: Option<&Cursor>) -> Result<LogPage, CatalogueError> {
        let limit = limit.clamp(1, PAGE_ITEMS_MAX);
        self.inner.readers.read(|connection| audit::page(connection, limit, cursor))
    }

    /// Counts everything again and follows the log's chain: a sentence for each thing that does not fit. Reads every
    /// row.
    ///
    /// # Errors
    /// Reading failed.
    pub fn check(&self) -> Result<Vec<String>, CatalogueError> {
        self.inner.readers.read(check::check)
    }

    /// Changes the bound on the file, in pages of 4096 bytes and 0 for none. It counts from the next time that the
    /// file is found full.
    pub fn allow_pages(&self, pages_max: u32) {
        self.inner.pages_max.store(pages_max, Ordering::Relaxed);
    }

    /// Applies what is queued and stops the owner thread. Reading goes on to work; changes are refused from now on.
    pub fn close(&self) {
        self.inner.queue.drain();
        self.inner.join();
    }

    /// Applies changes of the catalogue's own in one transaction; they are durable when this returns. Each has its own
    /// answer; a refused one changes nothing and does not hold up the others. Blocks.
    ///
    /// # Errors
    /// Nothing is applied: writing failed. Or no answer came in time; then all of it or nothing is.
    pub fn apply(&self, changes: Vec<Own>) -> Result<Vec<Result<(), CatalogueError>>, CatalogueError> {
        if changes.is_empty() {
            return Ok(Vec::new());
        }
        let (asked, answered): (Vec<_>, Vec<_>) = changes
            .into_iter()
            .map(|change| {
                let (answer, answered) = crossbeam_channel::bounded(1);
                (Asked { change, answer }, answered)
            })
            .unzip();
        self.inner.queue.ask_all(asked)?;
        let late = || CatalogueError::Late { waited_ms: ANSWER_WAIT_MAX.as_millis() as u64 };
        let answers = answered.iter().map(|one| one.recv_timeout(ANSWER_WAIT_MAX).map_err(|_| late()));
        answers.collect()
    }

    /// A sample's verdict, its findings by name; `None` before its first scan.
    ///
    /// # Errors
    /// Reading failed.
    pub fn verdict(&self, sample: SampleId) -> Result<Option<SampleVerdict>, CatalogueError> {
        self.inner.readers.read(|connection| verdict::of_sample(connection, sample))
    }

    /// Samples in which a signature was found, whether it counts or not, ascending.
    ///
    /// # Errors
    /// Reading failed.
    pub fn samples_with(&self, signature: &str) -> Result<Vec<SampleId>, CatalogueError> {
        self.inner.readers.read(|connection| verdict::samples_with(connection, signature))
    }

    /// Every signature that something was found by, ascending: as many as there are findings at most, and far fewer than
    /// there are signatures.
    ///
    /// # Errors
    /// Reading failed.
    pub fn signatures_found(&self) -> Result<Vec<String>, CatalogueError> {
        self.inner.readers.read(verdict::signatures_found)
    }

    /// At most `limit` samples after `after`, ascending, each with the set that its verdict holds for.
    ///
    /// # Errors
    /// Reading failed.
    pub fn samples_after(&self, after: SampleId, limit: usize) -> Result<Vec<SampleRow>, CatalogueError> {
        self.inner.readers.read(|connection| verdict::samples_after(connection, after, limit))
    }

    /// One sample, while it has items.
    ///
    /// # Errors
    /// Reading failed.
    pub fn sample_row(&self, sample: SampleId) -> Result<Option<SampleRow>, CatalogueError> {
        let rows = self.samples_after(SampleId(sample.0.saturating_sub(1)), 1)?;
        Ok(rows.into_iter().find(|row| row.sample == sample))
    }

    /// At most `limit` samples whose items are to be looked at, because what was found in them has changed.
    ///
    /// # Errors
    /// Reading failed.
    pub fn unsettled(&self, limit: usize) -> Result<Vec<Unsettled>, CatalogueError> {
        self.inner.readers.read(|connection| verdict::unsettled(connection, limit))
    }

    /// At most `limit` items of a sample after `after`, ascending.
    ///
    /// # Errors
    /// Reading failed.
    pub fn items_of(&self, sample: SampleId, after: ItemId, limit: usize) -> Result<Vec<ItemId>, CatalogueError> {
        self.inner.readers.read(|connection| verdict::items_of(connection, sample, after, limit))
    }

    /// How far a sample's submission has come; `None` when it is not under submission.
    ///
    /// # Errors
    /// Reading failed.
    pub fn submission(&self, sample: SampleId) -> Result<Option<SubmissionRow>, CatalogueError> {
        self.inner.readers.read(|connection| submission::of_sample(connection, sample))
    }

    /// At most `limit` submissions of samples after `after`, ascending.
    ///
    /// # Errors
    /// Reading failed.
    pub fn submissions(&self, after: SampleId, limit: usize) -> Result<Vec<SubmissionRow>, CatalogueError> {
        self.inner.readers.read(|connection| submission::after(connection, after, limit))
    }

    /// At most `limit` items of the queue for the gateway behind `after`: the highest priority first, then the oldest.
    ///
    /// # Errors
    /// Reading failed.
    pub fn queued(&self, after: Option<Queued>, limit: usize) -> Result<Vec<Queued>, CatalogueError> {
        self.inner.readers.read(|connection| submission::queued(connection, after, limit))
    }

    /// The highest set that an item needs which is Needed; 0 when none is.
    ///
    /// # Errors
    /// Reading failed.
    pub fn needed_sequence(&self) -> Result<Sequence, CatalogueError> {
        self.inner.readers.read(submission::needed)
    }

    /// How many items have come to a status after `since` and not after `until` and are in it still, and the first of them.
    /// Only for the statuses that wait: see [`Status`].
    ///
    /// # Errors
    /// Reading failed, or it took longer than a caller should wait.
    pub fn waiting(
        &self,
        status: Status,
        since: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> Result<(u64, Vec<ItemId>), CatalogueError> {
        self.inner.readers.read(|connection| submission::waiting(connection, status, since, until, limit))
    }

    /// A number that was remembered under a name; 0 for none.
    ///
    /// # Errors
    /// Reading failed.
    pub fn mark(&self, name: &str) -> Result<i64, CatalogueError> {
        self.inner.readers.read(|connection| {
            let found = connection
                .prepare_cached("SELECT value FROM mark WHERE name = ?1")?
                .query_row(params![name], |row| row.get(0))
                .optional()?;
            Ok(found.unwrap_or(0))
        })
    }

    /// At most `limit` clients after `after`, by name.
    ///
    /// # Errors
    /// Reading failed.
    pub fn clients(&self, after: &str, limit: usize) -> Result<Vec<ClientRow>, CatalogueError> {
        self.inner.readers.read(|connection| client::after(connection, after, limit))
    }

    /// What is known of a client.
    ///
    /// # Errors
    /// Reading failed.
    pub fn client(&self, name: &str) -> Result<Option<ClientRow>, CatalogueError> {
        self.inner.readers.read(|connection| client::named(connection, name))
    }

    /// The set that holds for each shelf.
    ///
    /// # Errors
    /// Reading failed.
    pub fn shelves(&self) -> Result<Vec<(u64, Sequence)>, CatalogueError> {
        self.inner.readers.read(verdict::shelves)
    }

    /// At most `limit` items of one status after `after`, oldest first.
    ///
    /// # Errors
    /// Reading failed.
    pub fn items_in(&self, status: Status, after: ItemId, limit: usize) -> Result<Vec<ItemId>, CatalogueError> {
        self.inner.readers.read(|connection| row::in_status(connection, status, after, limit))
    }

    fn note(&self, item: ItemId, kind: NoteKind, at: Timestamp, who: &str, what: &str) -> Result<(), CatalogueError> {
        self.ask(Own::Note(Note { item, kind, at, who: who.to_owned(), what: what.to_owned() }))
    }

    fn ask(&self, change: Own) -> Result<(), CatalogueError> {
        let (answer, answered) = crossbeam_channel::bounded(1);
        self.inner.queue.ask(Asked { change, answer })?;
        answered
            .recv_timeout(ANSWER_WAIT_MAX)
            .unwrap_or(Err(CatalogueError::Late { waited_ms: ANSWER_WAIT_MAX.as_millis() as u64 }))
    }
}

/// Removes a catalogue's files, so that the next [`Catalogue::open`] makes an empty one; none being there is fine.
/// Nothing may have it open.
///
/// # Errors
/// A file could not be removed.
pub fn remove(path: &Path) -> std::io::Result<()> {
    for suffix in ["-wal", "-shm", ""] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        match std::fs::remove_file(&name) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}

impl Inner {
    fn join(&self) {
        if let Some(owner) = self.owner.lock().take() {
            // It does not panic; if it did, the reason is already on stderr.
            let _ = owner.join();
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.queue.abandon();
        self.join();
    }
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
