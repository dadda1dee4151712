//! `lazaret put`: forwards files, several at a time.
//! 1. A file is opened once, without following a link, and what is sent is what was hashed.
//! 2. Nothing is skipped silently: whatever is no readable file is named, and the exit code is 1.
//! 3. Memory is bounded: at most [`UPLOADS_MAX`] files are open, small ones in memory, large ones streamed.
//! 4. When the server is gone, forbids or is full, the rest of the files is not tried.

mod load;
mod report;

use super::client::{Client, Meta, Put};
use super::walk::{self, Found};
use super::{Failure, Shell, wait};
use bytes::Bytes;
use load::Loaded;
use report::Report;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::Poll;
use tokio::sync::{Mutex, mpsc};

/// Files on their way at once: enough to fill a batch of the server's log, far below what it allows a client.
const UPLOADS_MAX: usize = 8;
/// Files found ahead of the uploads.
const FOUND_AHEAD: usize = 256;
/// Standard input up to here is sent like a small file, with its digest; what is longer streams.
const STDIN_HELD_MAX: usize = 8 << 20;

/// Flags of `put`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Files to forward; - reads standard input
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Who forwards [default: this computer's name]
    #[arg(long, value_name = "NAME")]
    client: Option<String>,
    /// Why
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
    /// Forward everything below directories
    #[arg(long, short)]
    recursive: bool,
}

/// Forwards files.
///
/// # Errors
/// The server does not answer, forbids or is full; or a file was skipped or refused.
pub fn run(shell: &Shell, args: Args) -> Result<(), Failure> {
    let report = Report::new(shell.screen);
    if shell.common.dry_run {
        return dry_run(&args, &report);
    }
    let client = shell.client()?;
    let ended = wait(async { forward(&client, args, &report).await });
    let summary = report.finish();
    ended?;
    summary
}

fn dry_run(args: &Args, report: &Report) -> Result<(), Failure> {
    walk::walk(&args.paths, args.recursive, &mut |found| {
        match found {
            Found::File(path) => report.would(&path),
            Found::Skipped(path, why) => report.skipped(&path, &why),
        }
        true
    });
    report.finish()
}

