//! The task that folds what is raised, writes it to the log and hands it to the methods.

use super::deliver::{Delivery, Failure, deliveries, try_once};
use super::fold::{Alert, Fold};
use super::raised::Raised;
use crate::daemon::clock;
use crate::daemon::context::Context;
use crate::daemon::policy::{Method, Policy};
use engine::catalogue::Own;
use gateway::backoff::Backoff;
use model::Event;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinHandle;

/// Who writes to the log.
const WHO: &str = "alerts";
/// How often what was folded is looked at.
const TICK: Duration = Duration::from_millis(500);
/// Deliveries under way or waiting to be tried again.
const DELIVERIES_MAX: usize = 256;
/// Attempts of one delivery: with their waits some half an hour, the longest that a mail server restarts for.
const ATTEMPTS_MAX: u32 = 12;

/// The running task.
pub struct Teller {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Teller {
    /// Starts it on the current runtime; the second one of a context would have nothing to tell.
    pub fn start(context: &Arc<Context>) -> Self {
        let (stop, stopped) = watch::channel(false);
        let work = Work {
            context: Arc::clone(context),
            fold: Fold::default(),
            places: Arc::new(Semaphore::new(DELIVERIES_MAX)),
        };
        let receiver = context.alerts.receiver();
        Self {
            stop,
            task: tokio::spawn(async move {
                if let Some(receiver) = receiver {
                    work.run(receiver, stopped).await
                }
            }),
        }
    }

    /// Writes what waits to the log and ends.
    pub async fn stop(self) {
        // It may have ended already.
        let _ = self.stop.send(true);
        let _ = self.task.await;
    }
}

struct Work {
    context: Arc<Context>,
    fold: Fold,
    places: Arc<Semaphore>,
}

impl Work {
    async fn run(mut self, mut raised: mpsc::Receiver<Raised>, mut stopped: watch::Receiver<bool>) {
        let mut ticks = tokio::time::interval(TICK);
        loop {
            tokio::select! {
                one = raised.recv() => match one {
                    Some(one) => self.raised(one).await,
                    None => break,
                },
                _ = ticks.tick() => self.tick().await,
                _ = stopped.changed() => break,
            }
        }
        while let Ok(one) = raised.try_recv() {
            self.raised(one).await;
        }
        for alert in self.fold.rest() {
            self.log(&alert).await;
        }
    }

    async fn raised(&mut self, raised: Raised) {
        let policy = self.context.policy();
        if !policy.alerts.route(raised.event).enabled {
            return;
        }
        if let Some(alert) = self.fold.take(raised, clock::now(), policy.alerts.fold) {
            self.tell(&policy, alert).await;
        }
    }

    async fn tick(&mut self) {
        let unqueued: Vec<_> = self.context.alerts.unqueued().collect();
        for (event, count) in unqueued {
            let text = "so many at once that only their number is known".to_owned();
            self.raised(Raised { event, text, items: Vec::new(), count, at: clock::now() }).await;
        }
        let policy = self.context.policy();
        for alert in self.fold.due(clock::now(), policy.alerts.fold) {
            self.tell(&policy, alert).await;
        }
    }

    async fn tell(&self, policy: &Arc<Policy>, alert: Alert) {
        self.log(&alert).await;
        self.context.alerts.change_seen(alert.event, |seen| {
            (seen.told_at, seen.text) = (alert.last_at, sentence(&alert));
        });
        for delivery in deliveries(policy.alerts.route(alert.event)) {
            self.deliver(Arc::clone(policy), delivery, alert.clone());
        }
    }

    /// The log has every alert, whatever becomes of the rest.
    async fn log(&self, alert: &Alert) {
        let what = format!("alert {}: {}: {}", alert.event.number(), alert.event.name(), sentence(alert));
        let change = Own::Logged { at: alert.last_at, who: WHO.to_owned(), what };
        if let Err(error) = self.context.read(move |catalogue| catalogue.apply(vec![change])).await {
            tracing::warn!(%error, event = alert.event.name(), text = alert.text, "an alert is not in the log");
        }
    }

