//! One sample goes to the gateway.

use super::lane::Lane;
use super::parcel::{NoParcel, Parcel};
use super::task::{Ended, Work};
use crate::control::Event;
use crate::daemon::clock;
use engine::catalogue::{Own, Queued, SubmissionRow};
use gateway::reply::Taken;
use gateway::{Client, Submission, Trouble};
use model::submission::Stage;
use model::{Blake3, Item, SampleId};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

/// Items of the queue that are read at a time.
const PAGE: usize = 256;
/// Samples under way to the gateway at once: the gateway syncs each, and syncs of many at once cost little more than one.
const AT_ONCE: usize = 16;
/// So few bytes are sent without asking first whether they are there already.
const STRAIGHT_BYTES_MAX: u64 = 64 << 10;
/// Samples that are known to be stuck.
const STUCK_MAX: usize = 1024;
/// How long the queue is left when all that is in it is stuck.
const STUCK_WAIT: Duration = Duration::from_secs(15);
/// How long opening a sample may be impossible before the queue is left for this time.
const DOWN_WAIT: Duration = Duration::from_secs(10);

/// Samples that the gateway took none of last time.
///
/// They go last: one that something on the way never lets through would keep all behind it from the centre.
#[derive(Debug, Default)]
pub(super) struct Stuck(HashSet<SampleId>);

impl Stuck {
    /// Whether it was not among them. More than [`STUCK_MAX`] are no exceptions: all are in their places again.
    fn insert(&mut self, sample: SampleId) -> bool {
        if self.0.len() >= STUCK_MAX {
            self.0.clear();
        }
        self.0.insert(sample)
    }
}

impl Work {
    /// Goes through the queue once, by priority. It ends early when something else is due.
    pub(super) async fn submit_queued(&mut self, client: &Arc<Client>) -> Result<(), Ended> {
        let mut after: Option<Queued> = None;
        let mut seen: HashSet<SampleId> = HashSet::new();
        let mut last = Vec::new();
        loop {
            let page = self.read(move |catalogue| catalogue.queued(after, PAGE)).await?;
            let Some(end) = page.last() else { break };
            after = Some(*end);
            let fresh = page.into_iter().filter(|queued| seen.insert(queued.sample));
            let (stuck, first): (Vec<_>, Vec<_>) = fresh.partition(|queued| self.stuck.0.contains(&queued.sample));
            last.extend(stuck);
            if !self.submit_each(client, &first).await? {
                return Ok(());
            }
        }
        // What is not in the queue any more is not stuck in it.
        self.stuck.0.retain(|sample| seen.contains(sample));
        match self.submit_each(client, &last).await {
            // What is wrong with these is wrong with them alone: whoever comes next does not wait as for an outage.
            Err(Ended::Trouble(trouble)) if trouble.may_be_about_one() => {
                Err(Ended::Wait(trouble.to_string(), STUCK_WAIT))
            }
            done => done.map(drop),
        }
    }

