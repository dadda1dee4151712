//! A lane on the native protocol.

use super::Inbox;
use super::talk::{Lost, Talk};
use crate::limits::{CONNECTS_MAX, READ_BYTES, RECONNECT_PAUSE};
use crate::work::Work;
use std::future::Future;
use std::io;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split};
use tokio::time::{sleep, sleep_until};

enum Ended {
    /// Everything was sent and answered.
    Finished,
    /// Time is up.
    Deadline,
    /// The connection is gone.
    Lost(Lost),
}

/// Runs a lane until its arrivals are answered or the deadline has passed. A lost connection is made
/// again and open requests are put again under their numbers. Everything unanswered is counted.
/// Returns what ended the lane early.
pub async fn run<S, F>(work: Arc<Work>, lane: usize, mut inbox: Inbox, connect: impl Fn() -> F) -> Option<String>
where
    S: AsyncRead + AsyncWrite,
    F: Future<Output = io::Result<S>>,
{
    let mut talk = Talk::new(work.clone(), lane);
    let mut failures = 0;
    loop {
        let connected = inbox.while_taking(&work.measure, work.deadline, connect()).await;
        let lost = match connected {
            None => break,
            Some(Err(cause)) => Lost::Io(cause),
            Some(Ok(stream)) => match converse(&work, &mut talk, &mut inbox, stream, &mut failures).await {
                Ended::Finished => return None,
                Ended::Deadline => break,
                Ended::Lost(lost) => lost,
            },
        };
        failures += 1;
        work.measure.reconnected();
        if lost.is_final() || failures > CONNECTS_MAX {
            talk.give_up();
            inbox.give_up(&work.measure, "not_connected").await;
            return Some(lost.to_string());
        }
        inbox.while_taking(&work.measure, work.deadline, sleep(RECONNECT_PAUSE)).await;
    }
    let open = talk.open_count();
    talk.give_up();
    inbox.give_up(&work.measure, "not_sent").await;
    Some(format!("the time to drain ran out with {open} requests unanswered"))
}

async fn converse<S: AsyncRead + AsyncWrite>(
    work: &Work,
    talk: &mut Talk,
    inbox: &mut Inbox,
    stream: S,
    failures: &mut u32,
) -> Ended {
    let (mut reader, mut writer) = split(stream);
    let mut buffer = vec![0; READ_BYTES];
    if let Err(cause) = talk.connect() {
        return Ended::Lost(Lost::Io(io::Error::other(cause)));
    }
    loop {
        talk.fill(&mut inbox.backlog);
        if inbox.is_done() && talk.is_idle() {
            talk.bye();
            // The answer to everything is here; whether the bye arrives changes nothing.
            let _ = writer.write_all(talk.to_write()).await;
            let _ = writer.shutdown().await;
            return Ended::Finished;
        }
        let writing = talk.to_write();
        tokio::select! {
            read = reader.read(&mut buffer) => match read {
                Ok(0) => return Ended::Lost(Lost::Io(io::ErrorKind::UnexpectedEof.into())),
                Ok(bytes) => {
                    if let Err(lost) = talk.heard(&buffer[..bytes]) {
                        return Ended::Lost(lost);
                    }
                    *failures = 0;
                }
                Err(cause) => return Ended::Lost(Lost::Io(cause)),
            },
            written = writer.write(writing), if !writing.is_empty() => match written {
                Ok(bytes) => talk.wrote(bytes),
                Err(cause) => return Ended::Lost(Lost::Io(cause)),
            },
            () = inbox.take(&work.measure) => {}
            () = sleep_until(work.deadline) => return Ended::Deadline,
        }
    }
}
