//! The task: what is due, one thing after the other, and how it waits.

use super::lane::{Lane, Lanes};
use super::submit::{One, Stuck};
use crate::control::Event;
use crate::daemon::clock;
use crate::daemon::context::Context;
use crate::daemon::policy::{self, Policy};
use crate::security::{secrets, tls};
use defcast::keys::TrustedKeys;
use engine::Engine;
use engine::catalogue::{Catalogue, CatalogueError};
use gateway::client::Route;
use gateway::{Client, PURPOSE, Trouble, Vouches};
use model::{Blake3, Event as Alert, SampleId, Sequence, Status, Timestamp};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How long the task waits when it is not woken: intervals are looked at this often.
const TICK: Duration = Duration::from_secs(1);
/// How long after it ended by a fault the task is started again.
const RESTART_AFTER: Duration = Duration::from_secs(5);
/// How often definitions that are needed are asked for while the gateway does not have them.
const NEEDED_EVERY: Duration = Duration::from_secs(60);

/// The running task.
pub struct Courier {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Courier {
    /// Starts it on the current runtime.
    pub fn start(context: &Arc<Context>, engine: &Engine) -> Self {
        let (stop, stopped) = watch::channel(false);
        let (context, engine) = (Arc::clone(context), engine.clone());
        let task = tokio::spawn(async move {
            loop {
                let work = Work::new(&context, &engine, stopped.clone());
                match tokio::spawn(work.run()).await {
                    Ok(()) => return,
                    Err(error) => {
                        let text = format!("it is started again in {RESTART_AFTER:?}: {error}");
                        tracing::error!(%error, "the gateway's task ended by a fault");
                        context.alerts.raise(Alert::GatewayTaskStopped, text);
                    }
                }
                tokio::time::sleep(RESTART_AFTER).await;
                if *stopped.borrow() {
                    return;
                }
            }
        });
        Self { stop, task }
    }

    /// Ends it between two requests, at most after `at_most`.
    pub async fn stop(self, at_most: Duration) {
        // It may have ended already.
        let _ = self.stop.send(true);
        let abort = self.task.abort_handle();
        if tokio::time::timeout(at_most, self.task).await.is_err() {
            // A request is under way: it is repeated under the same key after the next start.
            abort.abort();
        }
    }
}

/// Why a piece of work ended before its end.
pub(super) enum Ended {
    /// The gateway, or the way to it.
    Trouble(Trouble),
    /// Something here: the catalogue, the disk.
    Here(String),
    /// Nothing can be done for a while.
    Wait(String, Duration),
}

impl From<CatalogueError> for Ended {
    fn from(error: CatalogueError) -> Self {
        Self::Here(error.to_string())
    }
}

/// What can be handed to tasks beside.
#[derive(Clone)]
pub(super) struct Shared {
    pub context: Arc<Context>,
    pub engine: Engine,
}

impl Shared {
    pub async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Catalogue) -> Result<T, CatalogueError> + Send + 'static,
    ) -> Result<T, Ended> {
        let engine = self.engine.clone();
        let reading = tokio::task::spawn_blocking(move || read(engine.catalogue())).await;
        Ok(reading.map_err(|error| Ended::Here(error.to_string()))??)
    }

    /// Tells the control loop, waiting while it is busy.
    pub async fn tell(&self, event: Event) -> Result<(), Ended> {
        let Some(control) = self.context.control().cloned() else { return Ok(()) };
        let told = tokio::task::spawn_blocking(move || control.tell(event)).await;
        if told.unwrap_or(false) { Ok(()) } else { Err(Ended::Here("the control loop has ended".to_owned())) }
    }

    /// Counts a request by what came of it.
    pub fn counted<T>(&self, kind: &'static str, outcome: Result<T, Trouble>) -> Result<T, Ended> {
        match &outcome {
            Ok(_) => self.context.exchange.answered(kind),
            Err(trouble) => self.context.exchange.counted(kind, trouble.word()),
        }
        outcome.map_err(Ended::Trouble)
    }
}