async fn forward(client: &Client, args: Args, report: &Report) -> Result<(), Failure> {
    let meta = Meta {
        client: args.client.clone().unwrap_or_else(computer_name),
        reason: args.reason.clone(),
        ..Meta::default()
    };
    let run = Run {
        client,
        meta,
        report,
        run_key: random_key()?,
        counter: AtomicU64::new(0),
        stopping: AtomicBool::new(false),
    };
    let (sender, found) = mpsc::channel(FOUND_AHEAD);
    let walker = tokio::task::spawn_blocking(move || {
        walk::walk(&args.paths, args.recursive, &mut |found| sender.blocking_send(found).is_ok());
    });
    let found = Arc::new(Mutex::new(found));
    let mut uploads: Vec<_> = (0..UPLOADS_MAX).map(|_| Box::pin(run.lane(Arc::clone(&found)))).collect();
    // One that fails keeps all from taking another file; what is on its way is waited for and told.
    let mut ended = Ok(());
    std::future::poll_fn(|context| {
        uploads.retain_mut(|upload| match upload.as_mut().poll(context) {
            Poll::Pending => true,
            Poll::Ready(result) => {
                if ended.is_ok() {
                    ended = result;
                }
                false
            }
        });
        if uploads.is_empty() { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    drop(uploads);
    drop(found);
    // The walker ends when nobody listens.
    let _ = walker.await;
    if ended.is_err() {
        report.stopped();
    }
    ended
}

/// What all uploads of one call share.
struct Run<'a> {
    client: &'a Client,
    meta: Meta,
    report: &'a Report,
    run_key: String,
    counter: AtomicU64,
    /// One upload failed for a reason that concerns all.
    stopping: AtomicBool,
}

impl Run<'_> {
    async fn lane(&self, found: Arc<Mutex<mpsc::Receiver<Found>>>) -> Result<(), Failure> {
        let ended = self.take(&found).await;
        if ended.is_err() {
            self.stopping.store(true, Ordering::Release);
        }
        ended
    }

    async fn take(&self, found: &Mutex<mpsc::Receiver<Found>>) -> Result<(), Failure> {
        loop {
            let next = found.lock().await.recv().await;
            if self.stopping.load(Ordering::Acquire) {
                return Ok(());
            }
            match next {
                None => return Ok(()),
                Some(Found::Skipped(path, why)) => self.report.skipped(&path, &why),
                Some(Found::File(path)) if path == Path::new("-") => self.stdin(&path).await?,
                Some(Found::File(path)) => self.file(&path).await?,
            }
        }
    }

    async fn file(&self, path: &Path) -> Result<(), Failure> {
        let owned = path.to_owned();
        match tokio::task::spawn_blocking(move || load::load(&owned)).await {
            Ok(Ok(loaded)) => self.send(path, loaded).await,
            Ok(Err(error)) => {
                self.report.skipped(path, &error.to_string());
                Ok(())
            }
            Err(error) => Err(Failure::No(format!("reading {} failed: {error}", path.display()))),
        }
    }

    async fn send(&self, path: &Path, loaded: Loaded) -> Result<(), Failure> {
        let bytes = loaded.bytes;
        let meta = self.meta_of(path);
        let sent = |bytes| self.report.leaving(bytes);
        let put = Put { meta: &meta, digest: loaded.digest, content: &loaded.content, sent: &sent };
        self.settle(path, bytes, self.client.put(&put).await)
    }

    async fn stdin(&self, path: &Path) -> Result<(), Failure> {
        let (sender, mut chunks) = mpsc::channel(4);
        tokio::task::spawn_blocking(move || load::stdin_chunks(&sender));
        let mut held: Vec<u8> = Vec::new();
        while held.len() <= STDIN_HELD_MAX {
            match chunks.recv().await {
                Some(Ok(chunk)) => held.extend_from_slice(&chunk),
                Some(Err(error)) => {
                    self.report.skipped(path, &error.to_string());
                    return Ok(());
                }
                None => return self.send(path, Loaded::whole(held)).await,
            }
        }
        // Too long to hold: what was read goes first, the rest behind it.
        let (sender, body) = mpsc::channel(4);
        let meta = self.meta_of(path);
        let feed = async move {
            let mut bytes = held.len() as u64;
            let mut open = sender.send(Ok(Bytes::from(held))).await.is_ok();
            while open {
                let Some(chunk) = chunks.recv().await else { break };
                bytes += chunk.as_ref().map_or(0, |chunk| chunk.len() as u64);
                open = sender.send(chunk).await.is_ok();
            }
            bytes
        };
        let (answer, bytes) = tokio::join!(self.client.put_stream(&meta, body), feed);
        self.report.leaving(bytes);
        self.settle(path, bytes, answer)
    }

    fn settle(&self, path: &Path, bytes: u64, answer: Result<serde_json::Value, Failure>) -> Result<(), Failure> {
        match answer {
            Ok(answer) => self.report.stored(path, bytes, &answer),
            // It concerns this file only: too large, or changed while it was read.
            Err(Failure::No(why)) => {
                self.report.refused(path, &why);
                Ok(())
            }
            Err(failure) => Err(failure),
        }
    }

    fn meta_of(&self, path: &Path) -> Meta {
        let count = self.counter.fetch_add(1, Ordering::Relaxed);
        Meta { name: load::name_of(path), idempotency_key: format!("{}-{count}", self.run_key), ..self.meta.clone() }
    }
}

/// This computer's name, as the kernel knows it.
fn computer_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = name.trim();
    if name.is_empty() { "unnamed".to_owned() } else { name.to_owned() }
}

/// A key that no other call has.
fn random_key() -> Result<String, Failure> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| Failure::No(format!("no randomness: {error}")))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
