//! `GET` and `PUT /v1/settings`: what can be changed while the server runs. A change is durable and in the audit
//! log when it is answered, and wins over the configuration file from then on.

use crate::daemon::context::Context;
use crate::daemon::settings::{Key, Settings};
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
/// An unknown key, a value out of its range, or the catalogue.
pub async fn change(
    State(context): State<Arc<Context>>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<Json<Value>, Problem> {
    let asked: Map<String, Value> = json_body(body).await?;
    let mut changes = Vec::new();
    for (name, value) in asked {
        let key = Key::named(&name).map_err(|error| Problem::invalid(error.to_string()))?;
        changes.push((key, key.read(&value).map_err(|error| Problem::invalid(error.to_string()))?));
    }
    let who = caller.name().to_owned();
    let stored = changes.clone();
    context
        .read(move |catalogue| {
            stored.iter().try_for_each(|(key, value)| catalogue.set_setting(key.name(), &json!(value), &who))
        })
        .await?;
    for (key, value) in changes {
        context.settings.lock().put(key, value, format!("stored by {}", caller.name()));
        context.events.setting(key.name(), &value.into(), caller.name());
    }
    let settings = context.settings.lock().clone();
    settings.apply(context.engine()?);
    Ok(Json(told(&settings)))
}

fn told(settings: &Settings) -> Value {
    let entry =
        |(key, value, origin): (Key, u64, &str)| (key.name().to_owned(), json!({"value": value, "origin": origin}));
    json!({"settings": settings.each().map(entry).collect::<Map<_, _>>()})
}
