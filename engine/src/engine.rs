//! The engine as its users see it: admit, submit, read, delete.

use crate::catalogue::{Catalogue, CatalogueError, CatalogueSettings};
use crate::counters::Counters;
use crate::disk::Disk;
use crate::error::{Damage, OpenError, ReadError, SubmitError, opening};
use crate::housekeeping::Housekeeping;
use crate::lane::{Coming, Content, Done, Doomed, Lane, Outcome, WORK_MAX, Work};
use crate::large::LargeWriter;
use crate::pack::{Identity, Pressure, digest, pack};
use crate::pool::Buffer;
use crate::quota::{Ledger, Level, Limits, PERMITS_MAX, Permit, QuotaState, Refusal, SlowReason};
use crate::recovery::{Recovery, recover, sample_of};
use crate::reply::reply;
use crate::sample::Sample;
use crate::segment::footer::prefix;
use crate::segment::{parse_name, segments_dir};
use crate::settings::Settings;
use crate::shared::{Known, Shared, now_ms};
use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use model::{Arrival, Blake3, ItemId, SampleId, Sha256};
use parking_lot::Mutex;
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long opening waits for the catalogue to list what was replayed: a start after a kill has two seconds in all.
const REPLAY_WAIT_MAX: Duration = Duration::from_secs(1);

/// What someone wants to bring.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// Plain bytes; 0 when unknown, the permit then grows with the stream.
    pub raw_bytes: u64,
    /// The content is known to be here: only an item will be added.
    pub known: bool,
    /// Who asks.
    pub client: &'a str,
}

/// A body with what belongs to it.
#[derive(Debug)]
pub struct Submission {
    /// Granted before the body was read.
    pub permit: Permit,
    /// The plain bytes.
    pub body: Buffer,
    /// Who sent it, when and why.
    pub arrival: Arrival,
    /// The digest that the sender announced.
    pub expected: Option<Blake3>,
}

/// Whether the store takes arrivals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// Yes.
    Running,
    /// A write failed; reading goes on, writing needs the store to be opened again.
    Stopped {
        /// What failed.
        reason: String,
    },
}

/// An open store. Clones share it.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

struct Inner {
    shared: Arc<Shared>,
    packers: Sender<Job>,
    work: Sender<Work>,
    lane: Arc<Mutex<Lane>>,
    housekeeping: Housekeeping,
    threads: Mutex<Threads>,
    /// Held while the store is open.
    _lock: Box<dyn Send + Sync>,
}

#[derive(Default)]
struct Threads {
    packers: Vec<JoinHandle<()>>,
    lane: Option<JoinHandle<()>>,
}

/// A body for a packer; `None` ends one packer.
type Job = Option<Box<(Submission, Instant, Done)>>;

