//! One line for each answered request, at info under the target `lazaret::access`, which is off by default.
//! Paths are hostile text and are logged escaped.

use crate::http::accept::Peer;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use std::time::Instant;

/// The target to switch on.
pub const TARGET: &str = "lazaret::access";

/// Logs after the answer's head is made.
pub async fn log(request: Request, next: Next) -> Response {
    if !tracing::enabled!(target: TARGET, tracing::Level::INFO) {
        return next.run(request).await;
    }
    let peer = request.extensions().get::<Peer>().map(|peer| peer.0.to_string()).unwrap_or_default();
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let started = Instant::now();
    let response = next.run(request).await;
    let ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    tracing::info!(target: TARGET, %peer, %method, ?path, status = response.status().as_u16(), ms);
    response
}
