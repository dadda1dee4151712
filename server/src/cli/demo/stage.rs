//! What the steps of the demo share: the folder, the running server, and the truth about what was forwarded,
//! kept apart from the server so that every answer can be held against it.

use super::child::Server;
use super::corpus;
use super::narrator::{self, Narrator};
use crate::cli::Failure;
use crate::cli::client::{Client, Content, Meta, Put};
use crate::cli::screen::Screen;
use bytes::Bytes;
use model::Blake3;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use tokio::runtime::Runtime;

/// What was forwarded and acked.
#[derive(Debug, Default)]
pub struct Truth {
    /// Digest of each item.
    pub items: BTreeMap<u64, Blake3>,
    /// Distinct samples.
    pub samples: BTreeSet<Blake3>,
    /// Plain bytes of distinct samples.
    pub raw_bytes: u64,
}

impl Truth {
    /// Notes an ack.
    pub fn acked(&mut self, item: u64, digest: Blake3, bytes: u64) {
        self.items.insert(item, digest);
        if self.samples.insert(digest) {
            self.raw_bytes += bytes;
        }
    }
}

/// One file to forward over HTTP.
#[derive(Debug, Clone)]
pub struct Parcel {
    /// Who forwards.
    pub client: String,
    /// Original path.
    pub name: String,
    /// Its bytes.
    pub content: Bytes,
    /// Names the arrival for retries.
    pub key: String,
}

/// The ack of one file.
#[derive(Debug, Clone)]
pub struct Acked {
    /// The item.
    pub item: u64,
    /// Its digest.
    pub digest: Blake3,
    /// stored, duplicate or repeated.
    pub outcome: String,
    /// Plain bytes.
    pub bytes: u64,
    /// Bytes of body that left.
    pub sent: u64,
}

/// What the steps share.
#[derive(Debug)]
pub struct Stage {
    /// The teller.
    pub narrator: Narrator,
    /// The quarantine's folder.
    pub data: PathBuf,
    /// A folder for everything else.
    pub scratch: PathBuf,
    /// The running server.
    pub server: Option<Server>,
    /// What was acked.
    pub truth: Truth,
    screen: Screen,
    runtime: Runtime,
}

impl Stage {
    /// An empty stage in these folders.
    ///
    /// # Errors
    /// No runtime can be made.
    pub fn new(screen: Screen, data: PathBuf, scratch: PathBuf) -> Result<Self, Failure> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .map_err(|error| Failure::No(format!("cannot start the runtime: {error}")))?;
        let narrator = Narrator::new(screen);
        Ok(Self { narrator, data, scratch, server: None, truth: Truth::default(), screen, runtime })
    }

    /// The running server.
    ///
    /// # Errors
    /// There is none.
    pub fn server(&self) -> Result<&Server, Failure> {
        self.server.as_ref().ok_or_else(|| Failure::No("no server is running".to_owned()))
    }

    /// A client of the running server.
    ///
    /// # Errors
    /// There is no server.
    pub fn client(&self) -> Result<Client, Failure> {
        Client::new(&self.server()?.url(), None, None)
    }

    /// Starts the server on the stage's folder.
    ///
    /// # Errors
    /// It does not start.
    pub fn start(&mut self) -> Result<(), Failure> {
        self.server = Some(Server::start(&self.data, None, &self.scratch.join("server.log"))?);
        Ok(())
    }

    /// Runs `future` to its end.
    pub fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    /// A document of the API.
    ///
    /// # Errors
    /// Unreachable or refused.
    pub fn get(&self, path: &str, query: &[(&str, String)]) -> Result<Value, Failure> {
        let client = self.client()?;
        self.wait(async { client.get(path, query).await })
    }

    /// Items there are.
    ///
    /// # Errors
    /// Unreachable or refused.
    pub fn count(&self) -> Result<u64, Failure> {
        Ok(self.get("/v1/items/count", &[])?.get("count").and_then(Value::as_u64).unwrap_or(0))
    }

    /// A figure of the quota.
    ///
    /// # Errors
    /// Unreachable or refused.
    pub fn quota(&self, name: &str) -> Result<u64, Failure> {
        Ok(self.get("/v1/quota", &[])?.get(name).and_then(Value::as_u64).unwrap_or(0))
    }

    /// Forwards parcels over HTTP, each of `clients` a connection of its own. Gives the acks, and the first
    /// failure when there was one.
    #[must_use]
    pub fn forward(&self, client: &Client, parcels: Vec<Parcel>, clients: usize) -> (Vec<Acked>, Option<Failure>) {
        self.wait(forward_all(client.clone(), parcels, clients, Arc::default()))
    }

    /// As [`Stage::forward`], while `meanwhile` runs with the number of acks so far. What fails then is expected.
    ///
    /// # Errors
    /// Those of `meanwhile`.
    pub fn forward_while(
        &self,
        client: &Client,
        parcels: Vec<Parcel>,
        clients: usize,
        meanwhile: impl FnOnce(&AtomicUsize) -> Result<(), Failure>,
    ) -> Result<Vec<Acked>, Failure> {
        let count = Arc::new(AtomicUsize::new(0));
        let forwarding = self.runtime.spawn(forward_all(client.clone(), parcels, clients, Arc::clone(&count)));
        let ended = meanwhile(&count);
        let (acks, _) = self.wait(forwarding).map_err(|error| Failure::No(error.to_string()))?;
        ended.map(|()| acks)
    }

    /// Runs a command of this very binary against the running server, for its output and exit code.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn run(&self, arguments: &[&str]) -> Result<Output, Failure> {
        let failed = |error: std::io::Error| Failure::No(format!("cannot run lazaret: {error}"));
        let mut command = Command::new(std::env::current_exe().map_err(failed)?);
        command.args(arguments).stdin(Stdio::null()).env_remove("LAZARET_TOKEN").env("NO_COLOR", "1");
        match &self.server {
            Some(server) => command.env("LAZARET_SERVER", server.url()),
            None => command.env_remove("LAZARET_SERVER"),
        };
        command.output().map_err(failed)
    }

    /// Columns that a line of the narration has, where that is bounded.
    #[must_use]
    pub fn width(&self) -> Option<usize> {
        self.screen.width().map(|width| width.saturating_sub(narrator::INDENT.len()))
    }

    /// Whether output is for programs.
    #[must_use]
    pub fn json(&self) -> bool {
        self.screen.json
    }
}