    /// Tries until it works, in a task of its own: a mail server that is down holds up no webhook.
    fn deliver(&self, policy: Arc<Policy>, delivery: Delivery, alert: Alert) {
        let context = Arc::clone(&self.context);
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            return given_up(&context, &alert, &delivery, "too many deliveries wait already");
        };
        tokio::spawn(async move {
            let _place = place;
            let mut backoff = Backoff::default();
            loop {
                let failure = match try_once(&context, &policy, &delivery, &alert).await {
                    Ok(()) => return reached(&context, &alert, &delivery),
                    Err(failure) => failure,
                };
                context.alerts.change_seen(alert.event, |seen| seen.failure = format!("{delivery}: {failure}"));
                if failure.is_final() || backoff.failures() + 1 >= ATTEMPTS_MAX {
                    return given_up(&context, &alert, &delivery, &failure.to_string());
                }
                tracing::warn!(%delivery, %failure, event = alert.event.name(), "an alert is tried again");
                tokio::time::sleep(backoff.failed(crate::security::secrets::chance(), None)).await;
            }
        });
    }
}

/// What stood against a recipient stands no longer; what stands against another does.
fn reached(context: &Context, alert: &Alert, delivery: &Delivery) {
    context.alerts.change_seen(alert.event, |seen| {
        if seen.failure.starts_with(&format!("{delivery}: ")) {
            seen.failure.clear();
        }
    });
}

fn given_up(context: &Context, alert: &Alert, delivery: &Delivery, why: &str) {
    tracing::error!(%delivery, why, event = alert.event.name(), "an alert could not be delivered");
    context.alerts.change_seen(alert.event, |seen| {
        seen.failed += 1;
        seen.failure = format!("{delivery}: {why}");
    });
    if let Ok(engine) = context.engine() {
        let engine = engine.clone();
        let what = format!("alert {} could not be delivered by {delivery}: {why}", alert.event.number());
        let change = Own::Logged { at: clock::now(), who: WHO.to_owned(), what };
        drop(tokio::task::spawn_blocking(move || {
            if let Err(error) = engine.catalogue().apply(vec![change]) {
                tracing::warn!(%error, "a lost alert is not in the log");
            }
        }));
    }
}

/// What an alert says, with its number.
pub(super) fn sentence(alert: &Alert) -> String {
    let items: Vec<String> = alert.items.iter().map(|item| item.0.to_string()).collect();
    let mut text = alert.text.clone();
    if alert.count > 1 {
        text.push_str(&format!(" ({} times since {})", alert.count, alert.first_at));
    }
    if !items.is_empty() {
        let more = if alert.count > items.len() as u64 { ", ..." } else { "" };
        text.push_str(&format!(" [items {}{more}]", items.join(", ")));
    }
    text
}

/// Tells an event as a test, by every method and to every recipient of its route, each once and at once.
pub async fn test(context: &Arc<Context>, event: Event, who: &str) -> Value {
    let policy = context.policy();
    let now = clock::now();
    let text = format!("a test of this alert, asked for by {who}");
    let alert = Alert { event, text, items: Vec::new(), count: 1, first_at: now, last_at: now };
    let route = policy.alerts.route(event);
    let mut told = Vec::new();
    for delivery in deliveries(route) {
        let outcome = try_once(context, &policy, &delivery, &alert).await;
        let why = outcome.as_ref().err().map(Failure::to_string);
        told.push(json!({"method": delivery.method.word(), "recipient": delivery.recipient, "delivered": outcome.is_ok(), "why": why}));
    }
    let unused: Vec<_> = route
        .recipients
        .iter()
        .filter(|recipient| !told.iter().any(|one| one["recipient"] == recipient.as_str()))
        .collect();
    json!({
        "event": event.id(),
        "enabled": route.enabled,
        "methods": route.methods.iter().map(|method: &Method| method.word()).collect::<Vec<_>>(),
        "deliveries": told,
        "recipients_without_method": unused,
    })
}
