//! HTTP connections, on hyper with a timer.
//! 1. A request's head is complete within `header_timeout` of its first byte; a connection without a request ends
//!    after `keep_alive`.
//! 2. A connection that is closed while its peer still sends lingers, bounded in time and bytes, so that the
//!    answer is read before the reset arrives.
//! 3. When the drain begins, the request in flight is the connection's last.

use crate::daemon::context::Context;
use crate::daemon::door::Door;
use crate::daemon::stream::Stream;
use crate::http::head_clock::{HeadClock, Watched};
use crate::http::problem::Problem;
use crate::http::routes;
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, Request, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;

/// How long a closed connection is read on, so that its peer sees our answer.
const LINGER: Duration = Duration::from_secs(2);
/// How many bytes of a refused body are read away at most: a small file, not a large one.
const LINGER_BYTES_MAX: usize = 1 << 20;
/// Bytes hyper may hold per connection while it reads a body: four socket reads of 16 KiB.
const READ_BYTES_MIN: usize = 64 << 10;

/// What one connection too many is told.
const TURNED_AWAY: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\nretry-after: 1\r\ncontent-length: 0\r\n\r\n";

/// Who is at the other end; an extension of every request.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// The listener with its router.
pub fn door(listener: TcpListener, tls: Option<TlsAcceptor>, context: Arc<Context>) -> impl Future<Output = ()> + Send {
    let router = routes::router(&context);
    let door = Door {
        name: "http",
        listener,
        tls,
        connections_max: context.limits.http_connections_max,
        open: context.metrics.http_connections.clone(),
        turned_away: TURNED_AWAY.to_vec(),
        context: Arc::clone(&context),
    };
    door.run(move |stream, peer| serve_connection(stream, peer, router.clone(), Arc::clone(&context)))
}

async fn serve_connection(stream: Stream, peer: SocketAddr, router: Router, context: Arc<Context>) {
    let limits = &context.limits;
    let mut phase = context.phase.watch();
    let clock = HeadClock::default();
    let service = service_fn(|request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(Peer(peer));
        let two_framings = clock.has_two_framings();
        let answering = clock.answering();
        let router = router.clone();
        // Boxed: hyper hands the connection back only when the future can be moved.
        Box::pin(async move {
            let answer = if two_framings { two_lengths() } else { router.oneshot(request).await? };
            Ok::<_, Infallible>(answer.map(|body| answering.until_end_of(body)))
        })
    });
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.keep_alive)
        .max_buf_size(limits.header_bytes_max.max(READ_BYTES_MIN))
        .max_header_size(limits.header_bytes_max)
        .half_close(false)
        .serve_connection(TokioIo::new(Watched::new(stream, clock.clone())), service);
    let (mut draining, mut told) = (pin!(phase.draining()), false);
    let ended = loop {
        tokio::select! {
            ended = poll_fn(|task| connection.poll_without_shutdown(task)) => break ended.map_err(Ended::Http),
            () = clock.late(limits.header_timeout) => break Err(Ended::LateHead),
            () = &mut draining, if !told => {
                told = true;
                Pin::new(&mut connection).graceful_shutdown();
            }
        }
    };
    let mut stream = connection.into_parts().io.into_inner().into_inner();
    match ended {
        Ok(()) => {}
        Err(Ended::Http(error)) => tracing::debug!(%peer, %error, "http connection ended"),
        Err(Ended::LateHead) => {
            tracing::debug!(%peer, "the head of a request did not arrive in time");
            let _ = tokio::time::timeout(LINGER, stream.write_all(&late_head())).await;
        }
    }
    linger(&mut stream).await;
}

/// The answer to a head from which two readers could take two different bodies.
fn two_lengths() -> Response {
    let what = "the request has both content-length and transfer-encoding: send one of them";
    let mut answer = Problem::invalid(what).into_response();
    answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    answer
}

/// Why a connection ended.
enum Ended {
    Http(hyper::Error),
    LateHead,
}

/// The answer to a head that did not arrive in time.
fn late_head() -> Vec<u8> {
    let document = Problem::new(StatusCode::REQUEST_TIMEOUT, "slow-head", "the request's head did not arrive in time")
        .document()
        .to_string();
    format!(
        "HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-type: application/problem+json\r\n\
         content-length: {}\r\n\r\n{document}",
        document.len()
    )
    .into_bytes()
}

/// Closes our side and reads the peer's away, within [`LINGER`] and [`LINGER_BYTES_MAX`].
async fn linger(stream: &mut Stream) {
    let away = async {
        stream.shutdown().await?;
        let mut left = LINGER_BYTES_MAX;
        let mut scratch = [0; 4096];
        while left > 0 {
            match stream.read(&mut scratch).await? {
                0 => break,
                read => left = left.saturating_sub(read),
            }
        }
        Ok::<_, std::io::Error>(())
    };
    // Late or broken, the stream is dropped either way.
    let _ = tokio::time::timeout(LINGER, away).await;
}
