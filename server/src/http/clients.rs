//! `/v1/clients`: who forwards, whether definitions can be given to them, what they have.

use crate::daemon::clock;
use crate::daemon::context::Context;
use crate::http::actions::json_body;
use crate::http::problem::Problem;
use crate::security::access::Caller;
use axum::Json;
use axum::body::Body;
use axum::extract::{Extension, Path, Query, State};
use engine::catalogue::{ClientEdit, ClientRow, Own};
use model::Sequence;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// Clients on one page.
const PAGE_MAX: usize = 1000;
/// Bytes of a client's name.
const NAME_BYTES_MAX: usize = 255;

/// What a list is asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Page {
    cursor: Option<String>,
    limit: Option<usize>,
}

/// What may change about a client; what is left out stays.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    /// `null` leaves it to the client's arrivals.
    #[serde(default, deserialize_with = "present")]
    managed: Option<Option<bool>>,
    parent_server: Option<String>,
    platform: Option<String>,
    definitions_sequence: Option<Sequence>,
}

/// Tells a member that is `null` from one that is not there.
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Option<bool>>, D::Error> {
    Deserialize::deserialize(deserializer).map(Some)
}

/// `GET /v1/clients`: `{"clients": [...], "next": "cursor"}`, by name.
///
/// # Errors
/// The catalogue cannot be read.
pub async fn list(State(context): State<Arc<Context>>, Query(page): Query<Page>) -> Result<Json<Value>, Problem> {
    context.caught_up().await?;
    let limit = page.limit.unwrap_or(100).clamp(1, PAGE_MAX);
    let after = page.cursor.unwrap_or_default();
    let clients = context.read(move |catalogue| catalogue.clients(&after, limit)).await?;
    let next = (clients.len() == limit).then(|| clients.last().map(|client| client.name.clone())).flatten();
    Ok(Json(json!({"clients": clients.iter().map(told).collect::<Vec<_>>(), "next": next})))
}

/// `GET /v1/clients/{name}`.
///
/// # Errors
/// Nobody of that name ever forwarded anything or was named.
pub async fn show(State(context): State<Arc<Context>>, Path(name): Path<String>) -> Result<Json<Value>, Problem> {
    context.caught_up().await?;
    let client = context.read(move |catalogue| catalogue.client(&name)).await?;
    client.map(|client| Json(told(&client))).ok_or_else(|| Problem::missing("no client has this name"))
}

/// `PUT /v1/clients/{name}`: changes what is known; a client that is not known yet is made. Items that wait for its
/// definitions are looked at again.
///
/// # Errors
/// The body does not parse, the name is none, or the catalogue.
pub async fn change(
    State(context): State<Arc<Context>>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
    body: Body,
) -> Result<Json<Value>, Problem> {
    let asked: Asked = json_body(body).await?;
    if name.is_empty() || name.len() > NAME_BYTES_MAX || name.chars().any(char::is_control) {
        return Err(Problem::invalid(format!(
            "a client has a name of 1 to {NAME_BYTES_MAX} bytes without control characters"
        )));
    }
    let edit = ClientEdit {
        name: name.clone(),
        managed: asked.managed,
        parent_server: asked.parent_server,
        platform: asked.platform,
        sequence: asked.definitions_sequence,
        who: caller.name().to_owned(),
        at: clock::now(),
    };
    let client = context
        .read(move |catalogue| {
            catalogue.apply(vec![Own::Client(edit)])?;
            catalogue.client(&name)
        })
        .await?;
    if let Some(control) = context.control() {
        control.review();
    }
    client.map(|client| Json(told(&client))).ok_or_else(|| Problem::internal("the client is gone"))
}

fn told(client: &ClientRow) -> Value {
    json!({
        "name": client.name,
        "managed": client.managed,
        "managed_set": client.managed_set,
        "parent_server": client.parent_server,
        "platform": client.platform,
        "definitions_sequence": client.sequence,
        "items": client.items,
        "raw_bytes": client.raw_bytes,
        "seen_at": (!client.seen_at.is_never()).then_some(client.seen_at),
    })
}
