//! `/healthz`: the process answers. `/readyz`: it takes samples, or says why not.

use crate::daemon::context::Context;
use crate::http::problem::Problem;
use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};
use std::sync::Arc;

/// `GET /healthz`.
pub async fn alive() -> Json<Value> {
    Json(json!({"alive": true}))
}

/// `GET /readyz`.
///
/// # Errors
/// 503 while recovering, draining, or stopped.
pub async fn ready(State(context): State<Arc<Context>>) -> Result<Json<Value>, Problem> {
    match context.intake() {
        Ok(_) => Ok(Json(json!({"ready": true}))),
        Err(error) => Err(Problem::unavailable(error.to_string()).with("ready", false.into())),
    }
}
