//! The centre's listener: bounded connections, heads with a deadline, TLS where there is a certificate.

use super::{Centre, desk};
use crate::security::binding::{self, Protection};
use crate::security::tls;
use anyhow::Context as _;
use axum::body::Body;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;

/// Open connections: a quarantine has a handful, and there are not that many quarantines.
const CONNECTIONS_MAX: usize = 4096;
/// A head must be complete by then, and a TLS handshake; also how long a silent connection stays.
const HEAD_MAX: Duration = Duration::from_secs(75);
/// How long requests under way have at the end.
const DRAIN: Duration = Duration::from_secs(5);

/// The running listener.
pub struct Door {
    stop: watch::Sender<bool>,
    task: Option<JoinHandle<()>>,
}

impl Door {
    /// One that nobody comes through.
    pub fn closed() -> Self {
        Self { stop: watch::channel(true).0, task: None }
    }

    /// Accepts nothing more, and waits for what is under way.
    pub async fn close(self) {
        // It may have ended already.
        let _ = self.stop.send(true);
        if let Some(task) = self.task {
            let _ = task.await;
        }
    }
}

/// Binds and serves.
pub async fn open(centre: &Arc<Centre>) -> anyhow::Result<(Door, SocketAddr)> {
    let options = &centre.options;
    let acceptor = options.tls.as_ref().map(tls::server_config).transpose()?.map(TlsAcceptor::from);
    let address = tokio::net::lookup_host(&options.listen)
        .await
        .with_context(|| format!("'{}' is no address, HOST:PORT is expected", options.listen))?
        .next()
        .with_context(|| format!("'{}' names no address", options.listen))?;
    // Customers are known by their accounts, and every reply is signed: what is missing without TLS is secrecy.
    let protection = Protection { tls: acceptor.is_some(), tokens: true, allow_insecure: options.allow_insecure };
    binding::check("centre", address, protection)?;
    let listener = TcpListener::bind(address).await.with_context(|| format!("cannot bind {address}"))?;
    let bound = listener.local_addr()?;
    let (stop, stopped) = watch::channel(false);
    let task = tokio::spawn(accept(listener, acceptor, desk::router(centre), stopped));
    Ok((Door { stop, task: Some(task) }, bound))
}

async fn accept(
    listener: TcpListener,
    acceptor: Option<TlsAcceptor>,
    router: axum::Router,
    mut stopped: watch::Receiver<bool>,
) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let graceful = GracefulShutdown::new();
    loop {
        let (stream, peer) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
            _ = stopped.changed() => break,
        };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else { continue };
        let (router, acceptor, watcher) = (router.clone(), acceptor.clone(), graceful.watcher());
        tokio::spawn(async move {
            let _place = place;
            let stream = match acceptor {
                None => crate::daemon::stream::Stream::Plain(stream),
                Some(acceptor) => match tokio::time::timeout(HEAD_MAX, acceptor.accept(stream)).await {
                    Ok(Ok(stream)) => crate::daemon::stream::Stream::Tls(Box::new(stream)),
                    Ok(Err(_)) | Err(_) => return,
                },
            };
            let service = service_fn(move |request: Request<Incoming>| router.clone().oneshot(request.map(Body::new)));
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD_MAX)
                .serve_connection(TokioIo::new(stream), service);
            if let Err(error) = watcher.watch(connection).await {
                tracing::debug!(%peer, %error, "a connection ended");
            }
        });
    }
    drop(listener);
    // What is not over by then is repeated under its key.
    let _ = tokio::time::timeout(DRAIN, graceful.shutdown()).await;
}
