//! `/v1/retests`: how re-tests go, and what an operator wants of them.

use crate::daemon::context::Context;
use crate::http::actions::json_body;
use crate::http::problem::Problem;
use crate::security::access::Caller;
use axum::Json;
use axum::body::Body;
use axum::extract::{Extension, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use std::sync::Arc;

/// What can be wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Action {
    /// Look whether anything is to be answered anew; with `full`, answer everything anew.
    Start,
    Pause,
    Resume,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    action: Action,
    #[serde(default)]
    full: bool,
}

/// `GET`: `{"paused", "samples", "shelves", "unshelved_bytes", "retests": [...]}`, newest first.
pub async fn show(State(context): State<Arc<Context>>) -> Json<Value> {
    Json(context.retests.told())
}

/// `POST {"action": "start" | "pause" | "resume", "full": true}`: what `GET` answers afterwards.
///
/// # Errors
/// The request does not parse, no definitions are in use, or it is so already.
pub async fn act(
    State(context): State<Arc<Context>>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<Json<Value>, Problem> {
    let asked: Asked = json_body(body).await?;
    let conflict = |detail: &str| Err(Problem::new(StatusCode::CONFLICT, "conflict", detail));
    match asked.action {
        Action::Start if context.definitions.active().is_none() => {
            return conflict("no definitions are in use: `lazaret defs install` brings some");
        }
        Action::Start if asked.full => {
            if !context.retests.want_full(caller.name()) {
                return conflict("a full re-test is under way already");
            }
        }
        Action::Start => context.retests.look(),
        Action::Pause => {
            if !context.retests.pause(true) {
                return conflict("re-tests are paused already");
            }
        }
        Action::Resume => {
            if !context.retests.pause(false) {
                return conflict("re-tests are not paused");
            }
        }
    }
    tracing::info!(target: "lazaret::audit", who = caller.name(), action = ?asked.action, full = asked.full, "re-tests");
    Ok(Json(context.retests.told()))
}
