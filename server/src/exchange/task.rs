//! The task: what is due, one thing after the other, and how it waits.

use super::submit::One;
use crate::control::Event;
use crate::daemon::clock;
use crate::daemon::context::Context;
use crate::daemon::policy::{self, Policy};
use crate::security::{secrets, tls};
use defcast::keys::TrustedKeys;
use engine::Engine;
use engine::catalogue::{Catalogue, CatalogueError};
use gateway::backoff::Backoff;
use gateway::client::Route;
use gateway::{Client, PURPOSE, Trouble, Vouches};
use model::{Blake3, Event as Alert, SampleId, Sequence, Status, Timestamp};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How long the task waits when it is not woken: intervals are looked at this often.
const TICK: Duration = Duration::from_secs(1);
/// How long after it ended by a fault the task is started again.
const RESTART_AFTER: Duration = Duration::from_secs(5);
/// How long a set that cannot be used is not fetched again.
const USELESS_FOR: Duration = Duration::from_secs(3600);
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
        self.context.exchange.counted(kind, outcome.as_ref().err().map_or("ok", Trouble::word));
        outcome.map_err(Ended::Trouble)
    }
}

pub(super) struct Work {
    shared: Shared,
    stopped: watch::Receiver<bool>,
    backoff: Backoff,
    /// Nothing is asked of the gateway before this.
    quiet_until: Option<Instant>,
    /// The client, with the policy that it was made for.
    client: Option<(Arc<Policy>, Arc<Client>)>,
    queue_checked: Option<Instant>,
    asked: Option<Instant>,
    certified_asked: Option<Instant>,
    needed_asked: Option<Instant>,
    /// A set up to this number could not be used, until then.
    pub(super) useless: Sequence,
    useless_until: Option<Instant>,
    /// What event 7 was last raised for.
    waited_for: Sequence,
    /// An item was told of this outage.
    noted: bool,
    /// Failures in a row of what is here: the disk, the catalogue.
    here: Backoff,
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
            backoff: Backoff::default(),
            quiet_until: None,
            client: None,
            queue_checked: None,
            asked: None,
            certified_asked: None,
            needed_asked: None,
            useless: Sequence(0),
            useless_until: None,
            waited_for: Sequence(0),
            noted: false,
            here: Backoff::default(),
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
            if let Err(ended) = self.round().await {
                self.ended(ended);
            }
        }
    }

    fn pause(&self) -> Duration {
        let quiet = self.quiet_until.map(|until| until.saturating_duration_since(Instant::now()));
        quiet.filter(|quiet| !quiet.is_zero()).unwrap_or(TICK)
    }

    /// Everything that is due.
    async fn round(&mut self) -> Result<(), Ended> {
        let policy = self.context().policy();
        let Some(gateway) = policy.gateway.clone() else {
            self.client = None;
            return Ok(());
        };
        let changed = self.client.as_ref().is_none_or(|(made_for, _)| !Arc::ptr_eq(made_for, &policy));
        if changed {
            self.client = None;
            let client = client(self.context(), &policy, &gateway).map_err(Ended::Trouble)?;
            self.client = Some((Arc::clone(&policy), Arc::new(client)));
            // Somebody has just set it right, perhaps: what failed before is tried at once.
            self.quiet_until = None;
        }
        let wanted = self.context().exchange.is_wanted();
        if !wanted && self.quiet_until.is_some_and(|until| Instant::now() < until) {
            return Ok(());
        }
        let Some((_, client)) = self.client.clone() else { return Ok(()) };
        if wanted {
            let (samples, sets) = self.context().exchange.take_wanted();
            self.ask_wanted(&client, samples).await?;
            if sets {
                let needed = self.read(Catalogue::needed_sequence).await?;
                self.fetch_sets(&client, needed, true).await?;
            }
        }
        if due(&mut self.queue_checked, policy.queue_check_interval) {
            self.submit_queued(&client).await?;
        }
        if due(&mut self.asked, policy.status_query_interval) {
            self.ask_all(&client).await?;
        }
        self.sets_due(&client, &policy).await?;
        self.here.succeeded();
        Ok(())
    }

    async fn sets_due(&mut self, client: &Client, policy: &Policy) -> Result<(), Ended> {
        let counts = self.shared.engine.catalogue().count_by_status();
        let mut needed = Sequence(0);
        if counts[usize::from(Status::Needed.code())] > 0 {
            needed = self.read(Catalogue::needed_sequence).await?;
        }
        if self.useless_until.is_some_and(|until| Instant::now() >= until) {
            (self.useless, self.useless_until) = (Sequence(0), None);
        }
        if needed <= self.newest_here() {
            self.waited_for = Sequence(0);
            self.needed_asked = None;
        }
        let needed_due = needed > self.newest_here() && due(&mut self.needed_asked, NEEDED_EVERY);
        let certified_due = due(&mut self.certified_asked, policy.certified_interval);
        if needed_due || certified_due {
            self.fetch_sets(client, needed, false).await?;
        }
        Ok(())
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

    pub(super) fn not_useful(&mut self, sequence: Sequence) {
        (self.useless, self.useless_until) = (sequence, Some(Instant::now() + USELESS_FOR));
    }

    /// The gateway answered.
    pub(super) fn worked(&mut self) {
        if self.backoff.failures() > 0 {
            tracing::info!("the gateway answers again");
        }
        self.backoff.succeeded();
        (self.quiet_until, self.noted) = (None, false);
        self.context().exchange.answered();
    }

    /// An outage is noted on the first item that meets it, which may come when it has begun; the others wait like it.
    pub(super) async fn note_trouble(&mut self, sample: SampleId, trouble: &Trouble) {
        if !std::mem::replace(&mut self.noted, true) {
            let why = format!("{trouble}; it is tried again by itself");
            if let Err(Ended::Here(error)) = self.shared.tell(Event::Troubled { sample, why }).await {
                tracing::warn!(error, "an item was not told of a failed attempt");
            }
        }
    }

    fn ended(&mut self, ended: Ended) {
        let (why, wait) = match ended {
            Ended::Trouble(trouble) => {
                let first = self.backoff.failures() == 0;
                let wait = self.backoff.failed(secrets::chance(), trouble.retry_after());
                let retry_at = clock::now().0.saturating_add(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX));
                self.context().exchange.troubled(&trouble.to_string(), Timestamp(retry_at));
                // One alert an outage, and one more an hour of it: what is folded is folded there.
                if first || self.backoff.failures().is_multiple_of(16) {
                    self.context().alerts.raise(Alert::GatewayUnreachable, trouble.to_string());
                }
                (trouble.to_string(), wait)
            }
            Ended::Here(why) => (why, self.here.failed(secrets::chance(), None)),
            Ended::Wait(why, wait) => (why, wait),
        };
        // What was due is due again when it is tried again: some of it once a day only.
        (self.queue_checked, self.asked) = (None, None);
        (self.needed_asked, self.certified_asked) = (None, None);
        tracing::warn!(why, ?wait, "the gateway's task waits");
        self.quiet_until = Some(Instant::now() + wait);
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
        secure_submission: gateway.secure_submission,
        secure_download: gateway.secure_download,
        authorities,
        proxy: gateway.proxy.as_ref().map(|proxy| format!("http://{}:{}", proxy.name, proxy.port)),
        proxy_login,
        request_max: gateway.request_max,
    };
    Client::new(route, policy.customer.clone(), Arc::new(Keys(Arc::clone(context))))
}
