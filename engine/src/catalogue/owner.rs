//! The thread that owns the writing connection: next, apply, publish.

use super::bounds::RETRY_INTERVAL;
use super::change::Change;
use super::error::CatalogueError;
use super::queue::{Asked, Queue, Work};
use super::writer::Writer;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// Applies what is queued until it is told to stop or the file fails.
pub(super) fn run(mut writer: Writer, queue: &Arc<Queue>, pages_max: &AtomicU32) {
    crate::priority::run_in_background();
    let _last_words = LastWords(queue);
    loop {
        let done = match queue.next() {
            Work::Log(changes) => apply(&mut writer, queue, &changes, pages_max),
            Work::Own(asked) => answer(&mut writer, queue, asked),
            Work::Rest => {
                told(writer.checkpoint().and_then(|()| writer.shrink()));
                Ok(())
            }
            Work::Stop => break,
        };
        if let Err(error) = done {
            tracing::error!(%error, watermark = writer.watermark(), "the catalogue has stopped; its changes wait in the log");
            queue.failed(error.to_string());
            return;
        }
    }
    told(writer.close());
}

/// The write-ahead log stays as it is and is read at the next start; nothing is wrong but its length.
fn told(done: Result<(), CatalogueError>) {
    if let Err(error) = done {
        tracing::warn!(%error, "the catalogue's write-ahead log was not copied");
    }
}

/// Lets everybody go when the thread ends, whatever ended it; an earlier reason is kept.
struct LastWords<'q>(&'q Queue);

impl Drop for LastWords<'_> {
    fn drop(&mut self) {
        let reason = if std::thread::panicking() { "its thread panicked" } else { "it is closed" };
        self.0.failed(reason.to_owned());
    }
}

/// Applies changes of the log, again and again while the disk is full.
fn apply(writer: &mut Writer, queue: &Queue, changes: &[Change], pages_max: &AtomicU32) -> Result<(), CatalogueError> {
    loop {
        match writer.apply(changes) {
            Ok(()) => {
                queue.committed(changes.len(), writer.watermark(), writer.by_status(), writer.client_news());
                return Ok(());
            }
            Err(error @ CatalogueError::Full { .. }) => {
                tracing::warn!(%error, retry_interval = ?RETRY_INTERVAL, "the catalogue waits for room");
                if !queue.stalled(error.to_string(), RETRY_INTERVAL) {
                    return Err(error);
                }
                writer.allow_pages(pages_max.load(Ordering::Relaxed))?;
            }
            Err(error) => return Err(error),
        }
    }
}

/// Applies own changes and answers each.
fn answer(writer: &mut Writer, queue: &Queue, asked: Vec<Asked>) -> Result<(), CatalogueError> {
    let (changes, answers): (Vec<_>, Vec<_>) = asked.into_iter().map(|one| (one.change, one.answer)).unzip();
    match writer.apply_own(&changes) {
        Ok(done) => {
            queue.committed(0, writer.watermark(), writer.by_status(), writer.client_news());
            for (one, answer) in done.into_iter().zip(answers) {
                // A caller that no longer waits is not told.
                let _ = answer.send(one);
            }
            Ok(())
        }
        Err(error) => {
            for answer in answers {
                let _ = answer.send(Err(error.clone()));
            }
            // A full disk is no reason to stop: nothing of these changes is in the file, and their callers know.
            if matches!(error, CatalogueError::Full { .. }) { Ok(()) } else { Err(error) }
        }
    }
}