impl Engine {
    /// Opens or makes the store in `data`: recovers what a crash left and brings the catalogue up to the log. Blocks.
    ///
    /// # Errors
    /// In use, unreadable, the key is missing, or the catalogue does not open. Nothing is lost by trying again.
    pub fn open(data: &Path, settings: Settings, disk: Arc<dyn Disk>) -> Result<(Self, Recovery), OpenError> {
        let began = Instant::now();
        let dir = segments_dir(data);
        disk.create_dir(&dir).map_err(opening("make", &dir))?;
        let lock = disk.lock(data).map_err(|error| match error.kind() {
            std::io::ErrorKind::WouldBlock => OpenError::InUse(data.to_owned()),
            _ => opening("lock", data)(error),
        })?;
        let names = disk.list(&dir).map_err(opening("list", &dir))?;
        let key = crate::key::load(&*disk, data, names.iter().any(|name| parse_name(name, ".seg").is_some()))?;
        let catalogue_dir = data.join("catalogue");
        // SQLite gives its files the usual mode; nobody else gets as far as them.
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&catalogue_dir);
        made.map_err(opening("make", &catalogue_dir))?;
        // Whoever has a permit may still feed when the bound is reached, and the lane never waits for the catalogue.
        let queue_changes_max = settings.catalogue_lag_max as usize + 2 * PERMITS_MAX as usize;
        let catalogue_settings = CatalogueSettings { queue_changes_max, ..CatalogueSettings::default() };
        let catalogue =
            Catalogue::open(&catalogue_dir.join("catalogue.db"), catalogue_settings).map_err(OpenError::Catalogue)?;
        let ledger = Arc::new(Ledger::new(limits(&settings)));
        // A quarter of the store may wait for the finish pass.
        let pressure = Pressure::new(settings.codec, settings.pack_threads, settings.max_bytes / 4);
        let shared =
            Arc::new(Shared::new(disk, data.to_owned(), key.store, key.key, settings, ledger, pressure, catalogue));
        let mut recovered = recover(&shared)?;
        for (client, items, raw_bytes) in shared.catalogue.client_usage().map_err(OpenError::Catalogue)? {
            shared.ledger.restore_client(client, raw_bytes + items * crate::quota::ITEM_BYTES);
        }
        // A short replay is listed when the store opens; a long one goes on behind it, and its lag is visible.
        shared.catalogue.reach(recovered.next_sequence - 1, REPLAY_WAIT_MAX);
        recovered.report.took = began.elapsed();
        let (work, work_queue) = bounded(WORK_MAX);
        let (packers, jobs) = bounded::<Job>(PERMITS_MAX as usize + 256);
        let queue = work_queue.clone();
        let lane = Lane::new(Arc::clone(&shared), work_queue, recovered.next_sequence, recovered.retry);
        let lane = Arc::new(Mutex::new(lane));
        let housekeeping = Housekeeping::new(Arc::clone(&shared), work.clone(), recovered.candidates);
        let engine = Self {
            inner: Arc::new(Inner {
                shared,
                packers,
                work,
                lane,
                housekeeping,
                threads: Mutex::default(),
                _lock: lock,
            }),
        };
        engine.start_threads(queue, &jobs).map_err(opening("start threads for", data))?;
        Ok((engine, recovered.report))
    }

    fn start_threads(&self, queue: Receiver<Work>, jobs: &Receiver<Job>) -> std::io::Result<()> {
        let mut threads = self.inner.threads.lock();
        let lane = Arc::clone(&self.inner.lane);
        let serve = move || Lane::run(&lane, &queue);
        threads.lane = Some(std::thread::Builder::new().name("lane".to_owned()).spawn(serve)?);
        for number in 0..self.inner.shared.settings.pack_threads.max(1) {
            let (shared, jobs, work) = (Arc::clone(self.shared()), jobs.clone(), self.inner.work.clone());
            let packer = move || {
                while let Ok(Some(job)) = jobs.recv() {
                    let (submission, submitted, done) = *job;
                    send(&work, prepare(&shared, submission, submitted, done));
                }
            };
            threads.packers.push(std::thread::Builder::new().name(format!("pack-{number}")).spawn(packer)?);
        }
        self.inner.housekeeping.start()
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.inner.shared
    }

    pub(crate) fn send(&self, work: Work) {
        send(&self.inner.work, Some(work));
        // The lane may have ended between its last look into the queue and this; the caller must not wait for ever.
        if self.shared().lane_ended.load(Ordering::SeqCst) {
            self.inner.lane.lock().refuse_queued();
        }
    }

    /// Decides whether an arrival may come, before a byte of its body is read. Never blocks.
    ///
    /// # Errors
    /// Too large, too fast, or full, as [`Refusal`] says.
    pub fn admit(&self, ask: &Ask<'_>) -> Result<Permit, Refusal> {
        let shared = self.shared();
        if shared.failure().is_some() {
            return Err(Refusal::Stopped);
        }
        let lag = shared.catalogue.lag();
        if lag > shared.settings.catalogue_lag_max {
            // The catalogue takes some 50,000 changes a second.
            let retry_after_ms = ((lag - shared.settings.catalogue_lag_max) / 50).clamp(100, 5000);
            return Err(Refusal::SlowDown { retry_after_ms, reason: SlowReason::CatalogueLag });
        }
        shared.ledger.admit(ask.raw_bytes, ask.known, ask.client)
    }

    /// An empty buffer with room for `bytes`, given back to its pool when dropped.
    #[must_use]
    pub fn buffer(&self, bytes: usize) -> Buffer {
        self.shared().pool.take(bytes)
    }

    /// Hands a body to the packers. `done` is called from an engine thread once the arrival is durable or has failed.
    /// Never blocks: the permit is the place in the queue.
    pub fn submit(&self, submission: Submission, done: Done) {
        self.shared().pressure.arrive();
        match self.inner.packers.try_send(Some(Box::new((submission, Instant::now(), done)))) {
            Ok(()) => {}
            Err(TrySendError::Full(job) | TrySendError::Disconnected(job)) => {
                self.shared().pressure.leave();
                if let Some(job) = job {
                    let (submission, _, done) = *job;
                    drop(submission);
                    done(Err(SubmitError::Stopped("the store is closing".to_owned())));
                }
            }
        }
    }

    /// Hands a body to the packers and waits until the arrival is durable. Blocks.
    ///
    /// # Errors
    /// As [`SubmitError`] says; the arrival is then not stored.
    pub fn submit_and_wait(&self, submission: Submission) -> Outcome {
        let (answer, outcome) = reply();
        self.submit(submission, Box::new(move |outcome| answer.give(outcome)));
        outcome.wait().unwrap_or_else(|| Err(SubmitError::Stopped("the store is closing".to_owned())))
    }

    /// Packs on the calling thread and waits until the arrival is durable. Blocks.
    ///
    /// # Errors
    /// As [`SubmitError`] says; the arrival is then not stored.
    pub fn put(&self, submission: Submission) -> Outcome {
        let (answer, outcome) = reply();
        let done: Done = Box::new(move |outcome| answer.give(outcome));
        self.shared().pressure.arrive();
        if let Some(work) = prepare(self.shared(), submission, Instant::now(), done) {
            self.lead_or_send(work);
        }
        outcome.wait().unwrap_or_else(|| Err(SubmitError::Stopped("the store is closing".to_owned())))
    }

    /// Serves the lane on this thread when it is free, else queues.
    fn lead_or_send(&self, work: Work) {
        let queued = match self.inner.lane.try_lock() {
            Some(mut lane) => lane.lead(work).err(),
            None => Some(work),
        };
        if let Some(work) = queued {
            self.send(work);
        }
    }

    /// Adds an item to content that is here, without its bytes. `done` as in [`Engine::submit`].
    ///
    /// # Errors
    /// The digest is unknown: permit and arrival come back, and the bytes must be sent.
    #[expect(clippy::result_large_err, reason = "what comes back is what was handed in")]
    pub fn offer(
        &self,
        permit: Permit,
        digest: &Blake3,
        arrival: Arrival,
        done: Done,
    ) -> Result<(), (Permit, Arrival, Done)> {
        let Ok(Some(known)) = self.find_and_pin(digest) else { return Err((permit, arrival, done)) };
        let digests = crate::pack::Digests { blake3: *digest, sha256: known.sha256 };
        let coming = Coming { digests, raw_bytes: known.raw_bytes, arrival, permit, submitted: Instant::now(), done };
        self.send(Work::Arrive(Box::new(coming), Content::Here { known, body: None }));
        Ok(())
    }

    /// Looks a digest up and keeps its sample from being dropped until the lane has dealt with an arrival on it.
    pub(crate) fn find_and_pin(&self, digest: &Blake3) -> Result<Option<Known>, ReadError> {
        let shared = self.shared();
        let Some(known) = shared.find(digest)? else { return Ok(None) };
        shared.holds.lock().pin(known.sample);
        if shared.index.place_of(prefix(digest), known.sample).is_some() {
            return Ok(Some(known));
        }
        shared.holds.lock().unpin(known.sample);
        Ok(None)
    }

    /// Starts a sample that is too large for memory, or of unknown length. Its writer blocks.
    ///
    /// # Errors
    /// The store is full or stopped.
    pub fn large(&self, permit: Permit, arrival: Arrival) -> Result<LargeWriter, SubmitError> {
        LargeWriter::begin(self, permit, arrival)
    }

    /// Whether this content is here, as far as is known undamaged.
    #[must_use]
    pub fn knows(&self, digest: &Blake3) -> bool {
        matches!(self.shared().find(digest), Ok(Some(_)))
    }

    /// The samples that a BLAKE3 or, when none has it, a SHA-256 names, as far as the catalogue lists them. One content is
    /// several samples when a damaged copy was replaced. Blocks.
    ///
    /// # Errors
    /// The catalogue cannot be read, or has so many samples that the question must be asked again.
    pub fn samples_named(&self, digest: &[u8; 32]) -> Result<Vec<SampleId>, CatalogueError> {
        let mut named = Vec::new();
        for sample in self.shared().index.samples_of(prefix(&Blake3(*digest))) {
            // Not the sample's record: a damaged one still has its items.
            if self.catalogue().digests_of(sample)?.is_some_and(|(blake3, _)| blake3.0 == *digest) {
                named.push(sample);
            }
        }
        if named.is_empty() { self.catalogue().samples_with_sha256(&Sha256(*digest)) } else { Ok(named) }
    }

    /// Opens a sample for reading. Blocks.
    ///
    /// # Errors
    /// Its record is damaged, or the disk said no.
    pub fn sample(&self, digest: &Blake3) -> Result<Option<Sample>, ReadError> {
        for _ in 0..3 {
            let Some(known) = self.shared().find_for_reading(digest)? else { return Ok(None) };
            // A segment replaced between the two looks is found at its new place by the next.
            if let Some(sample) = Sample::open(self.shared(), digest, known)? {
                return Ok(Some(sample));
            }
        }
        Ok(None)
    }

    /// Deletes items; durable when it returns. Gives those that existed. Blocks.
    ///
    /// # Errors
    /// The store has stopped, or even its reserve of disk space is gone.
    pub fn delete(&self, items: &[ItemId], who: &str) -> Result<Vec<ItemId>, SubmitError> {
        /// Ids in one deletion record: 32 KiB of them.
        const IDS_PER_RECORD: usize = 4096;
        let mut gone = Vec::with_capacity(items.len());
        for chunk in items.chunks(IDS_PER_RECORD) {
            let (doomed, candidates): (Vec<_>, Vec<_>) = chunk.iter().filter_map(|item| self.doom(*item)).unzip();
            if doomed.is_empty() {
                continue;
            }
            gone.extend(doomed.iter().map(|doomed: &Doomed| doomed.item));
            let (answer, outcome) = reply();
            let who = who.chars().take(model::limits::CLIENT_BYTES_MAX / 4).collect();
            let done = Box::new(move |outcome| answer.give(outcome));
            self.send(Work::Delete { items: doomed, who, at_ms: now_ms(), done });
            outcome.wait().unwrap_or_else(|| Err(SubmitError::Stopped("the store is closing".to_owned())))?;
            self.inner.housekeeping.consider(candidates);
        }
        Ok(gone)
    }

    fn doom(&self, item: ItemId) -> Option<(Doomed, (Blake3, SampleId))> {
        let shared = self.shared();
        if shared.dead.lock().items.contains(&item.0) {
            return None;
        }
        let (segment, place) = shared.table.locate(item.0)?;
        let view = segment.record(place.offset).ok()?;
        if !view.head.kind.is_arrival() || view.head.content_only {
            return None;
        }
        let client = Arrival::decode(view.meta()).map(|arrival| arrival.client).unwrap_or_default();
        let record_bytes = view.head.record_bytes() as u64;
        let doomed = Doomed { item, client, record_bytes, kind: view.head.kind };
        Some((doomed, (view.head.blake3, sample_of(&view))))
    }

    /// The catalogue of items.
    #[must_use]
    pub fn catalogue(&self) -> &Catalogue {
        &self.shared().catalogue
    }

    /// What the quota stands at.
    #[must_use]
    pub fn quota(&self) -> QuotaState {
        self.shared().ledger.quota()
    }

    /// Charges the quota for what the caller is about to keep beside the samples; false when it does not fit, and then it is
    /// not to be kept.
    #[must_use]
    pub fn charge_derived(&self, bytes: u64) -> bool {
        self.shared().ledger.charge_derived(bytes)
    }

    /// Charges the quota for what is kept beside the samples since before the store was opened.
    pub fn restore_derived(&self, bytes: u64) {
        self.shared().ledger.restore_derived(bytes);
    }

    /// What was kept beside the samples is gone.
    pub fn release_derived(&self, bytes: u64) {
        self.shared().ledger.release_derived(bytes);
    }

    /// The seam to the operating system that it was opened with.
    #[must_use]
    pub fn disk(&self) -> &Arc<dyn Disk> {
        &self.shared().disk
    }

    /// Whether the store takes arrivals.
    #[must_use]
    pub fn health(&self) -> Health {
        self.shared().failure().map_or(Health::Running, |reason| Health::Stopped { reason })
    }

    /// What the engine counts about itself.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.shared().counters
    }

    /// Plain bytes stored lightly that the finish pass has yet to make up for.
    #[must_use]
    pub fn finish_backlog_bytes(&self) -> u64 {
        self.shared().pressure.light_bytes()
    }

    /// Bytes of memory that the dedupe index takes.
    #[must_use]
    pub fn index_memory_bytes(&self) -> u64 {
        self.shared().index.memory_bytes()
    }

    /// Damaged places found since the store was opened.
    #[must_use]
    pub fn damage(&self) -> Vec<Damage> {
        self.shared().damage()
    }

    /// The settings it was opened with.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.shared().settings
    }

    /// Changes the limits while the store is open.
    pub fn change_limits(&self, max_bytes: u64, max_samples: u64, low_percent: u8, high_percent: u8) {
        self.shared().ledger.change_limits(|limits| {
            limits.max_bytes = max_bytes;
            limits.max_samples = max_samples;
            limits.low_percent = low_percent;
            limits.high_percent = high_percent;
        });
    }

    /// Runs the background passes once, to their end: drops, compaction, finish, scrub. Blocks.
    pub fn tidy(&self) {
        self.inner.housekeeping.run_once();
    }

    /// Finishes what was submitted, seals the active segment, and stops. Blocks. Later calls do nothing.
    pub fn close(&self) {
        self.inner.housekeeping.stop();
        let mut threads = self.inner.threads.lock();
        for _ in &threads.packers {
            let _ = self.inner.packers.send(None);
        }
        for packer in threads.packers.drain(..) {
            let _ = packer.join();
        }
        if let Some(lane) = threads.lane.take() {
            self.inner.lane.lock().close();
            let _ = self.inner.work.send(Work::Stop);
            let _ = lane.join();
        }
        self.shared().catalogue.close();
        self.shared().suspects.save(&*self.shared().disk, &self.shared().data);
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // Without `close` the store is as after a kill: the threads end, the segment stays open for recovery.
        self.housekeeping.stop();
        let threads = self.threads.get_mut();
        for _ in &threads.packers {
            let _ = self.packers.send(None);
        }
        for packer in threads.packers.drain(..) {
            let _ = packer.join();
        }
        if let Some(lane) = threads.lane.take() {
            self.lane.lock().close();
            let _ = self.work.send(Work::Stop);
            let _ = lane.join();
        }
    }
}