    /// False when it ended early.
    async fn submit_each(&mut self, client: &Arc<Client>, queue: &[Queued]) -> Result<bool, Ended> {
        // Only those of one priority are under way together, so that none overtakes a more urgent one.
        let equals = queue.chunk_by(|one, other| one.priority == other.priority);
        for together in equals.flat_map(|equals| equals.chunks(AT_ONCE)) {
            let mut running = tokio::task::JoinSet::new();
            for queued in together.iter().copied() {
                let (work, client) = (self.one(), Arc::clone(client));
                running.spawn(async move { (queued.sample, work.submit(&client, queued).await) });
            }
            let mut ended = Ok(());
            while let Some(done) = running.join_next().await {
                let (sample, outcome) = done.map_err(|error| Ended::Here(error.to_string()))?;
                match outcome {
                    Ok(()) => drop(self.stuck.0.remove(&sample)),
                    Err(Ended::Trouble(trouble)) => {
                        if self.stuck.insert(sample) {
                            self.note_trouble(Lane::Submissions, sample, &trouble).await;
                        }
                        ended = Err(Ended::Trouble(trouble));
                    }
                    Err(other) => ended = Err(other),
                }
            }
            ended?;
            if self.is_wanted_elsewhere() {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// What became of an attempt to send.
enum Sent {
    /// The gateway said so.
    Taken(Taken),
    /// The sample cannot be read, and no attempt will change that.
    Unreadable(String),
}

/// What one submission needs of the task.
pub(super) struct One {
    pub work: super::task::Shared,
}

impl One {
    async fn submit(&self, client: &Client, queued: Queued) -> Result<(), Ended> {
        let (sample, item) = (queued.sample, queued.item);
        let row = self.work.read(move |catalogue| catalogue.submission(sample)).await?;
        match row.as_ref().map(|row| row.stage) {
            // It is there: its items are told again, for this one came since.
            Some(Stage::Accepted) => {
                return match row {
                    Some(row) => self.work.tell(Event::Staged(Box::new(row))).await,
                    None => Ok(()),
                };
            }
            // The control loop is telling them.
            Some(Stage::Refused | Stage::Answered(_)) => return Ok(()),
            Some(Stage::Sending) | None => {}
        }
        let Some(item) = self.work.read(move |catalogue| catalogue.item(item)).await? else { return Ok(()) };
        let (context, of) = (Arc::clone(&self.work.context), item.clone());
        let engine = self.work.engine.clone();
        let made = tokio::task::spawn_blocking(move || Parcel::make(&context, &engine, sample, &of)).await;
        let parcel = match made.map_err(|error| Ended::Here(error.to_string()))? {
            Ok(parcel) => Arc::new(parcel),
            // Its items go with it.
            Err(NoParcel::Gone) => return Ok(()),
            Err(NoParcel::NotStripped(why)) => return self.work.tell(Event::NotStripped { sample, why }).await,
            Err(NoParcel::Unreadable(why)) => return self.work.tell(Event::Unreadable { sample, why }).await,
            Err(NoParcel::Down(why)) => return Err(Ended::Wait(why, DOWN_WAIT)),
            Err(NoParcel::Catalogue(error)) => return Err(Ended::Here(error.to_string())),
        };
        let is_first = row.is_none();
        let row = self.begun(sample, row, &parcel).await?;
        let submission = message(&row, &item, queued.priority);
        match self.send(client, &submission, &parcel, is_first).await? {
            Sent::Taken(Taken::Accepted) => self.staged(row, Stage::Accepted, String::new()).await,
            Sent::Taken(Taken::Refused { why }) => self.staged(row, Stage::Refused, why).await,
            Sent::Taken(Taken::Partly { .. }) => {
                Err(Ended::Trouble(Trouble::Nonsense("it wants more than there is".to_owned())))
            }
            Sent::Unreadable(why) => self.work.tell(Event::Unreadable { sample, why }).await,
        }
    }

    /// The submission with its key, durable. A broken one is gone on with as long as it sends the same bytes.
    async fn begun(
        &self,
        sample: SampleId,
        row: Option<SubmissionRow>,
        parcel: &Parcel,
    ) -> Result<SubmissionRow, Ended> {
        if let Some(row) = row.filter(|row| row.sent_blake3 == parcel.blake3) {
            return Ok(row);
        }
        let row = SubmissionRow {
            sample,
            key: crate::security::secrets::name().map_err(|error| Ended::Here(error.to_string()))?,
            stage: Stage::Sending,
            sent_blake3: parcel.blake3,
            sent_bytes: parcel.bytes,
            stripped: parcel.stripped.clone(),
            what: String::new(),
            at: clock::now(),
        };
        let change = Own::Submission(Box::new(row.clone()));
        self.work.read(move |catalogue| catalogue.apply(vec![change])).await?;
        Ok(row)
    }

    async fn send(
        &self,
        client: &Client,
        submission: &Submission,
        parcel: &Arc<Parcel>,
        is_first: bool,
    ) -> Result<Sent, Ended> {
        let mut taken = match is_first && parcel.bytes <= STRAIGHT_BYTES_MAX {
            true => Taken::Partly { bytes: 0 },
            false => self.work.counted("submit", client.open(submission).await)?,
        };
        let mut rewound = false;
        let mut reached = None;
        while let Taken::Partly { bytes } = taken {
            // The other side may have lost what it had, once; a second time it would go on for ever.
            if reached.is_some_and(|reached| bytes <= reached) && std::mem::replace(&mut rewound, true) {
                let said = format!("it has {bytes} bytes after it had more");
                return Err(Ended::Trouble(Trouble::Nonsense(said)));
            }
            if bytes >= parcel.bytes && parcel.bytes > 0 {
                return Ok(Sent::Taken(taken));
            }
            reached = Some(bytes);
            let read = Arc::clone(parcel);
            let part = tokio::task::spawn_blocking(move || read.part(bytes)).await;
            let part = match part.map_err(|error| Ended::Here(error.to_string()))? {
                Ok(part) => part,
                Err(why) => return Ok(Sent::Unreadable(why)),
            };
            taken = self.work.counted("submit", client.send(submission, bytes, part).await)?;
        }
        Ok(Sent::Taken(taken))
    }

    async fn staged(&self, row: SubmissionRow, stage: Stage, what: String) -> Result<(), Ended> {
        self.work.tell(Event::Staged(Box::new(SubmissionRow { stage, what, ..row }))).await
    }
}

fn message(row: &SubmissionRow, item: &Item, priority: u32) -> Submission {
    Submission {
        key: row.key.clone(),
        blake3: Blake3(item.sample.blake3.0),
        sha256: item.sample.sha256,
        bytes: item.sample.bytes.0,
        sent_blake3: row.sent_blake3,
        sent_bytes: row.sent_bytes,
        stripped: row.stripped.clone(),
        file_name: item.name.clone(),
        kind: item.kind,
        client: item.client.clone(),
        platform: item.platform.clone(),
        reason: item.reason.clone(),
        definitions_sequence: item.definitions_sequence,
        priority,
    }
}
