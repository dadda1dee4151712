//! `GET /v1/items/{id}/repaired`: the sample as the recipes of the definitions in use repair it, verified by a second scan.

use crate::daemon::clock;
use crate::daemon::context::Context;
use crate::http::items::find;
use crate::http::problem::Problem;
use crate::scanning::{NotRepaired, Repaired, bytes_of, repair};
use crate::security::access::Caller;
use axum::extract::{Extension, Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use model::{Blake3, Event, ItemId};
use scanner::file::Limits;
use std::sync::Arc;

/// The handler.
///
/// # Errors
/// No such item, no definitions are in use, or it is not repaired: why stands in the item's errors too.
pub async fn repaired(
    State(context): State<Arc<Context>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let item = find(&context, &id).await?;
    match repair_item(&context, item.id, item.sample.blake3, caller.name()).await? {
        Ok(repaired) => {
            let digest = blake3::hash(&repaired.bytes).to_hex().to_string();
            let headers = [
                (header::CONTENT_TYPE.as_str(), "application/octet-stream".to_owned()),
                (header::X_CONTENT_TYPE_OPTIONS.as_str(), "nosniff".to_owned()),
                (header::CONTENT_SECURITY_POLICY.as_str(), "sandbox; default-src 'none'".to_owned()),
                (header::CACHE_CONTROL.as_str(), "no-store".to_owned()),
                ("x-blake3", digest),
                ("x-repaired", percent(&repaired.signatures.join(", "))),
            ];
            let mut response = repaired.bytes.into_response();
            for (name, value) in headers {
                if let (Ok(name), Ok(value)) = (header::HeaderName::try_from(name), value.parse()) {
                    response.headers_mut().insert(name, value);
                }
            }
            Ok(response)
        }
        Err(why) => Err(Problem::new(StatusCode::CONFLICT, "not-repaired", why.to_string())),
    }
}

/// Repairs an item's sample and records on the item what came of it.
///
/// # Errors
/// No definitions are in use, or the catalogue cannot be written.
pub async fn repair_item(
    context: &Arc<Context>,
    item: ItemId,
    blake3: Blake3,
    who: &str,
) -> Result<Result<Repaired, NotRepaired>, Problem> {
    let engine = context.engine()?.clone();
    let Some(active) = context.definitions.active() else {
        let detail = "no definitions are in use: `lazaret defs install` brings some";
        return Err(Problem::new(StatusCode::CONFLICT, "conflict", detail));
    };
    let (context, who) = (Arc::clone(context), who.to_owned());
    let working = tokio::task::spawn_blocking(move || {
        let limits = Limits::default();
        let done = (|| {
            let pool = context.cage.pool().map_err(|fault| NotRepaired::Failed(fault.to_string()))?;
            let bytes = bytes_of(&engine, &blake3, &limits)?
                .ok_or_else(|| NotRepaired::Failed(format!("it has more than {} bytes", limits.file_bytes_max)))?;
            repair(&pool, &active, bytes, &limits)
        })();
        let (now, sequence) = (clock::now(), active.sequence.0);
        let recorded = match &done {
            Ok(repaired) => {
                let names = repaired.signatures.join(", ");
                let what = format!("repaired with definitions {sequence}: {names}, {} bytes", repaired.bytes.len());
                engine.catalogue().add_action(item, now, &who, &what)
            }
            Err(why) => {
                context.alerts.raise_for(Event::NotRepaired, why.to_string(), &[item], 1);
                engine.catalogue().add_error(item, now, &format!("was not repaired: {why}"))
            }
        };
        (done, recorded)
    });
    let (done, recorded) = working.await.map_err(|_| Problem::internal("the thread that repaired ended"))?;
    recorded.map_err(|error| Problem::internal(format!("what came of the repair cannot be recorded: {error}")))?;
    Ok(done)
}

fn percent(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}
