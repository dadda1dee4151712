//! A run from beginning to end: ask, pace, drain, ask again, compare.

use crate::conserve::{self, Conservation};
use crate::corpus::Corpus;
use crate::lane::{Inbox, http, native};
use crate::limits::LANE_QUEUE;
use crate::measure::{Due, Measure, Tally};
use crate::pace::Pace;
use crate::profile::{Profile, Protocol};
use crate::questions::{QuestionError, Questions, Quota};
use crate::result::RunResult;
use crate::schedule::Schedule;
use crate::work::Work;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::mpsc::{Receiver, channel};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, MissedTickBehavior, interval_at};

/// How long lanes may connect before the first arrival is meant to start.
const HEAD_START: Duration = Duration::from_millis(300);
const SECOND: Duration = Duration::from_secs(1);

/// Everything a run needs to be told.
#[derive(Debug)]
pub struct Order {
    /// What the estate does.
    pub profile: Profile,
    /// The seed of everything drawn.
    pub seed: u64,
    /// `http://HOST:PORT` of the server.
    pub server: String,
    /// `HOST:PORT` of its native intake.
    pub intake: String,
    /// Token, empty for none.
    pub token: String,
    /// What is sent.
    pub corpus: Corpus,
    /// Read every accepted item back, not only some.
    pub verify_all: bool,
    /// A number that no run on this server had before.
    pub epoch: u64,
}

/// A finished run.
#[derive(Debug)]
pub struct Finished {
    /// What it found.
    pub result: RunResult,
    /// What it counted.
    pub work: Arc<Work>,
}

/// Runs an order. `watch` is called with the tally once a second.
///
/// # Errors
/// The server does not answer before the first arrival. Whatever happens later is in the result.
pub async fn run(order: Order, watch: impl Fn(&Tally, Duration)) -> Result<Finished, QuestionError> {
    let questions = Questions::new(&order.server, &order.token)?;
    let before = conserve::before(&questions).await?;
    let origin = Instant::now() + HEAD_START;
    let work = Arc::new(prepare(&order, origin));
    let schedule = Arc::new(Schedule::new(&work.profile, work.seed));
    let (senders, inboxes) = (0..work.profile.connections).map(|_| channel(LANE_QUEUE)).unzip();
    let mut lanes = lanes(&work, &order.intake, questions.host(), inboxes);
    let pace = Pace::new(work.clone(), schedule, origin, senders);
    let pacer = std::thread::spawn(move || pace.on_this_thread());
    let quotas = watch_quota(questions.clone());

    let ended = watched(&work, &mut lanes, watch).await;
    // The lanes have seen the end of its arrivals, so the pacer has ended or is about to.
    let paced = tokio::task::spawn_blocking(move || pacer.join().is_ok()).await.unwrap_or(false);
    quotas.task.abort();
    let mut seen = quotas.take();
    seen.extend(questions.quota().await);
    let mut conservation = conserve::check(&work, &questions, before, &seen, order.verify_all).await;
    if !paced {
        refute(&mut conservation, "the pacer died before the end of its schedule");
    }
    let result = work.measure.with(|tally| RunResult::new(&work, tally, conservation, ended));
    Ok(Finished { result, work })
}

fn refute(conservation: &mut Conservation, problem: &str) {
    conservation.problems.push(problem.to_owned());
    conservation.ok = false;
}

fn prepare(order: &Order, origin: Instant) -> Work {
    let profile = order.profile.clone();
    let end = Duration::from_secs_f64(profile.duration_s + profile.drain_s);
    Work {
        measure: Measure::new(origin, Duration::from_secs_f64(profile.warm_up_s)),
        seed: order.seed,
        corpus: order.corpus.clone(),
        epoch: order.epoch,
        token: order.token.clone(),
        deadline: origin + end,
        profile,
    }
}

fn lanes(work: &Arc<Work>, intake: &str, host: &str, inboxes: Vec<Receiver<Due>>) -> JoinSet<Option<String>> {
    let mut lanes = JoinSet::new();
    for (lane, due) in inboxes.into_iter().enumerate() {
        let (work, inbox) = (work.clone(), Inbox::new(due));
        match work.profile.protocol {
            Protocol::Native => {
                let intake = intake.to_owned();
                lanes.spawn(native::run(work, lane, inbox, move || dial(intake.clone())));
            }
            Protocol::Http => {
                let (host, to) = (host.to_owned(), host.to_owned());
                lanes.spawn(http::run(work, host, inbox, move || dial(to.clone())));
            }
        }
    }
    lanes
}

async fn dial(to: String) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(to).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Waits for the lanes, closing an interval each second. Gives what ended lanes early, each once.
async fn watched(work: &Work, lanes: &mut JoinSet<Option<String>>, watch: impl Fn(&Tally, Duration)) -> Vec<String> {
    let mut ended = Vec::new();
    let origin = work.measure.origin();
    let mut seconds = interval_at(origin + SECOND, SECOND);
    seconds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            lane = lanes.join_next() => match lane {
                Some(Ok(None)) => {}
                Some(Ok(Some(reason))) => if !ended.contains(&reason) { ended.push(reason) },
                Some(Err(cause)) => ended.push(cause.to_string()),
                None => break,
            },
            at = seconds.tick() => {
                work.measure.tick(at);
                work.measure.with(|tally| watch(tally, at - origin));
            }
        }
    }
    work.measure.tick(Instant::now().max(origin));
    ended
}

/// What the quota was seen to be, once a second.
struct QuotaWatch {
    task: JoinHandle<()>,
    seen: Arc<std::sync::Mutex<Vec<Quota>>>,
}

impl QuotaWatch {
    fn take(&self) -> Vec<Quota> {
        std::mem::take(&mut *self.seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}

fn watch_quota(questions: Questions) -> QuotaWatch {
    let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
    let kept = seen.clone();
    let task = tokio::spawn(async move {
        let mut seconds = tokio::time::interval(SECOND);
        seconds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            seconds.tick().await;
            // A second without an answer is a second not seen; the end of the run asks again.
            if let Ok(quota) = questions.quota().await {
                kept.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(quota);
            }
        }
    });
    QuotaWatch { task, seen }
}
