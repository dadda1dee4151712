//! Every call of the HTTP API, with the right it needs: one table, from which the router is made and against
//! which `/openapi.json` is tested.

use crate::daemon::context::Context;
use crate::http::caller::{Guard, check};
use crate::http::problem::Problem;
use crate::http::{
    actions, alerts, clients, definitions, feed, figures, health, items, log, openapi, repair, restore, retests,
    samples, settings,
};
use crate::security::access::Right;
use axum::Router;
use axum::http::StatusCode;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{MethodRouter, get, head, post, put};
use std::sync::Arc;

/// One call.
pub struct Route {
    /// HTTP method.
    pub method: &'static str,
    /// Path with its parameters in braces.
    pub path: &'static str,
    /// What the caller must be allowed; `None` lets everyone in.
    pub right: Option<Right>,
    handler: MethodRouter<Arc<Context>>,
}

/// The table.
pub fn routes() -> Vec<Route> {
    let route = |method, path, right, handler| Route { method, path, right, handler };
    vec![
        route("PUT", "/v1/samples", Some(Right::Forward), put(samples::put)),
        route("POST", "/v1/samples", Some(Right::Forward), post(samples::post)),
        route("HEAD", "/v1/samples/{blake3}", Some(Right::Forward), head(samples::head)),
        route("GET", "/v1/items", Some(Right::Read), get(items::list)),
        route("GET", "/v1/items/count", Some(Right::Read), get(items::count)),
        route("POST", "/v1/items/actions", Some(Right::Act), post(actions::act)),
        route("GET", "/v1/items/{id}", Some(Right::Read), get(items::show)),
        route("GET", "/v1/items/{id}/sample", Some(Right::Restore), get(restore::sample)),
        route("GET", "/v1/items/{id}/repaired", Some(Right::Restore), get(repair::repaired)),
        route("GET", "/v1/settings", Some(Right::Read), get(settings::show)),
        route("PUT", "/v1/settings", Some(Right::Configure), put(settings::change)),
        route("GET", "/v1/clients", Some(Right::Read), get(clients::list)),
        route("GET", "/v1/clients/{name}", Some(Right::Read), get(clients::show)),
        route("PUT", "/v1/clients/{name}", Some(Right::Configure), put(clients::change)),
        route("GET", "/v1/alerts", Some(Right::Read), get(alerts::list)),
        route("PUT", "/v1/alerts", Some(Right::Configure), put(alerts::change)),
        route("POST", "/v1/alerts/test", Some(Right::Configure), post(alerts::test)),
        route("GET", "/v1/quota", Some(Right::Read), get(figures::quota)),
        route("GET", "/v1/status", Some(Right::Read), get(figures::status)),
        route("GET", "/v1/definitions", Some(Right::Read), get(definitions::list)),
        route("POST", "/v1/definitions", Some(Right::Configure), post(definitions::install)),
        route("POST", "/v1/definitions/test", Some(Right::Configure), post(definitions::test)),
        route("GET", "/v1/definitions/{sequence}", Some(Right::Read), get(definitions::show)),
        route("GET", "/v1/definitions/{sequence}/package", Some(Right::Read), get(definitions::download)),
        route("GET", "/v1/definitions/{sequence}/diff/{other}", Some(Right::Read), get(definitions::diff)),
        route("GET", "/v1/retests", Some(Right::Read), get(retests::show)),
        route("POST", "/v1/retests", Some(Right::Act), post(retests::act)),
        route("GET", "/v1/log", Some(Right::Read), get(log::page)),
        route("GET", "/v1/events", Some(Right::Read), get(feed::events)),
        route("GET", "/metrics", Some(Right::Read), get(figures::metrics)),
        route("GET", "/healthz", None, get(health::alive)),
        route("GET", "/readyz", None, get(health::ready)),
        route("GET", "/openapi.json", None, get(openapi::document)),
    ]
}

/// The router over the table.
pub fn router(context: &Arc<Context>) -> Router {
    let mut router = Router::new();
    for route in routes() {
        let handler = match route.right {
            None => route.handler,
            Some(right) => {
                route.handler.layer(from_fn_with_state(Guard { context: Arc::clone(context), right }, check))
            }
        };
        router = router.route(route.path, handler);
    }
    router
        .fallback(no_such_path)
        .method_not_allowed_fallback(no_such_method)
        .layer(from_fn(crate::http::access_log::log))
        .with_state(Arc::clone(context))
}

async fn no_such_path() -> Problem {
    Problem::missing("there is no such path: see /openapi.json for what there is")
}

async fn no_such_method() -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method-not-allowed",
        "this path has no such method: see /openapi.json for what there is",
    )
}
