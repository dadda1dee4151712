//! `POST /v1/items/actions`: acts on items named one by one or by a filter, and answers for each.

use crate::control::{Ask, Event, Request};
use crate::daemon::context::Context;
use crate::http::filter;
use crate::http::problem::Problem;
use crate::http::repair::repair_item;
use crate::security::access::Caller;
use axum::Json;
use axum::body::Body;
use axum::extract::{Extension, State};
use axum::http::StatusCode;
use engine::SubmitError;
use engine::catalogue::{Catalogue, Cursor, Filter};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use model::ItemId;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Bytes of a request: 100,000 ids with their commas.
const BODY_BYTES_MAX: usize = 2 << 20;
/// Items deleted in one record of the log.
const BATCH_MAX: usize = 1000;
/// Ids that an answer lists; a filter may match millions, then the count is the answer.
const LISTED_MAX: usize = 100_000;

/// Between two looks at the catalogue, which commits every few milliseconds.
const CATALOGUE_PAUSE: Duration = Duration::from_millis(2);

/// What can be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Action {
    Delete,
    Submit,
    Deliver,
    Restart,
    Repair,
    Priority,
    Query,
    Applied,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    action: Action,
    ids: Option<Vec<ItemId>>,
    filter: Option<filter::Asked>,
    /// Of `submit`: whether user data is stripped, whatever the policy says.
    strip: Option<bool>,
    /// Of `priority`.
    submission: Option<u32>,
    /// Of `priority`.
    delivery: Option<u32>,
}

/// Which items.
enum Which {
    Ids(Vec<ItemId>),
    Filter(filter::Asked),
}

