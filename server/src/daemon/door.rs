//! The accept loop that both protocols share.
//! 1. At most `connections_max` connections; one more is told so and closed at once.
//! 2. A TLS handshake takes at most `limits.header_timeout`.
//! 3. After the drain begins nothing is accepted, connections end by themselves, and at the deadline what is
//!    left is cut.

use crate::daemon::context::Context;
use crate::daemon::stream::Stream;
use crate::metrics::Counted;
use prometheus_client::metrics::gauge::Gauge;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// How long to wait when the system has no descriptor left: accepting again at once would spin.
const NO_DESCRIPTOR_PAUSE: Duration = Duration::from_millis(50);

/// One listener and what its connections get.
pub struct Door {
    /// The word in logs.
    pub name: &'static str,
    /// Bound already.
    pub listener: TcpListener,
    /// Speak TLS.
    pub tls: Option<TlsAcceptor>,
    /// The daemon.
    pub context: Arc<Context>,
    /// Open connections at most.
    pub connections_max: usize,
    /// Counts them.
    pub open: Gauge,
    /// Said to one too many, without waiting; a TLS listener just closes.
    pub turned_away: Vec<u8>,
}

impl Door {
    /// Accepts until the drain begins, then waits for the connections, at most `limits.drain`.
    pub async fn run<F>(self, serve: impl Fn(Stream, SocketAddr) -> F + Clone + Send + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let mut phase = self.context.phase.watch();
        let slots = Arc::new(Semaphore::new(self.connections_max));
        let mut connections = JoinSet::new();
        loop {
            let (stream, peer) = tokio::select! {
                accepted = self.listener.accept() => match accepted {
                    Ok(accepted) => accepted,
                    Err(error) => {
                        tracing::warn!(door = self.name, %error, "cannot accept a connection");
                        tokio::time::sleep(NO_DESCRIPTOR_PAUSE).await;
                        continue;
                    }
                },
                Some(_) = connections.join_next(), if !connections.is_empty() => continue,
                () = phase.draining() => break,
            };
            let Ok(slot) = Arc::clone(&slots).try_acquire_owned() else {
                if self.tls.is_none() {
                    let _ = stream.try_write(&self.turned_away);
                }
                continue;
            };
            // Answers are small and complete: waiting to fill a packet would only delay them.
            let _ = stream.set_nodelay(true);
            let counted = Counted::new(&self.open);
            let place = (slot, counted);
            match &self.tls {
                None => {
                    let serving = serve(Stream::Plain(stream), peer);
                    connections.spawn(async move {
                        serving.await;
                        drop(place);
                    });
                }
                Some(tls) => {
                    let shaking = shake(tls.clone(), stream, self.context.limits.header_timeout);
                    let (name, serve) = (self.name, serve.clone());
                    connections.spawn(async move {
                        match shaking.await {
                            Ok(stream) => serve(stream, peer).await,
                            Err(error) => tracing::debug!(door = name, %peer, %error, "tls handshake failed"),
                        }
                        drop(place);
                    });
                }
            }
        }
        drop(self.listener);
        let ended = async { while connections.join_next().await.is_some() {} };
        if tokio::time::timeout(self.context.limits.drain, ended).await.is_err() {
            tracing::warn!(door = self.name, left = connections.len(), "connections outlived the drain deadline");
            connections.abort_all();
        }
    }
}

async fn shake(tls: TlsAcceptor, stream: TcpStream, within: Duration) -> std::io::Result<Stream> {
    match tokio::time::timeout(within, tls.accept(stream)).await {
        Ok(shaken) => shaken.map(|stream| Stream::Tls(Box::new(stream))),
        Err(late) => Err(late.into()),
    }
}