pub(super) struct Work {
    shared: Shared,
    stopped: watch::Receiver<bool>,
    lanes: Lanes,
    pub(super) stuck: Stuck,
    /// The policy that the client is made for.
    policy: Option<Arc<Policy>>,
    client: Option<Arc<Client>>,
    /// It could not be made last time.
    unmade: bool,
    queue_checked: Option<Instant>,
    asked: Option<Instant>,
    certified_asked: Option<Instant>,
    needed_asked: Option<Instant>,
    /// The highest set that was asked for because it was needed.
    needed_for: Sequence,
    /// A set up to this number could not be used, until then.
    pub(super) useless: Sequence,
    useless_until: Option<Instant>,
    /// What event 7 was last raised for.
    waited_for: Sequence,
}

/// The keys in `keys/`, read anew for each answer, so that one that is taken away counts no more at once.
struct Keys(Arc<Context>);

impl Vouches for Keys {
    fn vouches(&self, message: &[u8], signature: &str) -> bool {
        let keys: Option<TrustedKeys> = self.0.definitions.trusted().ok();
        keys.is_some_and(|keys| keys.vouch_for_statement(PURPOSE, message, signature))
    }
}

impl Work {
    fn new(context: &Arc<Context>, engine: &Engine, stopped: watch::Receiver<bool>) -> Self {
        Self {
            shared: Shared { context: Arc::clone(context), engine: engine.clone() },
            stopped,
            lanes: Lanes::new(context.limits.gateway_wait_first),
            stuck: Stuck::default(),
            policy: None,
            client: None,
            unmade: false,
            queue_checked: None,
            asked: None,
            certified_asked: None,
            needed_asked: None,
            needed_for: Sequence(0),
            useless: Sequence(0),
            useless_until: None,
            waited_for: Sequence(0),
        }
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }

    pub(super) fn context(&self) -> &Arc<Context> {
        &self.shared.context
    }

    pub(super) fn one(&self) -> One {
        One { work: self.shared.clone() }
    }

    pub(super) fn is_stopping(&self) -> bool {
        *self.stopped.borrow()
    }