/// A file of the stage's own.
///
/// # Errors
/// It cannot be written.
pub fn write(path: &Path, content: &[u8]) -> Result<(), Failure> {
    std::fs::write(path, content).map_err(|error| Failure::No(format!("cannot write {}: {error}", path.display())))
}

async fn forward_all(
    client: Client,
    parcels: Vec<Parcel>,
    clients: usize,
    count: Arc<AtomicUsize>,
) -> (Vec<Acked>, Option<Failure>) {
    let mut lanes: Vec<Vec<Parcel>> = vec![Vec::new(); clients];
    for (at, parcel) in parcels.into_iter().enumerate() {
        lanes[at % clients].push(parcel);
    }
    let mut tasks = tokio::task::JoinSet::new();
    for lane in lanes {
        let (client, count) = (client.clone(), Arc::clone(&count));
        tasks.spawn(async move {
            let mut acks = Vec::with_capacity(lane.len());
            for parcel in lane {
                match forward_one(&client, &parcel).await {
                    Ok(ack) => acks.push(ack),
                    Err(failure) => return (acks, Some(failure)),
                }
                count.fetch_add(1, Ordering::Release);
            }
            (acks, None)
        });
    }
    let (mut acks, mut failure) = (Vec::new(), None);
    while let Some(ended) = tasks.join_next().await {
        match ended {
            Ok((more, failed)) => {
                acks.extend(more);
                failure = failure.or(failed);
            }
            Err(error) => failure = failure.or(Some(Failure::No(error.to_string()))),
        }
    }
    (acks, failure)
}

async fn forward_one(client: &Client, parcel: &Parcel) -> Result<Acked, Failure> {
    let sent = AtomicU64::new(0);
    let leaving = |bytes: u64| {
        sent.fetch_add(bytes, Ordering::Relaxed);
    };
    let meta = Meta {
        client: parcel.client.clone(),
        name: parcel.name.clone(),
        reason: "could not be cleaned".to_owned(),
        idempotency_key: parcel.key.clone(),
    };
    let digest = corpus::digest(&parcel.content);
    let content = Content::Whole(parcel.content.clone());
    let answer = client.put(&Put { meta: &meta, digest, content: &content, sent: &leaving }).await?;
    let item = answer.get("id").or_else(|| answer.get("item")).and_then(Value::as_u64);
    let item = item.ok_or_else(|| Failure::No(format!("an ack without an item: {answer}")))?;
    let outcome = answer.get("outcome").and_then(Value::as_str).unwrap_or_default().to_owned();
    let bytes = parcel.content.len() as u64;
    Ok(Acked { item, digest, outcome, bytes, sent: sent.load(Ordering::Relaxed) })
}
