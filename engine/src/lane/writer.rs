//! The lane: one at a time serves it, its own thread or a caller that found it free.

use super::active::Active;
use super::batch::{After, Batch, Coming, Content, How, Placing, Work};
use super::reserve::Reserve;
use crate::disk::AlignedBuf;
use crate::error::SubmitError;
use crate::pack::{Effort, Identity, pack};
use crate::quota::{FullReason, Refusal};
use crate::retry::{Remembered, RetryWindow};
use crate::segment::batch::BATCH_BYTES_MAX;
use crate::segment::footer::prefix;
use crate::shared::Shared;
use crossbeam_channel::{Receiver, RecvTimeoutError};
use model::SampleId;
use parking_lot::Mutex;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// How long the lane waits for work before it uses the time to prepare.
const IDLE_STEP: Duration = Duration::from_millis(10);
/// How long it waits when there is nothing to prepare either.
const IDLE_REST: Duration = Duration::from_secs(1);
/// A buffer larger than this is given back when the lane rests.
const BUFFER_KEPT_BYTES: usize = 256 << 10;
/// Bytes written between two looks at the free disk.
const LOOK_BYTES: u64 = 16 << 20;

/// The lane.
pub(crate) struct Lane {
    pub(super) shared: Arc<Shared>,
    work: Receiver<Work>,
    pub(super) active: Option<Active>,
    next_sequence: u64,
    pub(super) retry: RetryWindow,
    pub(super) buffer: AlignedBuf,
    since_look: u64,
    reserve: Reserve,
    closing: bool,
}

impl Lane {
    pub(crate) fn new(shared: Arc<Shared>, work: Receiver<Work>, next_sequence: u64, retry: RetryWindow) -> Self {
        let reserve = Reserve::take(&shared);
        Self {
            shared,
            work,
            active: None,
            next_sequence,
            retry,
            buffer: AlignedBuf::default(),
            since_look: u64::MAX / 2,
            reserve,
            closing: false,
        }
    }

