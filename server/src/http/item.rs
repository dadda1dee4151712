//! An item as the answer to an upload.

use crate::daemon::context::{Context, outcome};
use crate::http::problem::Problem;
use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use engine::Stored;
use model::item::{ItemSample, Verdict};
use model::{Arrival, Attributes, Item, Status, Timestamp};
use serde_json::Value;

/// 201 with the item's JSON, `outcome` beside it.
///
/// # Errors
/// The item of a retry cannot be read.
pub async fn answer(context: &Context, receipt: &Stored, arrival: Arrival) -> Result<Response, Problem> {
    let item = stored_item(context, receipt, arrival).await?;
    let mut response = (StatusCode::CREATED, Json(item)).into_response();
    if let Ok(location) = HeaderValue::from_str(&format!("/v1/items/{}", receipt.item)) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

/// The item's JSON with `outcome`. A fresh item is told from its receipt; a retry's item may have moved on,
/// so it is read.
///
/// # Errors
/// The item of a retry cannot be read.
pub async fn stored_item(context: &Context, receipt: &Stored, arrival: Arrival) -> Result<Value, Problem> {
    let read = if receipt.repeated { context.item(receipt.item).await? } else { None };
    let item = read.unwrap_or_else(|| fresh(receipt, arrival));
    let mut item = serde_json::to_value(item).map_err(|error| Problem::internal(error.to_string()))?;
    if let Value::Object(members) = &mut item {
        members.insert("outcome".to_owned(), outcome(receipt).word().into());
    }
    Ok(item)
}

fn fresh(receipt: &Stored, arrival: Arrival) -> Item {
    Item {
        id: receipt.item,
        kind: arrival.kind,
        content: arrival.content,
        platform: arrival.platform,
        definitions_sequence: arrival.definitions_sequence,
        status: Status::Quarantined,
        sample: ItemSample {
            blake3: receipt.blake3,
            sha256: receipt.sha256,
            bytes: receipt.raw,
            stored_bytes: receipt.stored,
        },
        client: arrival.client,
        managed: arrival.managed,
        parent_server: arrival.parent_server,
        name: arrival.name,
        reason: arrival.reason,
        received_at: Timestamp(arrival.received_at_ms),
        verdict: Verdict::default(),
        attributes: Attributes { sample_priority: arrival.sample_priority, ..Attributes::default() },
        actions: Vec::new(),
        errors: Vec::new(),
    }
}
