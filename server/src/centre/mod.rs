//! The analysis centre, `lazaret centre`: takes samples from quarantines, answers with definitions.
//!
//! ```text
//! request -> reply             desk      words of `gateway`, every reply signed
//! parts   -> content           intake    on disk piece by piece, then in a store of samples like the quarantine's
//! content -> verdicts, lines   analyst   one thread: known, goodware, alike, or for a person
//! sets    -> certified         certify   tested on what is clean; false alarms taken back
//! folder  -> goodware          corpus    what no signature may be found in
//! lines   -> set               press     numbered, signed, tested before it is certified
//! ```
//!
//! 1. A submission is accepted once its bytes are durable, and answered by the book, so that a kill loses neither.
//! 2. No answer names a set that cannot be fetched.
//! 3. A signature leaves only after it was found in every sample it was made for and in no goodware.

mod analyst;
mod certify;
mod corpus;
mod desk;
mod intake;
mod listen;
mod press;

use crate::daemon::{StoreOptions, TlsFiles, clock};
use crate::scanning::Cage;
use anyhow::Context as _;
use corpus::Corpus;
use defcast::keys::SigningKey;
use engine::Engine;
use gateway::centre::book::{Book, Verdict};
use gateway::reply::Said;
use model::{Blake3, Sequence};
use parking_lot::{Condvar, Mutex, RwLock};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};

/// What a centre is told before it starts.
#[derive(Debug, Clone)]
pub struct CentreOptions {
    /// Where everything is kept.
    pub data: PathBuf,
    /// `HOST:PORT`.
    pub listen: String,
    /// TLS files.
    pub tls: Option<TlsFiles>,
    /// Bind other than loopback addresses without TLS.
    pub allow_insecure: bool,
    /// Files in which nothing may be found.
    pub goodware: Option<PathBuf>,
    /// Accounts that are served, one a line; everybody with an account when there is no such file.
    pub customers: Option<PathBuf>,
    /// How long a set is in use before it can be certified.
    pub soak: Duration,
    /// The longest sample.
    pub sample_bytes_max: u64,
    /// Bytes of all samples on disk.
    pub max_bytes: u64,
    /// The `lazaret` that is started to open samples; this program when it is none.
    pub cage_program: Option<PathBuf>,
}

/// What everything in a centre shares.
pub(crate) struct Centre {
    options: CentreOptions,
    book: Mutex<Book>,
    engine: Engine,
    key: SigningKey,
    corpus: RwLock<Corpus>,
    cage: Cage,
    program: PathBuf,
    /// Accounts, where they are listed.
    customers: Option<BTreeSet<String>>,
    /// Submissions that somebody is sending right now.
    sending: Mutex<BTreeSet<String>>,
    told: Mutex<Told>,
    wake: Condvar,
}

#[derive(Default)]
struct Told {
    came: bool,
    stop: bool,
}

impl Centre {
    /// Content came in.
    fn ring(&self) {
        self.told.lock().came = true;
        self.wake.notify_all();
    }

    fn stop(&self) {
        self.told.lock().stop = true;
        self.wake.notify_all();
    }

    fn is_stopping(&self) -> bool {
        self.told.lock().stop
    }

    /// Waits until content came, at most this long; false when told to stop.
    fn wait(&self, at_most: Duration) -> bool {
        let mut told = self.told.lock();
        if !told.came && !told.stop {
            self.wake.wait_for(&mut told, at_most);
        }
        told.came = false;
        !told.stop
    }

    /// Whether an account is served.
    fn serves(&self, account: &str) -> bool {
        !account.is_empty() && self.customers.as_ref().is_none_or(|customers| customers.contains(account))
    }
}

/// What is for a person in a centre's folder, running or not: content with its length, why, and a name that it had.
///
/// # Errors
/// There is no centre in the folder, or its book cannot be read.
pub fn for_a_person(data: &Path) -> anyhow::Result<Vec<(Blake3, u64, String, String)>> {
    let found = book_of(data)?.for_a_person(FOR_A_PERSON_MAX).context("cannot read the book")?;
    Ok(found.into_iter().map(|(content, why, name)| (content.blake3, content.bytes, why, name)).collect())
}

/// A person's answer for content; a running centre acts on it within seconds. False when there is no such content.
///
/// # Errors
/// As [`for_a_person`].
pub fn answer(data: &Path, content: Blake3, said: Said, why: &str) -> anyhow::Result<bool> {
    let verdict = Verdict { content, said, why: why.to_owned() };
    book_of(data)?.answered_by_hand(&verdict, clock::now()).context("cannot write the book")
}

/// Contents that one list shows.
const FOR_A_PERSON_MAX: usize = 1000;

