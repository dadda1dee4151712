//! `GET /v1/items`, `/v1/items/{id}`, `/v1/items/count`.

use crate::daemon::context::Context;
use crate::http::filter::{Asked, KNOWN};
use crate::http::problem::Problem;
use crate::http::query::Parameters;
use axum::Json;
use axum::extract::{Path, State};
use engine::catalogue::{Cursor, SubmissionRow};
use model::submission::Stage;
use model::{Item, ItemId};
use serde_json::{Value, json};
use std::sync::Arc;

/// Items of a page where none is asked for.
const LIMIT: usize = 100;
/// Items of a page at most: some megabytes of JSON.
const LIMIT_MAX: usize = 1000;

/// `GET /v1/items`: `{"items": [...], "next": "CURSOR" or null}`, the newest first.
///
/// # Errors
/// A parameter, or the catalogue.
pub async fn list(State(context): State<Arc<Context>>, mut parameters: Parameters) -> Result<Json<Value>, Problem> {
    let asked = Asked::take(&mut parameters)?;
    let limit = parameters.parsed::<usize>("limit")?.unwrap_or(LIMIT);
    let cursor = parameters.parsed::<Cursor>("cursor")?;
    parameters.end(&format!("{KNOWN}, limit, cursor"))?;
    if limit == 0 || limit > LIMIT_MAX {
        return Err(Problem::invalid(format!("limit={limit}: between 1 and {LIMIT_MAX} is allowed")));
    }
    context.caught_up().await?;
    let Some(filter) = asked.resolve(&context).await? else {
        return Ok(Json(json!({"items": [], "next": null})));
    };
    let page = context.read(move |catalogue| catalogue.page(&filter, limit, cursor.as_ref())).await?;
    Ok(Json(json!({"items": page.items, "next": page.next.map(|cursor| cursor.to_string())})))
}

/// `GET /v1/items/count`: `{"count": N}`.
///
/// # Errors
/// A parameter, or the catalogue.
pub async fn count(State(context): State<Arc<Context>>, mut parameters: Parameters) -> Result<Json<Value>, Problem> {
    let asked = Asked::take(&mut parameters)?;
    parameters.end(KNOWN)?;
    context.caught_up().await?;
    let count = match asked.resolve(&context).await? {
        None => 0,
        Some(filter) => context.read(move |catalogue| catalogue.count(&filter)).await?,
    };
    Ok(Json(json!({"count": count})))
}

/// `GET /v1/items/{id}`; `submission` is beside it while its sample is at the analysis centre, or on its way there.
///
/// # Errors
/// No such item.
pub async fn show(State(context): State<Arc<Context>>, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    let item = find(&context, &id).await?;
    let id = item.id;
    let submission = context
        .read(move |catalogue| match catalogue.sample_of(id)? {
            Some((sample, _)) => catalogue.submission(sample),
            None => Ok(None),
        })
        .await?;
    let mut told = serde_json::to_value(item).map_err(|error| Problem::internal(error.to_string()))?;
    if let (Some(row), Value::Object(members)) = (submission, &mut told) {
        members.insert("submission".to_owned(), submission_told(&row));
    }
    Ok(Json(told))
}

fn submission_told(row: &SubmissionRow) -> Value {
    let stage = match row.stage {
        Stage::Sending => "sending",
        Stage::Accepted => "accepted",
        Stage::Refused => "refused",
        Stage::Answered(_) => "answered",
    };
    json!({
        "key": row.key,
        "stage": stage,
        "begun_at": row.at,
        "sent_blake3": row.sent_blake3,
        "sent_bytes": row.sent_bytes,
        "stripped": row.stripped,
        "said": row.what,
    })
}

/// The item that a path names.
///
/// # Errors
/// The text is no id, or no item has it.
pub async fn find(context: &Context, id: &str) -> Result<Item, Problem> {
    let id: ItemId = id.parse().map_err(|error: model::id::ParseIdError| Problem::invalid(error.to_string()))?;
    context
        .item(id)
        .await?
        .ok_or_else(|| Problem::missing(format!("no item has the id {id}: it never was, or it was deleted")))
}
