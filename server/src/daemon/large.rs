//! A sample on its way to disk while it arrives: a thread writes, a bounded channel feeds it.
//! 1. At most [`PIECES_MAX`] pieces are between the socket and the thread.
//! 2. Dropping a [`LargeStream`] abandons the sample; only [`LargeStream::finish`] makes a receipt.

use crate::daemon::context::Context;
use crate::daemon::refusal::Refused;
use bytes::Bytes;
use engine::{Engine, Outcome, Permit, Stored, SubmitError};
use model::{Arrival, Blake3};
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

/// Pieces in the channel: at most this many reads of 64 KiB.
const PIECES_MAX: usize = 16;

enum Piece {
    Bytes(Bytes),
    End(Option<Blake3>),
}

/// The feeding end.
pub struct LargeStream {
    pieces: mpsc::Sender<Piece>,
    writing: JoinHandle<Option<Outcome>>,
}

impl LargeStream {
    /// Starts the thread.
    ///
    /// # Errors
    /// As many samples as are allowed are being streamed already.
    pub fn start(context: &Context, engine: &Engine, permit: Permit, arrival: Arrival) -> Result<Self, Refused> {
        let Ok(place) = Arc::clone(&context.streams).try_acquire_owned() else {
            return Err(Refused::busy("as many large samples as it takes at a time are on their way"));
        };
        let (pieces, arriving) = mpsc::channel(PIECES_MAX);
        let engine = engine.clone();
        let writing = tokio::task::spawn_blocking(move || {
            let _place = place;
            write(&engine, permit, arrival, arriving).transpose()
        });
        Ok(Self { pieces, writing })
    }

    /// Hands bytes over; waits while the channel is full. False once the thread has ended: the reason comes
    /// from [`LargeStream::finish`].
    pub async fn write(&mut self, bytes: Bytes) -> bool {
        self.pieces.send(Piece::Bytes(bytes)).await.is_ok()
    }

    /// Ends the sample, which must have this digest where one is given, and waits until it is durable.
    ///
    /// # Errors
    /// Why there is no item.
    pub async fn finish(self, expected: Option<Blake3>) -> Result<Stored, Refused> {
        // A thread that ended early has its reason ready.
        let _ = self.pieces.send(Piece::End(expected)).await;
        drop(self.pieces);
        match self.writing.await {
            Ok(Some(outcome)) => outcome.map_err(Refused::from),
            Ok(None) | Err(_) => {
                Err(SubmitError::Stopped("the thread that wrote the sample ended early".to_owned()).into())
            }
        }
    }
}

/// `None` when the sender broke off: dropping the writer abandons the file.
fn write(
    engine: &Engine,
    permit: Permit,
    arrival: Arrival,
    mut arriving: mpsc::Receiver<Piece>,
) -> Result<Option<Stored>, SubmitError> {
    let mut writer = engine.large(permit, arrival)?;
    while let Some(piece) = arriving.blocking_recv() {
        match piece {
            Piece::Bytes(bytes) => writer.write(&bytes)?,
            Piece::End(expected) => {
                let (done, outcome) = oneshot::channel();
                writer.finish(expected, Box::new(move |ended| drop(done.send(ended))));
                let ended = outcome.blocking_recv();
                return ended
                    .unwrap_or_else(|_| Err(SubmitError::Stopped("the store is closing".to_owned())))
                    .map(Some);
            }
        }
    }
    Ok(None)
}
