//! `/v1/alerts`: the 23 events, who is told of them and how, what was told; and a test of it.

use crate::daemon::context::Context;
use crate::http::actions::json_body;
use crate::http::problem::Problem;
use crate::http::settings::change_settings;
use crate::security::access::Caller;
use axum::Json;
use axum::body::Body;
use axum::extract::{Extension, State};
use model::Event;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A change of one event's route; what is left out stays.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Route {
    enabled: Option<bool>,
    recipients: Option<Vec<String>>,
    methods: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Test {
    event: String,
}

/// `GET /v1/alerts`: `{"alerts": [{"event", "number", "name", "meaning", "enabled", "recipients", "methods", "count", ...}]}`.
///
/// # Errors
/// None today.
pub async fn list(State(context): State<Arc<Context>>) -> Result<Json<Value>, Problem> {
    Ok(Json(told(&context)))
}

/// `PUT /v1/alerts` with `{"quota_low": {"enabled": true, "methods": ["email"], "recipients": ["ann@example.org"]}}`:
/// all of it or nothing; stored like every setting.
///
/// # Errors
/// An unknown event, method or recipient.
pub async fn change(
    State(context): State<Arc<Context>>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<Json<Value>, Problem> {
    let asked: BTreeMap<String, Route> = json_body(body).await?;
    let mut settings = Map::new();
    for (id, route) in asked {
        let event = named(&id)?;
        let mut put = |last: &str, value: Option<Value>| {
            if let Some(value) = value {
                settings.insert(format!("alerting.{}.{last}", event.id()), value);
            }
        };
        put("enabled", route.enabled.map(Value::from));
        put("recipients", route.recipients.map(Value::from));
        put("methods", route.methods.map(Value::from));
    }
    change_settings(&context, &caller, &settings).await?;
    Ok(Json(told(&context)))
}

/// `POST /v1/alerts/test` with `{"event": "quota_low"}`: tells it once, to each recipient by each method, and says what
/// came of each.
///
/// # Errors
/// An unknown event.
pub async fn test(
    State(context): State<Arc<Context>>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<Json<Value>, Problem> {
    let asked: Test = json_body(body).await?;
    Ok(Json(crate::alerts::test(&context, named(&asked.event)?, caller.name()).await))
}

/// An event by its id or its number.
fn named(text: &str) -> Result<Event, Problem> {
    let by_number = || text.parse().ok().and_then(Event::from_number);
    Event::from_id(text).or_else(by_number).ok_or_else(|| {
        let shown: String = text.chars().take(80).collect();
        Problem::invalid(format!("there is no event {shown}: they are numbered 1 to {}", Event::COUNT))
    })
}

fn told(context: &Context) -> Value {
    let policy = context.policy();
    let alerts = Event::ALL.into_iter().map(|event| {
        let (route, seen) = (policy.alerts.route(event), context.alerts.seen(event));
        json!({
            "event": event.id(),
            "number": event.number(),
            "name": event.name(),
            "meaning": event.meaning(),
            "enabled": route.enabled,
            "recipients": route.recipients,
            "methods": route.methods.iter().map(|method| method.word()).collect::<Vec<_>>(),
            "count": seen.count,
            "told_at": (!seen.told_at.is_never()).then_some(seen.told_at),
            "text": seen.text,
            "failed_deliveries": seen.failed,
            "failure": seen.failure,
        })
    });
    json!({"alerts": alerts.collect::<Vec<_>>()})
}
