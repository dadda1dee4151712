//! A request body that waits until the server says that it wants it.

use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

/// Closed until `100 Continue` came. The caller drops a connection whose gate stayed closed.
#[derive(Debug, Clone)]
pub(super) struct Gate(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    open: bool,
    waker: Option<Waker>,
}

/// The body behind a [`Gate`].
#[derive(Debug)]
pub(super) struct Body {
    gate: Gate,
    bytes: Option<Bytes>,
}

impl Gate {
    pub(super) fn new(open: bool) -> Self {
        Self(Arc::new(Mutex::new(State { open, waker: None })))
    }

    pub(super) fn body(&self, bytes: Bytes) -> Body {
        Body { gate: self.clone(), bytes: Some(bytes) }
    }

    pub(super) fn open(&self) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.open = true;
        if let Some(waker) = state.waker.take() {
            waker.wake();
        }
    }

    pub(super) fn is_open(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).open
    }
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        {
            let mut state = self.gate.0.lock().unwrap_or_else(PoisonError::into_inner);
            if !state.open {
                state.waker = Some(context.waker().clone());
                return Poll::Pending;
            }
        }
        Poll::Ready(self.bytes.take().map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.as_ref().is_none_or(Bytes::is_empty)
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
    }
}