/// Queues work; the lane answers it even while it stops, and when it has stopped the answer is given here.
fn send(lane: &Sender<Work>, work: Option<Work>) {
    if let Some(work) = work
        && let Err(rejected) = lane.send(work)
    {
        rejected.0.fail(&SubmitError::Stopped("the store is closing".to_owned()));
    }
}

/// A body becomes work for the lane, or an error becomes the answer.
fn prepare(shared: &Shared, submission: Submission, submitted: Instant, done: Done) -> Option<Work> {
    let made = pack_submission(shared, submission, submitted);
    shared.pressure.leave();
    match made {
        Ok((unanswered, content)) => Some(Work::Arrive(Box::new(unanswered.answered_by(done)), content)),
        Err(error) => {
            done(Err(error));
            None
        }
    }
}

/// An arrival without the one who waits for its answer.
struct Unanswered {
    digests: crate::pack::Digests,
    raw_bytes: u64,
    arrival: Arrival,
    permit: Permit,
    submitted: Instant,
}

impl Unanswered {
    fn answered_by(self, done: Done) -> Coming {
        let Self { digests, raw_bytes, arrival, permit, submitted } = self;
        Coming { digests, raw_bytes, arrival, permit, submitted, done }
    }
}

fn pack_submission(
    shared: &Shared,
    submission: Submission,
    submitted: Instant,
) -> Result<(Unanswered, Content), SubmitError> {
    let Submission { permit, body, arrival, expected } = submission;
    if let Some(reason) = shared.failure() {
        return Err(SubmitError::Stopped(reason));
    }
    let raw_bytes = body.len() as u64;
    if !permit.covers(raw_bytes) {
        return Err(SubmitError::Refused(Refusal::TooLarge { bytes: raw_bytes, limit: permit.covered_bytes() }));
    }
    let began = Instant::now();
    let digests = digest(&body);
    if let Some(expected) = expected.filter(|expected| *expected != digests.blake3) {
        return Err(SubmitError::DigestMismatch { expected, actual: digests.blake3 });
    }
    // A place that does not read counts as unknown: the content is then stored again, which is never wrong.
    let content = match shared.find(&digests.blake3) {
        Ok(Some(known)) => Content::Here { known, body: Some(body) },
        Ok(None) | Err(_) => {
            let identity = Identity { id: digests.blake3.0, raw_bytes };
            let roomy = shared.ledger.quota().level == Level::Normal;
            let packed = pack(&shared.key, &body, &identity, shared.pressure.effort(roomy));
            shared.counters.packed_at(packed.effort);
            shared.counters.pack_us.observe_us(began.elapsed());
            Content::Packed(packed)
        }
    };
    Ok((Unanswered { digests, raw_bytes, arrival, permit, submitted }, content))
}

fn limits(settings: &Settings) -> Limits {
    Limits {
        max_bytes: settings.max_bytes,
        max_samples: settings.max_samples,
        low_percent: settings.low_percent,
        high_percent: settings.high_percent,
        sample_bytes_max: settings.sample_bytes_max,
        client_share_percent: settings.client_share_percent,
        disk_reserve_bytes: settings.segment_bytes(),
    }
}