/// The handler: `{"action", "done": N, "refused": N, "items": [{"id", "done": true} or {"id", "refused": "why"}]}`.
///
/// # Errors
/// The request does not parse, or the store stopped on the way; the detail says how many were done before.
pub async fn act(
    State(context): State<Arc<Context>>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<Json<Value>, Problem> {
    let asked: Asked = json_body(body).await?;
    let which = match (asked.ids, asked.filter) {
        (Some(ids), None) => Which::Ids(ids),
        (None, Some(filter)) if filter.is_empty() => {
            return Err(Problem::invalid("an empty filter would mean every item: name at least one condition"));
        }
        (None, Some(filter)) => Which::Filter(filter),
        (Some(_), Some(_)) | (None, None) => return Err(Problem::invalid("name items by either ids or filter")),
    };
    let of_another = (asked.strip.is_some() && asked.action != Action::Submit)
        || ((asked.submission.is_some() || asked.delivery.is_some()) && asked.action != Action::Priority);
    if of_another {
        return Err(Problem::invalid("strip belongs to submit; submission and delivery belong to priority"));
    }
    match asked.action {
        Action::Delete => delete(&context, &caller, which).await,
        Action::Repair => repair(&context, &caller, which).await,
        Action::Submit => tell(&context, &caller, Request::Submit { strip: asked.strip }, which, "submit").await,
        Action::Deliver => tell(&context, &caller, Request::Deliver, which, "deliver").await,
        Action::Restart => tell(&context, &caller, Request::Restart, which, "restart").await,
        Action::Query => tell(&context, &caller, Request::Query, which, "query").await,
        Action::Applied => tell(&context, &caller, Request::Applied, which, "applied").await,
        Action::Priority => {
            let (submission, delivery) = (asked.submission, asked.delivery);
            if submission.is_none() && delivery.is_none() {
                return Err(Problem::invalid("name a priority: submission, delivery, or both"));
            }
            tell(&context, &caller, Request::Priority { submission, delivery }, which, "priority").await
        }
    }
}

async fn tell(
    context: &Arc<Context>,
    caller: &Caller,
    request: Request,
    which: Which,
    word: &str,
) -> Result<Json<Value>, Problem> {
    Ok(Json(ask(context, caller, request, which).await?.told(word)))
}

async fn delete(context: &Arc<Context>, caller: &Caller, which: Which) -> Result<Json<Value>, Problem> {
    let mut answers = Answers::default();
    match which {
        Which::Ids(ids) => {
            for batch in ids.chunks(BATCH_MAX) {
                delete_batch(context, caller, batch, &mut answers).await?;
            }
        }
        Which::Filter(asked) => {
            context.caught_up().await?;
            if let Some(filter) = asked.resolve(context).await? {
                let filter = Arc::new(filter);
                let mut cursor = None;
                loop {
                    let (batch, next) = matching(context, &filter, cursor).await?;
                    delete_batch(context, caller, &batch, &mut answers).await?;
                    match next {
                        Some(next) => cursor = Some(next),
                        None => break,
                    }
                }
            }
        }
    }
    context.events.deleted(answers.done, caller.name());
    Ok(Json(answers.told("delete")))
}

/// Repairs each and keeps nothing but what is recorded on the item: whether, by what, or why not.
async fn repair(context: &Arc<Context>, caller: &Caller, which: Which) -> Result<Json<Value>, Problem> {
    let mut answers = Answers::default();
    match which {
        Which::Ids(ids) => repair_batch(context, caller, &ids, &mut answers).await?,
        Which::Filter(asked) => {
            context.caught_up().await?;
            if let Some(filter) = asked.resolve(context).await? {
                let filter = Arc::new(filter);
                let mut cursor = None;
                loop {
                    let (batch, next) = matching(context, &filter, cursor).await?;
                    repair_batch(context, caller, &batch, &mut answers).await?;
                    match next {
                        Some(next) => cursor = Some(next),
                        None => break,
                    }
                }
            }
        }
    }
    Ok(Json(answers.told("repair")))
}

async fn repair_batch(
    context: &Arc<Context>,
    caller: &Caller,
    batch: &[ItemId],
    answers: &mut Answers,
) -> Result<(), Problem> {
    for id in batch {
        let Some(item) = context.item(*id).await? else {
            answers.refused(*id, "no item has this id");
            continue;
        };
        match repair_item(context, *id, item.sample.blake3, caller.name()).await? {
            Ok(_) => answers.done(*id),
            Err(why) => answers.refused(*id, &why.to_string()),
        }
    }
    Ok(())
}

/// Ids of one page of what a filter matches, and where the next page begins.
async fn matching(
    context: &Context,
    filter: &Arc<Filter>,
    cursor: Option<Cursor>,
) -> Result<(Vec<ItemId>, Option<Cursor>), Problem> {
    let filter = Arc::clone(filter);
    let page = context.read(move |catalogue| catalogue.page(&filter, BATCH_MAX, cursor.as_ref())).await?;
    Ok((page.items.iter().map(|item| item.id).collect(), page.next))
}

async fn delete_batch(
    context: &Context,
    caller: &Caller,
    batch: &[ItemId],
    answers: &mut Answers,
) -> Result<(), Problem> {
    if batch.is_empty() {
        return Ok(());
    }
    let engine = context.engine()?.clone();
    let (ids, who) = (batch.to_vec(), caller.name().to_owned());
    let wait = context.limits.catalogue_wait;
    let existed = tokio::task::spawn_blocking(move || {
        let existed = engine.delete(&ids, &who)?;
        await_gone(engine.catalogue(), existed.last(), wait);
        Ok::<_, SubmitError>(existed)
    })
    .await
    .map_err(|_| Problem::internal("the thread that deleted ended"))?
    .map_err(|error| Problem::unavailable(format!("{} items were deleted, then: {error}", answers.done)))?;
    let existed: std::collections::HashSet<_> = existed.into_iter().collect();
    for id in batch {
        match existed.contains(id) {
            true => answers.done(*id),
            false => answers.refused(*id, "no item has this id"),
        }
    }
    Ok(())
}

/// Waits, bounded, until the catalogue does not show the last deleted item any more: whoever deleted sees a list
/// without it. The deletion itself is durable already.
fn await_gone(catalogue: &Catalogue, last: Option<&ItemId>, wait: Duration) {
    let Some(last) = last else { return };
    let deadline = Instant::now() + wait;
    while matches!(catalogue.item(*last), Ok(Some(_))) && Instant::now() < deadline {
        std::thread::sleep(CATALOGUE_PAUSE);
    }
}

/// Takes a request to the control loop, a batch at a time.
async fn ask(context: &Arc<Context>, caller: &Caller, request: Request, which: Which) -> Result<Answers, Problem> {
    let mut answers = Answers::default();
    match which {
        Which::Ids(ids) => {
            for batch in ids.chunks(BATCH_MAX) {
                ask_batch(context, caller, request, batch, &mut answers).await?;
            }
        }
        Which::Filter(asked) => {
            context.caught_up().await?;
            if let Some(filter) = asked.resolve(context).await? {
                let filter = Arc::new(filter);
                let mut cursor = None;
                loop {
                    let (batch, next) = matching(context, &filter, cursor).await?;
                    ask_batch(context, caller, request, &batch, &mut answers).await?;
                    match next {
                        Some(next) => cursor = Some(next),
                        None => break,
                    }
                }
            }
        }
    }
    Ok(answers)
}

async fn ask_batch(
    context: &Arc<Context>,
    caller: &Caller,
    request: Request,
    batch: &[ItemId],
    answers: &mut Answers,
) -> Result<(), Problem> {
    // An item that was acked a moment ago is found.
    if let Some(newest) = batch.iter().max() {
        context.item(*newest).await?;
    }
    let gone = || Problem::unavailable("the control loop has ended: the server is shutting down".to_owned());
    let control = context.control().cloned().ok_or_else(gone)?;
    let (sender, answered) = tokio::sync::oneshot::channel();
    let ask = Ask { request, items: batch.to_vec(), who: caller.name().to_owned(), answers: sender };
    let told = tokio::task::spawn_blocking(move || control.tell(Event::Asked(Box::new(ask)))).await;
    if !told.unwrap_or(false) {
        return Err(gone());
    }
    let done = answered.await.map_err(|_| {
        Problem::unavailable(format!("{} items were done, then the catalogue failed: try again", answers.done))
    })?;
    let mut queried = Vec::new();
    for (id, outcome) in batch.iter().zip(done) {
        match outcome {
            Ok(()) => {
                answers.done(*id);
                queried.push(*id);
            }
            Err(why) => answers.refused(*id, &why),
        }
    }
    if request == Request::Query {
        let samples = context
            .read(move |catalogue| {
                let samples: Result<Vec<_>, _> = queried.iter().map(|id| catalogue.sample_of(*id)).collect();
                Ok(samples?.into_iter().flatten().map(|(sample, _)| sample).collect::<Vec<_>>())
            })
            .await?;
        context.exchange.want(samples);
    }
    Ok(())
}

/// What became of each item.
#[derive(Default)]
struct Answers {
    done: usize,
    refused: usize,
    items: Vec<Value>,
}

impl Answers {
    fn done(&mut self, id: ItemId) {
        self.done += 1;
        self.list(json!({"id": id, "done": true}));
    }

    fn refused(&mut self, id: ItemId, why: &str) {
        self.refused += 1;
        self.list(json!({"id": id, "refused": why}));
    }

    fn list(&mut self, answer: Value) {
        if self.items.len() < LISTED_MAX {
            self.items.push(answer);
        }
    }

    fn told(self, action: &str) -> Value {
        json!({"action": action, "done": self.done, "refused": self.refused, "items": self.items})
    }
}

/// A small JSON body.
///
/// # Errors
/// Too long, broken off, or not what is expected.
pub async fn json_body<T: serde::de::DeserializeOwned>(body: Body) -> Result<T, Problem> {
    let bytes = match Limited::new(body, BODY_BYTES_MAX).collect().await {
        Ok(collected) => collected.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => {
            let detail = format!("the body is longer than {BODY_BYTES_MAX} bytes");
            return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail));
        }
        Err(error) => return Err(Problem::invalid(format!("the body broke off: {error}"))),
    };
    serde_json::from_slice(&bytes).map_err(|error| Problem::invalid(format!("the body cannot be read: {error}")))
}
