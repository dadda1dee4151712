//! `GET /v1/events`: server-sent events. A listener that reads too slowly is told so and let go.

use crate::daemon::context::Context;
use crate::daemon::events::{Listener, Told};
use crate::http::problem::Problem;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::Response;
use hyper::body::{Body as HttpBody, Frame};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as Task, Poll};
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;

/// A comment this often keeps proxies from closing a quiet stream.
const QUIET: Duration = Duration::from_secs(15);

/// The handler.
///
/// # Errors
/// Too many listeners.
pub async fn events(State(context): State<Arc<Context>>) -> Result<Response, Problem> {
    let Some(listener) = context.events.listen() else {
        return Err(Problem::new(
            StatusCode::TOO_MANY_REQUESTS,
            "slow_down",
            format!("{} listeners are attached already", context.limits.event_listeners_max),
        )
        .retry_after_ms(5_000));
    };
    Response::builder()
        .header(header::CONTENT_TYPE, "text/event-stream")
        .header(header::CACHE_CONTROL, "no-store")
        .body(Body::new(Feed { next: next(Some(listener)), draining: draining(context) }))
        .map_err(|error| Problem::internal(error.to_string()))
}

type Next = Pin<Box<dyn Future<Output = (Option<Listener>, Option<Bytes>)> + Send>>;
type Draining = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The stream of events; ends when the daemon drains, else no drain would ever end.
struct Feed {
    next: Next,
    draining: Draining,
}

fn draining(context: Arc<Context>) -> Draining {
    Box::pin(async move { context.phase.watch().draining().await })
}

/// The next piece of the stream, and the listener unless this was its last.
fn next(listener: Option<Listener>) -> Next {
    Box::pin(async move {
        let Some(mut listener) = listener else { return (None, None) };
        match tokio::time::timeout(QUIET, listener.events.recv()).await {
            Ok(Ok(told)) => (Some(listener), Some(written(&told))),
            Ok(Err(RecvError::Lagged(missed))) => {
                let text = format!("event: behind\ndata: {{\"missed\":{missed}}}\n\n");
                (None, Some(text.into()))
            }
            Ok(Err(RecvError::Closed)) => (None, None),
            Err(_) => (Some(listener), Some(Bytes::from_static(b": quiet\n\n"))),
        }
    })
}

/// JSON has no line breaks outside of strings, and inside they are escaped: one `data:` line is enough.
fn written(told: &Told) -> Bytes {
    format!("event: {}\ndata: {}\n\n", told.name, told.data).into()
}

impl HttpBody for Feed {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if self.draining.as_mut().poll(task).is_ready() {
            return Poll::Ready(None);
        }
        let (listener, piece) = std::task::ready!(self.next.as_mut().poll(task));
        self.next = next(listener);
        Poll::Ready(piece.map(|piece| Ok(Frame::data(piece))))
    }
}
