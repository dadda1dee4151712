//! `/v1/samples`: one raw body is one item; `HEAD` asks whether a digest is here.

use crate::daemon::admission::admit;
use crate::daemon::clock;
use crate::daemon::context::Context;
use crate::daemon::refusal::Refused;
use crate::http::accept::Peer;
use crate::http::body::PacedBody;
use crate::http::headers::Described;
use crate::http::item::{answer, stored_item};
use crate::http::multipart;
use crate::http::problem::Problem;
use crate::http::upload::Upload;
use crate::security::access::{Caller, Right};
use axum::body::{Body, HttpBody as _};
use axum::extract::{Extension, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use engine::{Ask, Engine, Stored};
use model::{Arrival, Blake3, Content};
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::oneshot;

/// `PUT /v1/samples`.
///
/// # Errors
/// The headers, the refusal, or the body.
pub async fn put(
    State(context): State<Arc<Context>>,
    Extension(caller): Extension<Caller>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let described = describe(&context, &caller, peer, &headers)?;
    let arrival = described.arrival(0, clock::now());
    let claimable = described.blake3.filter(|_| described.waits && caller.has(Right::Claim));
    if let Some(digest) = claimable
        && let Some(receipt) = claim(&context, &digest, arrival.clone()).await?
    {
        let claimed = Arrival { content: Content::Claimed, ..arrival };
        return answer(&context, &receipt, claimed).await;
    }
    let length = body.size_hint().exact();
    let upload = Upload { context: &context, length, expected: described.blake3, arrival: arrival.clone() };
    let receipt = upload.run(&mut PacedBody::new(body, &context.limits)).await?;
    answer(&context, &receipt, arrival).await
}

/// `POST /v1/samples`: each file of the form is an item. One file answers as `PUT` does, several answer
/// `{"items": [...]}`. The first refusal ends the request and names what was stored before it.
///
/// # Errors
/// The headers, the form, the refusal, or the body.
pub async fn post(
    State(context): State<Arc<Context>>,
    Extension(caller): Extension<Caller>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let described = describe(&context, &caller, peer, &headers)?;
    let mut form = multipart::Form::new(&headers, PacedBody::new(body, &context.limits))?;
    let mut stored = Vec::new();
    let mut index = 0;
    loop {
        let file = match form.next_file().await {
            Ok(Some(file)) => file,
            Ok(None) => break,
            Err(problem) => return Err(problem.with("items", stored.into())),
        };
        let mut arrival = described.arrival(index, clock::now());
        if let Some(name) = file.name() {
            arrival.name = name.to_owned();
        }
        let upload = Upload { context: &context, length: None, expected: None, arrival: arrival.clone() };
        match upload.run(&mut multipart::FileSource(file)).await {
            Ok(receipt) => stored.push(stored_item(&context, &receipt, arrival).await?),
            Err(problem) => return Err(problem.with("items", stored.into())),
        }
        index += 1;
    }
    match stored.len() {
        0 => Err(Problem::invalid("the form holds no file: send a part with a file name")),
        1 => Ok((StatusCode::CREATED, axum::Json(stored.remove(0))).into_response()),
        _ => Ok((StatusCode::CREATED, axum::Json(serde_json::json!({"items": stored}))).into_response()),
    }
}

/// `HEAD /v1/samples/{blake3}`.
///
/// # Errors
/// The path is no digest, or the sample is not here.
pub async fn head(State(context): State<Arc<Context>>, Path(digest): Path<String>) -> Result<Response, Problem> {
    let digest: Blake3 = digest.parse().map_err(|error| Problem::invalid(format!("{error}")))?;
    if context.engine()?.knows(&digest) {
        Ok(StatusCode::OK.into_response())
    } else {
        Err(Problem::missing(format!("no sample has the digest {digest}")))
    }
}

fn describe(context: &Context, caller: &Caller, peer: Peer, headers: &HeaderMap) -> Result<Described, Problem> {
    if headers.get_all(header::CONTENT_ENCODING).iter().any(|encoding| encoding != "identity") {
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "malformed",
            "content-encoding is not supported: a sample is stored as it is sent",
        ));
    }
    let client = match caller {
        Caller::Anyone => peer.0.ip().to_canonical().to_string(),
        Caller::Bearer { name, .. } => name.to_string(),
    };
    Described::read(headers, &client, u32::from(context.policy().automatic))
}

/// An item on a digest that is already here, without a byte of body; `None` when it is not here after all.
async fn claim(context: &Context, digest: &Blake3, arrival: Arrival) -> Result<Option<Stored>, Problem> {
    let engine: &Engine = context.intake()?;
    if !engine.knows(digest) {
        return Ok(None);
    }
    let started = Instant::now();
    let arrival = Arrival { content: Content::Claimed, ..arrival };
    let ask = Ask { raw_bytes: 0, known: true, client: &arrival.client };
    let refused = |refused: Refused| {
        context.metrics.refused(refused.code);
        Problem::from(refused)
    };
    let permit = admit(context, engine, ask).await.map_err(|refusal| refused(refusal.into()))?;
    let (done, outcome) = oneshot::channel();
    if engine.offer(permit, digest, arrival, Box::new(move |outcome| drop(done.send(outcome)))).is_err() {
        return Ok(None);
    }
    let outcome = outcome.await.map_err(|_| Problem::internal("the store stopped before it answered"))?;
    let receipt = outcome.map_err(|error| refused(error.into()))?;
    context.acked(&receipt, started.elapsed());
    Ok(Some(receipt))
}