    pub(super) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Catalogue) -> Result<T, CatalogueError> + Send + 'static,
    ) -> Result<T, Ended> {
        self.shared.read(read).await
    }

    /// The address of a sample that has items.
    pub(super) async fn digest_of(&self, sample: SampleId) -> Result<Option<Blake3>, Ended> {
        let digests = self.read(move |catalogue| catalogue.digests_of(sample)).await?;
        Ok(digests.map(|(blake3, _)| blake3))
    }

    async fn run(mut self) {
        loop {
            let context = Arc::clone(self.context());
            tokio::select! {
                () = context.exchange.woken() => {}
                () = tokio::time::sleep(self.pause()) => {}
                _ = self.stopped.changed() => return,
            }
            if self.is_stopping() {
                return;
            }
            self.round().await;
        }
    }

    fn pause(&self) -> Duration {
        let policy = self.context().policy();
        let tick = TICK.min(policy.queue_check_interval).min(policy.status_query_interval);
        self.lanes.pause().map_or(tick, |pause| pause.min(tick))
    }

    /// Everything that is due. What fails waits; the rest goes on.
    async fn round(&mut self) {
        let policy = self.context().policy();
        let Some(client) = self.client_for(&policy) else { return };
        let (mut samples, sets) = self.context().exchange.take_wanted();
        let asked = sets || !samples.is_empty();
        for lane in Lane::ALL {
            let is_asked = asked && lane != Lane::Submissions;
            if self.is_stopping() || self.lanes.is_quiet(lane) && !is_asked {
                continue;
            }
            let done = match lane {
                Lane::Answers => self.answers_due(&client, &policy, std::mem::take(&mut samples)).await,
                Lane::Sets => self.sets_due(&client, &policy, sets).await,
                Lane::Submissions if due(&mut self.queue_checked, policy.queue_check_interval) => {
                    self.submit_queued(&client).await
                }
                Lane::Submissions => continue,
            };
            match done {
                Ok(()) => self.worked(lane),
                Err(ended) => self.ended(lane, ended),
            }
        }
    }

    /// The client for this policy; none while there is no gateway, or while it cannot be made.
    fn client_for(&mut self, policy: &Arc<Policy>) -> Option<Arc<Client>> {
        if self.policy.as_ref().is_none_or(|known| !Arc::ptr_eq(known, policy)) {
            (self.policy, self.client) = (Some(Arc::clone(policy)), None);
            // Somebody has just set it right, perhaps: what failed before is tried at once.
            self.lanes.release();
        }
        let Some(gateway) = policy.gateway.as_ref() else {
            // Trouble with one that is not there any more concerns nobody.
            Lane::ALL.into_iter().for_each(|lane| self.worked(lane));
            return None;
        };
        if self.client.is_none() && !(self.unmade && self.lanes.is_quiet(Lane::Submissions)) {
            let made = client(self.context(), policy, gateway);
            self.unmade = made.is_err();
            match made {
                Ok(client) => self.client = Some(Arc::new(client)),
                Err(trouble) => self.ended(Lane::Submissions, Ended::Trouble(trouble)),
            }
        }
        self.client.clone()
    }

    async fn answers_due(&mut self, client: &Client, policy: &Policy, wanted: BTreeSet<SampleId>) -> Result<(), Ended> {
        self.ask_wanted(client, wanted).await?;
        if due(&mut self.asked, policy.status_query_interval) { self.ask_all(client).await } else { Ok(()) }
    }

    /// Whether a long queue is to be left for now: its rest comes in the next round.
    pub(super) fn is_wanted_elsewhere(&mut self) -> bool {
        let interval = self.context().policy().status_query_interval;
        let answers = self.asked.is_none_or(|asked| asked.elapsed() >= interval) && !self.lanes.is_quiet(Lane::Answers);
        let is_wanted = self.is_stopping() || self.context().exchange.is_wanted() || answers;
        if is_wanted {
            self.queue_checked = None;
        }
        is_wanted
    }

    async fn sets_due(&mut self, client: &Client, policy: &Policy, asked: bool) -> Result<(), Ended> {
        let counts = self.shared.engine.catalogue().count_by_status();
        let mut needed = Sequence(0);
        if asked || counts[usize::from(Status::Needed.code())] > 0 {
            needed = self.read(Catalogue::needed_sequence).await?;
        }
        if self.useless_until.is_some_and(|until| Instant::now() >= until) {
            (self.useless, self.useless_until) = (Sequence(0), None);
        }
        if needed <= self.newest_here() {
            self.waited_for = Sequence(0);
            self.needed_asked = None;
        }
        // One that nobody needed before is asked for at once.
        if needed > self.needed_for {
            (self.needed_for, self.needed_asked) = (needed, None);
        }
        let needed_due = needed > self.newest_here() && due(&mut self.needed_asked, NEEDED_EVERY);
        let certified_due = due(&mut self.certified_asked, policy.certified_interval);
        if needed_due || certified_due || asked { self.fetch_sets(client, needed, asked).await } else { Ok(()) }
    }

    /// The newest set in use, or on disk.
    pub(super) fn newest_here(&self) -> Sequence {
        let on_disk =
            self.context().definitions.library().sequences().ok().and_then(|sequences| sequences.last().copied());
        let active = self.context().definitions.active().map(|active| active.sequence);
        on_disk.max(active).unwrap_or_default()
    }

    /// Event 7, once for each set that is waited for.
    pub(super) fn waiting(&mut self, needed: Sequence, text: String) {
        if self.waited_for < needed {
            self.waited_for = needed;
            self.context().alerts.raise(Alert::WaitingForDefinitions, text);
        }
    }

    pub(super) fn not_useful(&mut self, sequence: Sequence, wait: Duration) {
        (self.useless, self.useless_until) = (sequence, Some(Instant::now() + wait));
    }

    /// A lane got through.
    fn worked(&mut self, lane: Lane) {
        self.context().exchange.cleared(lane);
        if self.lanes.worked(lane) {
            tracing::info!(?lane, "the gateway answers again");
            self.lanes.hurry();
        }
    }

    /// The first failure of an outage is noted on the item that met it; the others wait like it.
    pub(super) async fn note_trouble(&self, lane: Lane, sample: SampleId, trouble: &Trouble) {
        if self.lanes.failures(lane) == 0 {
            let why = format!("{trouble}; it is tried again by itself");
            if let Err(Ended::Here(error)) = self.shared.tell(Event::Troubled { sample, why }).await {
                tracing::warn!(error, "an item was not told of a failed attempt");
            }
        }
    }

    fn ended(&mut self, lane: Lane, ended: Ended) {
        let (why, wait) = match ended {
            Ended::Trouble(trouble) => {
                let first = !self.lanes.in_trouble();
                let wait = self.lanes.failed(lane, secrets::chance(), trouble.retry_after());
                let retry_at = clock::now().0.saturating_add(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX));
                self.context().exchange.troubled(lane, trouble.to_string(), Timestamp(retry_at));
                // One alert an outage, and one more an hour of it: what is folded is folded there.
                if first || self.lanes.failures(lane).is_multiple_of(16) {
                    self.context().alerts.raise(Alert::GatewayUnreachable, trouble.to_string());
                }
                // A password or a certificate may be put right in its file, which the client has read.
                self.client = None;
                (trouble.to_string(), wait)
            }
            Ended::Here(why) => {
                let wait = self.lanes.failed_here(lane, secrets::chance());
                (why, wait)
            }
            Ended::Wait(why, wait) => {
                self.lanes.hold(lane, wait);
                (why, wait)
            }
        };
        // What was due is due again when it is tried again.
        match lane {
            Lane::Answers => self.asked = None,
            Lane::Sets => (self.needed_asked, self.certified_asked) = (None, None),
            Lane::Submissions => self.queue_checked = None,
        }
        tracing::warn!(?lane, why, ?wait, "the gateway's task waits");
    }
}

