//! `GET /v1/log`: the audit log, the newest first.

use crate::daemon::context::Context;
use crate::http::problem::Problem;
use crate::http::query::Parameters;
use axum::Json;
use axum::extract::State;
use engine::catalogue::{Cursor, LogEntry};
use serde_json::{Value, json};
use std::sync::Arc;

/// Rows of a page where none is asked for, and at most.
const LIMIT: usize = 100;
const LIMIT_MAX: usize = 1000;

/// The handler: `{"entries": [{"id", "at", "who", "what", "item", "chain"}], "next"}`.
///
/// # Errors
/// A parameter, or the catalogue.
pub async fn page(State(context): State<Arc<Context>>, mut parameters: Parameters) -> Result<Json<Value>, Problem> {
    let limit = parameters.parsed::<usize>("limit")?.unwrap_or(LIMIT);
    let cursor = parameters.parsed::<Cursor>("cursor")?;
    parameters.end("limit, cursor")?;
    if limit == 0 || limit > LIMIT_MAX {
        return Err(Problem::invalid(format!("limit={limit}: between 1 and {LIMIT_MAX} is allowed")));
    }
    context.caught_up().await?;
    let page = context.read(move |catalogue| catalogue.log_page(limit, cursor.as_ref())).await?;
    let entries: Vec<Value> = page.entries.iter().map(told).collect();
    Ok(Json(json!({"entries": entries, "next": page.next.map(|cursor| cursor.to_string())})))
}

fn told(entry: &LogEntry) -> Value {
    json!({
        "id": entry.id,
        "at": entry.at,
        "who": entry.who,
        "what": entry.what,
        "item": entry.item,
        "chain": blake3::Hash::from_bytes(entry.chain).to_hex().as_str(),
    })
}