    /// The lane's own thread: serves what is queued, prepares in idle moments, and in the end seals the active segment.
    pub(crate) fn run(lane: &Mutex<Self>, work: &Receiver<Work>) {
        let mut rest = IDLE_STEP;
        loop {
            match work.recv_timeout(rest) {
                Ok(first) => {
                    rest = IDLE_STEP;
                    if lane.lock().serve(first) {
                        break;
                    }
                }
                Err(RecvTimeoutError::Timeout) => rest = lane.lock().idle(),
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        lane.lock().end();
    }

    /// Serves work on the thread of the one who waits for it, with whatever else is queued: two changes of thread are
    /// saved, which at one writer take longer than the sync.
    ///
    /// # Errors
    /// The lane is closing; the work comes back.
    pub(crate) fn lead(&mut self, work: Work) -> Result<(), Work> {
        if self.closing {
            return Err(work);
        }
        let stop = self.serve(work);
        debug_assert!(!stop, "nobody says stop before the lane is closing");
        Ok(())
    }

    /// From here on only the lane's own thread serves.
    pub(crate) fn close(&mut self) {
        self.closing = true;
    }

    /// Tells whoever waits in the queue of a lane that has ended.
    pub(crate) fn refuse_queued(&mut self) {
        for work in self.work.try_iter() {
            work.fail(&SubmitError::Stopped("the store is closing".to_owned()));
        }
    }

    fn end(&mut self) {
        self.closing = true;
        // Said before the queue is emptied: whoever queues later sees it and empties the queue itself.
        self.shared.lane_ended.store(true, Ordering::SeqCst);
        self.refuse_queued();
        if self.shared.failure().is_none()
            && let Some(active) = self.active.take()
            && let Err(error) = active.seal(&self.shared)
        {
            // Nothing is lost: an unsealed segment is recovered at the next start.
            tracing::warn!(%error, "the active segment was not sealed");
        }
    }

    /// Takes what is ready, makes it durable, answers. `true` when told to stop.
    fn serve(&mut self, first: Work) -> bool {
        let mut batch = Batch::new(std::mem::take(&mut self.buffer), self.next_sequence);
        let mut next = Some(first);
        let mut stop = false;
        while let Some(work) = next {
            match work {
                Work::Stop => stop = true,
                other => self.place(other, &mut batch),
            }
            next = if stop || batch.builder.bytes() >= BATCH_BYTES_MAX { None } else { self.work.try_recv().ok() };
        }
        self.commit(batch);
        stop
    }

    fn idle(&mut self) -> Duration {
        if self.shared.failure().is_some() {
            return IDLE_REST;
        }
        if let Some(active) = &mut self.active
            && active.prepare(&self.shared)
        {
            return IDLE_STEP;
        }
        if self.buffer.capacity() > BUFFER_KEPT_BYTES {
            self.buffer = AlignedBuf::default();
        }
        self.shared.pool.trim();
        self.look_at_disk();
        self.reserve.renew(&self.shared);
        IDLE_REST
    }

    fn look_at_disk(&mut self) {
        self.since_look = 0;
        if let Ok(bytes) = self.shared.disk.free_bytes(&self.shared.data) {
            self.shared.ledger.set_free_disk(bytes);
        }
    }

    fn place(&mut self, work: Work, batch: &mut Batch) {
        if let Some(reason) = self.shared.failure() {
            work.fail(&SubmitError::Stopped(reason));
            return;
        }
        match work {
            Work::Arrive(coming, content) => self.place_arrival(coming, content, batch),
            Work::Delete { items, who, at_ms, done } => batch.delete(items, who, at_ms, done),
            Work::Tombstone { digest, sample, done } => {
                if self.shared.holds.lock().may_drop(sample) {
                    // From here on arrivals bring the bytes again; the record makes it so after a restart too.
                    self.shared.index.remove(prefix(&digest), sample);
                    batch.tombstone(digest, sample, done);
                } else {
                    done(Ok(false));
                }
            }
            Work::Barrier { seal, done } => batch.after.push(After::Passed { seal, done }),
            Work::Stop => {}
        }
    }

    fn place_arrival(&mut self, coming: Box<Coming>, content: Content, batch: &mut Batch) {
        if let Some(key) = &coming.arrival.retry_key {
            let earlier = batch.keyed(key).or_else(|| self.retry.get(key).map(|remembered| (remembered, 0)));
            if let Some((remembered, stored_bytes)) = earlier {
                self.repeat(coming, &content, remembered, stored_bytes, batch);
                return;
            }
        }
        if let Some((sample, stored_bytes)) = batch.fresh(&coming.digests.blake3) {
            let unpin = matches!(&content, Content::Here { body: None, .. });
            batch.arrive(coming, Placing::Known { sample, stored_bytes, unpin });
            return;
        }
        let placing = match content {
            Content::Here { known, body } => {
                let here = self.shared.index.place_of(prefix(&coming.digests.blake3), known.sample).is_some();
                match body {
                    // The sample was dropped while this arrival waited; its bytes are at hand and stored anew.
                    Some(body) if !here => {
                        let identity = Identity { id: coming.digests.blake3.0, raw_bytes: coming.raw_bytes };
                        Placing::Packed(pack(&self.shared.key, &body, &identity, Effort::Usual))
                    }
                    body => {
                        self.shared.holds.lock().touch(known.sample);
                        let unpin = body.is_none();
                        Placing::Known { sample: known.sample, stored_bytes: known.stored_bytes, unpin }
                    }
                }
            }
            Content::Packed(packed) => match self.here_by_now(&coming) {
                Some((sample, stored_bytes)) => Placing::Known { sample, stored_bytes, unpin: false },
                None => Placing::Packed(packed),
            },
            Content::Large(large) => match self.here_by_now(&coming) {
                Some((sample, stored_bytes)) => Placing::Known { sample, stored_bytes, unpin: false },
                None => Placing::Large(large),
            },
        };
        batch.arrive(coming, placing);
    }

    /// The sample, if another arrival brought it after this one was packed. A place that cannot be read counts as
    /// absent: the content is then stored again, which is never wrong.
    fn here_by_now(&self, coming: &Coming) -> Option<(SampleId, u64)> {
        let known = self.shared.find(&coming.digests.blake3).ok()??;
        self.shared.holds.lock().touch(known.sample);
        Some((known.sample, known.stored_bytes))
    }

    fn repeat(
        &self,
        coming: Box<Coming>,
        content: &Content,
        remembered: Remembered,
        stored_bytes: u64,
        batch: &mut Batch,
    ) {
        let stored_bytes = match content {
            Content::Here { known, body } => {
                if body.is_none() {
                    self.shared.holds.lock().unpin(known.sample);
                }
                known.stored_bytes
            }
            Content::Packed(_) | Content::Large(_) => stored_bytes,
        };
        if remembered.is_of(&coming.digests.blake3) {
            // Answered with the batch: the first attempt may be in it.
            batch.after.push(After::Repeated { remembered, stored_bytes, coming });
        } else {
            let Coming { done, permit, .. } = *coming;
            drop(permit);
            done(Err(SubmitError::KeyReused(remembered.item)));
        }
    }

    /// Makes the batch durable and does what follows from that.
    fn commit(&mut self, mut batch: Batch) {
        let after = std::mem::take(&mut batch.after);
        let last_sequence = batch.next_sequence - 1;
        let mut seal = false;
        if batch.builder.is_empty() {
            self.buffer = batch.builder.into_buffer();
            for after in after {
                seal |= self.answer_unwritten(after, last_sequence);
            }
        } else {
            match self
                .write(batch, after.iter().any(|after| matches!(after, After::Deleted { .. } | After::Dropped { .. })))
            {
                Ok(start) => seal = self.settle(after, start, last_sequence),
                Err(error) => {
                    let may_be_on_disk = matches!(error, SubmitError::Stopped(_));
                    for mut after in after {
                        if let After::Dropped { digest, sample, .. } = &after {
                            self.put_back(digest, *sample);
                        }
                        self.unpin(&after);
                        if may_be_on_disk {
                            after.keep_file();
                        }
                        after.fail(&error);
                    }
                }
            }
        }
        if seal {
            self.seal_active();
        }
    }

    /// A tombstone that was not written: the sample is still there.
    fn put_back(&self, digest: &model::Blake3, sample: SampleId) {
        if let Some((_, place)) = self.shared.table.locate(sample.0) {
            self.shared.index.put(prefix(digest), sample, place);
        }
    }

    fn unpin(&self, after: &After) {
        if let After::Arrived { how: How::Known { sample, unpin: true, .. }, .. } = after {
            self.shared.holds.lock().unpin(*sample);
        }
    }

    fn answer_unwritten(&self, after: After, last_sequence: u64) -> bool {
        match after {
            After::Repeated { remembered, stored_bytes, coming } => {
                self.answer_repeated(remembered, stored_bytes, *coming)
            }
            After::Passed { seal, done } => {
                done(Ok(last_sequence));
                return seal;
            }
            After::Arrived { .. } | After::Deleted { .. } | After::Dropped { .. } => {
                unreachable!("what has a record makes the batch one to write")
            }
        }
        false
    }

    /// Writes the batch; gives its offset in the active segment.
    fn write(&mut self, batch: Batch, may_use_reserve: bool) -> Result<u64, SubmitError> {
        let records = batch.records();
        let bytes = batch.builder.bytes() as u64;
        let active = match self.room(bytes, records, may_use_reserve) {
            Ok(active) => active,
            Err(error) => {
                self.buffer = batch.builder.into_buffer();
                return Err(error);
            }
        };
        let start = active.growing.written();
        let header = active.growing.header;
        let (pages, chain) = batch.builder.close(header.segment, header.store, active.growing.batches(), start);
        let began = Instant::now();
        let (pages, outcome) = active.growing.append(pages, chain);
        self.buffer = pages;
        match outcome {
            Ok(()) => {
                self.next_sequence = batch.next_sequence;
                self.since_look += bytes;
                let counters = &self.shared.counters;
                counters.sync_us.observe_us(began.elapsed());
                counters.batch_records.observe(records as u64);
                counters.log_bytes.add(bytes);
                Ok(start)
            }
            Err(error) => {
                Err(self.poison(format!("writing {bytes} bytes to segment {} failed: {error}", header.segment)))
            }
        }
    }

    /// The active segment, with room for the batch.
    fn room(&mut self, bytes: u64, records: usize, may_use_reserve: bool) -> Result<&mut Active, SubmitError> {
        if self.since_look > LOOK_BYTES {
            self.look_at_disk();
        }
        let segment_bytes = self.shared.settings.segment_bytes();
        if self.active.as_ref().is_some_and(|active| !active.has_room(bytes, records, segment_bytes)) {
            self.seal_active();
            if let Some(reason) = self.shared.failure() {
                return Err(SubmitError::Stopped(reason));
            }
        }
        if may_use_reserve {
            self.look_at_disk();
            // The catalogue and compaction need room too before a deletion can free any.
            if self.shared.ledger.quota().free_disk_bytes < segment_bytes / 2 {
                self.reserve.release(&self.shared);
            }
        }
        let mut outcome = self.ready(bytes, segment_bytes);
        if may_use_reserve && matches!(&outcome, Err(error) if error.kind() == io::ErrorKind::StorageFull) {
            self.reserve.release(&self.shared);
            outcome = self.ready(bytes, segment_bytes);
        }
        match outcome {
            Ok(()) => match &mut self.active {
                Some(active) => Ok(active),
                None => unreachable!("it was made ready"),
            },
            Err(error) if error.kind() == io::ErrorKind::StorageFull => {
                self.look_at_disk();
                let quota = self.shared.ledger.quota();
                Err(SubmitError::Refused(Refusal::Full { what: FullReason::Disk, quota }))
            }
            Err(error) => Err(self.poison(format!("making room in a segment failed: {error}"))),
        }
    }

    fn ready(&mut self, bytes: u64, segment_bytes: u64) -> io::Result<()> {
        if self.active.is_none() {
            let id = self.shared.allot_segment().ok_or_else(|| io::Error::other("all segment numbers are used"))?;
            self.active = Some(Active::create(&self.shared, id)?);
        }
        match &mut self.active {
            Some(active) => active.make_room(bytes, segment_bytes),
            None => unreachable!("it was made above"),
        }
    }

    fn seal_active(&mut self) {
        let Some(active) = self.active.take() else { return };
        if let Err(error) = active.seal(&self.shared) {
            // The segment's records are durable and stay readable; only a new start may tell how the file stands.
            self.poison(format!("sealing a segment failed: {error}"));
        }
    }

    /// After this nothing is answered with yes. The same bytes are never written or synced again: the kernel may have
    /// dropped them and would say yes.
    fn poison(&mut self, reason: String) -> SubmitError {
        tracing::error!(reason, "the store stops writing until it is opened again");
        self.shared.fail(reason.clone());
        SubmitError::Stopped(reason)
    }
}