/// Whether an interval has passed; then it begins anew.
fn due(last: &mut Option<Instant>, interval: Duration) -> bool {
    let is_due = last.is_none_or(|last| last.elapsed() >= interval);
    if is_due {
        *last = Some(Instant::now());
    }
    is_due
}

fn client(context: &Arc<Context>, policy: &Policy, gateway: &policy::Gateway) -> Result<Client, Trouble> {
    let _ = tls::provider();
    let unreadable = |key: &str, error: std::io::Error| Trouble::Setting(format!("{key}: {error}"));
    let authorities = match &gateway.ca_file {
        None => None,
        Some(path) => Some(std::fs::read(path).map_err(|error| unreadable("web_communication.ca_file", error))?),
    };
    let proxy_login = match &gateway.proxy {
        Some(proxy) if !proxy.user.is_empty() => {
            let password = match &proxy.password_file {
                None => String::new(),
                Some(path) => secrets::password(path).map_err(|error| unreadable("firewall.password_file", error))?,
            };
            Some((proxy.user.clone(), password))
        }
        Some(_) | None => None,
    };
    let route = Route {
        gateway: gateway.name.clone(),
        download: gateway.download.clone(),
        secure_submission: gateway.secure_submission,
        secure_download: gateway.secure_download,
        authorities,
        proxy: gateway.proxy.as_ref().map(|proxy| format!("http://{}:{}", proxy.name, proxy.port)),
        proxy_login,
        request_max: gateway.request_max,
    };
    Client::new(route, policy.customer.clone(), Arc::new(Keys(Arc::clone(context))))
}
