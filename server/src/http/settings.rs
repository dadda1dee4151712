//! `GET` and `PUT /v1/settings`: what can be changed while the server runs. A change is durable and in the audit
//! log when it is answered, and wins over the configuration file from then on.

use crate::daemon::context::Context;
use crate::daemon::settings::{RefusedSetting, Settings};
use crate::http::actions::json_body;
use crate::http::problem::Problem;
use crate::security::access::Caller;
use axum::Json;
use axum::body::Body;
use axum::extract::{Extension, State};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// `GET`: `{"settings": {"general.max_bytes": {"value", "origin"}}}`.
///
/// # Errors
/// The engine is not there yet.
pub async fn show(State(context): State<Arc<Context>>) -> Result<Json<Value>, Problem> {
    context.engine()?;
    Ok(Json(told(&context.settings.lock())))
}

/// `PUT` with `{"general.max_bytes": 1000000000}`: all of it or nothing.
///
/// # Errors
/// An unknown key, a value that does not fit, or the catalogue.
pub async fn change(
    State(context): State<Arc<Context>>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<Json<Value>, Problem> {
    let asked: Map<String, Value> = json_body(body).await?;
    Ok(Json(told(&change_settings(&context, &caller, &asked).await?)))
}

/// Changes settings, all of them or none.
///
/// # Errors
/// As [`change`].
pub async fn change_settings(
    context: &Context,
    caller: &Caller,
    asked: &Map<String, Value>,
) -> Result<Settings, Problem> {
    let refused = |error: RefusedSetting| Problem::invalid(error.to_string());
    let mut changes = Vec::new();
    for (name, value) in asked {
        changes.push((name.clone(), Settings::read(name, value).map_err(refused)?));
    }
    // One at a time: two changes that fit each alone may not fit together.
    let _one = context.changing_settings.lock().await;
    let now = context.settings.lock().clone();
    let (changed, policy) = now.with(&changes, caller.name()).map_err(refused)?;
    let (who, stored) = (caller.name().to_owned(), asked.clone());
    context
        .read(move |catalogue| stored.iter().try_for_each(|(name, value)| catalogue.set_setting(name, value, &who)))
        .await?;
    *context.settings.lock() = changed.clone();
    changed.apply(context.engine()?);
    context.policy_changed(policy);
    for (name, value) in asked {
        context.events.setting(name, value, caller.name());
    }
    Ok(changed)
}

fn told(settings: &Settings) -> Value {
    let entry = |(name, value, origin)| (name, json!({"value": value, "origin": origin}));
    json!({"settings": settings.each().map(entry).collect::<Map<_, _>>()})
}
