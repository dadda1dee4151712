//! Watches one connection for a head that arrives byte by byte. hyper has one timer for both the head and the
//! pause before it, and the two want different lengths.
//! 1. The clock runs from the first byte after an answer ended until the head is complete.
//! 2. While a request is answered it stands still, however slowly the answer is taken.
//! 3. It also keeps what [`HeadScan`] saw of the head that is arriving.

use crate::http::framing::HeadScan;
use axum::body::{Body, Bytes};
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;
use tokio::time::Instant;

#[derive(Debug)]
struct Shared {
    base: Instant,
    /// Milliseconds after `base`, plus one, at which the head began; 0 while none is arriving.
    begun_ms: AtomicU64,
    answering: AtomicBool,
    two_framings: AtomicBool,
    began: Notify,
}

/// The clock of one connection.
#[derive(Debug, Clone)]
pub struct HeadClock(Arc<Shared>);

impl Default for HeadClock {
    fn default() -> Self {
        Self(Arc::new(Shared {
            base: Instant::now(),
            begun_ms: AtomicU64::new(0),
            answering: AtomicBool::new(false),
            two_framings: AtomicBool::new(false),
            began: Notify::new(),
        }))
    }
}

impl HeadClock {
    /// The head is complete; the clock stands still until the guard is dropped.
    pub fn answering(&self) -> Answering {
        self.0.answering.store(true, Ordering::Release);
        self.0.begun_ms.store(0, Ordering::Release);
        Answering(Arc::clone(&self.0))
    }

    /// Whether the head that has just come names both a length and a transfer encoding.
    pub fn has_two_framings(&self) -> bool {
        self.0.two_framings.load(Ordering::Acquire)
    }

    /// Ends when a head has been arriving for longer than `within`. Cancel-safe.
    pub async fn late(&self, within: Duration) {
        loop {
            let began = self.0.began.notified();
            match self.0.begun_ms.load(Ordering::Acquire) {
                0 => began.await,
                begun_ms => {
                    let deadline = self.0.base + Duration::from_millis(begun_ms) + within;
                    tokio::time::sleep_until(deadline).await;
                    // The same head still: it is late. Another one has a deadline of its own.
                    if self.0.begun_ms.load(Ordering::Acquire) == begun_ms {
                        return;
                    }
                }
            }
        }
    }

    fn bytes_came(&self, bytes: &[u8], scan: &mut HeadScan) {
        if self.0.answering.load(Ordering::Acquire) {
            return;
        }
        if self.0.begun_ms.load(Ordering::Acquire) == 0 {
            *scan = HeadScan::default();
            self.begin();
        }
        scan.feed(bytes);
        self.0.two_framings.store(scan.has_both(), Ordering::Release);
    }

    fn begin(&self) {
        let now_ms = u64::try_from(self.0.base.elapsed().as_millis()).unwrap_or(u64::MAX - 1);
        self.0.begun_ms.store(now_ms + 1, Ordering::Release);
        self.0.began.notify_one();
    }
}

/// Held while a request is answered.
#[derive(Debug)]
pub struct Answering(Arc<Shared>);

impl Answering {
    /// Goes with the answer's body.
    pub fn until_end_of(self, body: Body) -> Answer {
        Answer { body, _answering: self }
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.answering.store(false, Ordering::Release);
    }
}

/// An answer's body, which holds the clock.
#[derive(Debug)]
pub struct Answer {
    body: Body,
    _answering: Answering,
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(task)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A stream that tells the clock when bytes come.
#[derive(Debug)]
pub struct Watched<S> {
    stream: S,
    clock: HeadClock,
    scan: HeadScan,
}

impl<S> Watched<S> {
    /// Watches `stream`.
    pub fn new(stream: S, clock: HeadClock) -> Self {
        Self { stream, clock, scan: HeadScan::default() }
    }

    /// The stream.
    pub fn into_inner(self) -> S {
        self.stream
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        task: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let before = into.filled().len();
        let Self { stream, clock, scan } = &mut *self;
        let read = Pin::new(stream).poll_read(task, into);
        if let Some(bytes @ [_, ..]) = into.filled().get(before..) {
            clock.bytes_came(bytes, scan);
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, task: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(task, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(task)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(task)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        task: &mut Context<'_>,
        bytes: &[std::io::IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(task, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_head_is_late_only_while_it_arrives() {
        let clock = HeadClock::default();
        let within = Duration::from_millis(5);
        let long = Duration::from_millis(50);
        assert!(tokio::time::timeout(long, clock.late(within)).await.is_err(), "nothing has come");
        let mut scan = HeadScan::default();
        clock.bytes_came(b"G", &mut scan);
        let answering = clock.answering();
        clock.bytes_came(b"G", &mut scan);
        assert!(tokio::time::timeout(long, clock.late(within)).await.is_err(), "a request is being answered");
        drop(answering);
        clock.bytes_came(b"G", &mut scan);
        clock.late(within).await;
    }
}
