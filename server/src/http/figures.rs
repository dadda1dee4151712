//! `GET /v1/quota`, `/v1/status`, `/metrics`.

use crate::daemon::context::Context;
use crate::http::problem::Problem;
use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use engine::Health;
use model::Status;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// `GET /v1/quota`.
///
/// # Errors
/// The engine is not there yet.
pub async fn quota(State(context): State<Arc<Context>>) -> Result<Json<Value>, Problem> {
    let quota = context.engine()?.quota();
    serde_json::to_value(quota).map(Json).map_err(|error| Problem::internal(error.to_string()))
}

/// `GET /v1/status`.
///
/// # Errors
/// The engine is not there yet.
pub async fn status(State(context): State<Arc<Context>>) -> Result<Json<Value>, Problem> {
    context.caught_up().await?;
    let engine = context.engine()?;
    let health = match engine.health() {
        Health::Running => json!({"state": "running"}),
        Health::Stopped { reason } => json!({"state": "stopped", "reason": reason}),
    };
    let (lag, watermark) = (engine.catalogue().lag(), engine.catalogue().watermark());
    let counts = engine.catalogue().count_by_status();
    let items: Map<String, Value> =
        Status::ALL.into_iter().zip(counts).map(|(status, count)| (status.name().to_owned(), count.into())).collect();
    Ok(Json(json!({
        "version": env!("CARGO_PKG_VERSION"),
        "phase": context.phase.now().word(),
        "started_at": context.started_at,
        "data": context.data.display().to_string(),
        "store": health,
        "quota": engine.quota(),
        "catalogue": {"watermark": watermark, "lag": lag},
        "items": items,
        "finish_backlog_bytes": engine.finish_backlog_bytes(),
        "damaged_places": engine.damage().len(),
        "definitions": crate::http::definitions::in_use(&context),
        "scanner": {"state": scanner_state(&context), "in_flight": context.figures.in_flight.load(Ordering::Relaxed)},
        "gateway": gateway_told(&context),
        "defcast": "none",
    })))
}

/// How it goes with the gateway.
fn gateway_told(context: &Context) -> Value {
    let told = context.exchange.told();
    let state = match (&context.policy().gateway, told.up()) {
        (None, _) => "none",
        (Some(_), None) => "waiting",
        (Some(_), Some(true)) => "up",
        (Some(_), Some(false)) => "down",
    };
    let known = |at: model::Timestamp| (!at.is_never()).then_some(at);
    json!({
        "state": state,
        "trouble": told.trouble(),
        "answered_at": known(told.answered_at),
        "retry_at": known(told.retry_at()),
        "certified": told.certified,
        "newest": told.newest,
    })
}

/// Whether samples are scanned.
fn scanner_state(context: &Context) -> &'static str {
    if context.figures.down.load(Ordering::Relaxed) > 0 {
        "down"
    } else if context.definitions.active().is_some() {
        "running"
    } else {
        "waiting"
    }
}

/// `GET /metrics`, OpenMetrics text.
///
/// # Errors
/// The figures cannot be written.
pub async fn metrics(State(context): State<Arc<Context>>) -> Result<Response, Problem> {
    let text = context.metrics.scrape(&context).map_err(|error| Problem::internal(error.to_string()))?;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}