fn book_of(data: &Path) -> anyhow::Result<Book> {
    let path = data.join("book.sqlite");
    anyhow::ensure!(path.exists(), "there is no centre in {}", data.display());
    Book::open(&path).with_context(|| format!("cannot open {}", path.display()))
}

/// A running centre.
pub struct RunningCentre {
    runtime: Runtime,
    centre: Arc<Centre>,
    address: SocketAddr,
    door: listen::Door,
    analyst: Option<std::thread::JoinHandle<()>>,
}

impl RunningCentre {
    /// Opens what is kept, reads the goodware, binds, and serves. Blocking.
    ///
    /// # Errors
    /// A folder, file or address that cannot be used.
    pub fn start(options: CentreOptions) -> anyhow::Result<Self> {
        let data = options.data.clone();
        std::fs::create_dir_all(data.join("definitions")).with_context(|| format!("cannot make {}", data.display()))?;
        std::fs::create_dir_all(data.join("parts")).with_context(|| format!("cannot make {}", data.display()))?;
        let key = signing_key(&data)?;
        let disk = engine::disk(engine::IoMode::Plain).context("cannot use the disk")?;
        let store = StoreOptions {
            sample_bytes_max: options.sample_bytes_max,
            max_bytes: options.max_bytes,
            ..StoreOptions::default()
        };
        let (engine, _) = Engine::open(&data.join("samples"), crate::daemon::store::settings(&store), disk)
            .with_context(|| format!("cannot open the samples in {}", data.display()))?;
        let book = Book::open(&data.join("book.sqlite")).context("cannot open the book")?;
        let corpus = match &options.goodware {
            Some(folder) => {
                Corpus::read(folder).with_context(|| format!("cannot read the goodware in {}", folder.display()))?
            }
            None => Corpus::default(),
        };
        let customers = match &options.customers {
            Some(file) => Some(accounts(file).with_context(|| format!("cannot read {}", file.display()))?),
            None => None,
        };
        let program = match &options.cage_program {
            Some(program) => program.clone(),
            None => std::env::current_exe().context("cannot find this program, which opens samples")?,
        };
        let centre = Arc::new(Centre {
            book: Mutex::new(book),
            engine,
            key,
            corpus: RwLock::new(corpus),
            cage: Cage::new(program.clone()),
            program,
            customers,
            sending: Mutex::default(),
            told: Mutex::default(),
            wake: Condvar::new(),
            options,
        });
        if centre.book.lock().newest().context("cannot read the book")? == Sequence(0) {
            centre.first_set().context("cannot make the first set")?;
        }
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .max_blocking_threads(32)
            .thread_name("centre-net")
            .enable_all()
            .build()
            .context("cannot start the network threads")?;
        let (door, address) = runtime.block_on(listen::open(&centre))?;
        let analyst = analyst::start(&centre).context("cannot start the analyst")?;
        Ok(Self { runtime, centre, address, door, analyst: Some(analyst) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The public half of its key: what a quarantine must trust.
    pub fn public_key(&self) -> PathBuf {
        self.centre.options.data.join("centre.key.pub")
    }

    /// Waits for SIGTERM or SIGINT. Blocking.
    ///
    /// # Errors
    /// The signals cannot be waited for.
    pub fn wait_for_signal(&self) -> anyhow::Result<()> {
        self.runtime.block_on(async {
            let mut terminate = signal(SignalKind::terminate()).context("cannot wait for SIGTERM")?;
            let mut interrupt = signal(SignalKind::interrupt()).context("cannot wait for SIGINT")?;
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            Ok(())
        })
    }

    /// Ends it. Blocking.
    pub fn stop(mut self) {
        self.centre.stop();
        let door = std::mem::replace(&mut self.door, listen::Door::closed());
        self.runtime.block_on(door.close());
        if let Some(analyst) = self.analyst.take() {
            // It does not panic; if it did, the reason is already on stderr.
            let _ = analyst.join();
        }
        self.centre.engine.close();
        self.runtime.shutdown_timeout(Duration::from_secs(1));
    }
}

/// The key that signs answers and definitions, made at the first start.
fn signing_key(data: &Path) -> anyhow::Result<SigningKey> {
    let path = data.join("centre.key");
    if path.exists() {
        return SigningKey::read(&path).context("cannot read the centre's key");
    }
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|error| anyhow::anyhow!("there are no random numbers: {error}"))?;
    let key = SigningKey::from_seed(seed, "analysis centre");
    key.write(&path).context("cannot write the centre's key")?;
    Ok(key)
}

/// Accounts, one a line; what follows a blank is for people, a line with `#` is a comment.
fn accounts(file: &Path) -> std::io::Result<BTreeSet<String>> {
    let text = std::fs::read_to_string(file)?;
    let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
    Ok(lines.filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect())
}
