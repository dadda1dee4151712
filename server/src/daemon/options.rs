//! Everything the daemon is told before it starts: one plain struct, every default with its unit and reason.
//!
//! The configuration file and the command line are turned into this; nothing in the daemon reads either.

use crate::config::shape::Value;
use crate::config::{Origin, Settings};
use std::path::PathBuf;
use std::time::Duration;

/// What [`super::serve`] needs to know.
#[derive(Debug, Clone)]
pub struct ServeOptions {
    /// The data directory; made when it does not exist.
    pub data: PathBuf,
    /// The HTTP API.
    pub http: ListenOptions,
    /// The native intake protocol.
    pub intake: ListenOptions,
    /// What the store may hold and how it works.
    pub store: StoreOptions,
    /// Bearer tokens by hash. Empty: whoever reaches a listener may do everything, which is why such a server
    /// binds loopback addresses only.
    pub tokens: Vec<Token>,
    /// Bind other than loopback addresses without TLS and tokens.
    pub allow_insecure: bool,
    /// What is kept of samples for re-tests.
    pub shelves: ShelfOptions,
    /// Public keys, or folders of them, whose definitions are taken; beside those in `keys` in the data directory.
    pub definitions_keys: Vec<PathBuf>,
    /// The `lazaret` that is started to open samples; this program when it is none.
    pub cage_program: Option<PathBuf>,
    /// Every setting: what may change while the server runs is read from here, the rest of it stands above.
    pub settings: Settings,
    /// What a stranger may cost.
    pub limits: Limits,
}

impl ServeOptions {
    /// Every setting, with the limits of the store as these options have them.
    pub fn run_time_settings(&self) -> Settings {
        let mut settings = self.settings.clone();
        let store = &self.store;
        for (name, value) in [
            ("general.max_bytes", Value::Bytes(store.max_bytes)),
            ("general.max_samples", Value::Count(store.max_samples)),
            ("general.low_percent", Value::Count(store.low_percent.into())),
            ("general.high_percent", Value::Count(store.high_percent.into())),
        ] {
            let origin = settings.find(name).map_or(Origin::Default, |setting| setting.origin);
            settings.put(name, value, origin);
        }
        settings
    }
}

impl Default for ServeOptions {
    fn default() -> Self {
        Self {
            data: PathBuf::from("lazaret-data"),
            http: ListenOptions::plain("127.0.0.1:8740"),
            intake: ListenOptions::plain("127.0.0.1:8741"),
            store: StoreOptions::default(),
            tokens: Vec::new(),
            allow_insecure: false,
            shelves: ShelfOptions::default(),
            definitions_keys: Vec::new(),
            cage_program: None,
            settings: Settings::default(),
            limits: Limits::default(),
        }
    }
}

/// What is kept of samples so that new definitions need not read them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShelfOptions {
    /// Plain bytes of samples that make a shelf. Fewer are scanned whenever definitions change, a second's work; a larger
    /// shelf takes half of this in memory while it is made.
    pub plain_bytes: u64,
    /// Bits of index for each KiB of plain bytes: 1,024 are 12.5 %. Half of it makes ten new signatures read five times as
    /// many blocks (`docs/grams.md`).
    pub index_bits_per_kib: u32,
}

impl Default for ShelfOptions {
    fn default() -> Self {
        Self { plain_bytes: 64 << 20, index_bits_per_kib: 1024 }
    }
}

/// One listener.
#[derive(Debug, Clone)]
pub struct ListenOptions {
    /// `HOST:PORT`; port 0 picks a free one.
    pub address: String,
    /// Speak TLS with these files.
    pub tls: Option<TlsFiles>,
}

impl ListenOptions {
    /// A listener without TLS.
    pub fn plain(address: &str) -> Self {
        Self { address: address.to_owned(), tls: None }
    }
}

/// PEM files of a TLS listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate chain, the server's own first.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// When set, a client must show a certificate that one of these authorities signed.
    pub client_ca: Option<PathBuf>,
}

/// A bearer token, known by its hash only.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    /// Who carries it; the audit log shows this name.
    pub name: String,
    /// What its bearer may do.
    pub role: Role,
    /// BLAKE3 of the token's text.
    pub hash: [u8; 32],
}

impl std::fmt::Debug for Token {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Token").field("name", &self.name).field("role", &self.role).finish_non_exhaustive()
    }
}

/// What the bearer of a token may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Reads items and figures, never samples.
    Viewer,
    /// A viewer who also restores samples and acts on items.
    Operator,
    /// An operator who also changes settings.
    Administrator,
    /// Sends samples and claims digests; reads nothing.
    Forwarder,
    /// Fetches definitions; nothing else.
    Target,
}

/// What the store may hold and how it works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreOptions {
    /// Bytes on disk at most.
    pub max_bytes: u64,
    /// Samples at most.
    pub max_samples: u64,
    /// The alert "quota remaining is low" is raised above this share of either maximum, in percent.
    pub low_percent: u8,
    /// What a full store does.
    pub full: FullPolicy,
    /// One sample at most, in plain bytes.
    pub sample_bytes_max: u64,
    /// How sealed segments are read.
    pub read: ReadMode,
    /// How files are written.
    pub io: IoMode,
    /// Above this share of either maximum intake is slowed, in percent.
    pub high_percent: u8,
    /// Samples above this stream into a file of their own, in plain bytes.
    pub large_bytes_min: u64,
    /// Threads that hash, compress and seal; 0 takes as many as there are cores.
    pub pack_threads: usize,
    /// Whether settled segments are recompressed in the background.
    pub finish: bool,
    /// Whether segments are read in the background to find damage.
    pub scrub: bool,
    /// Bytes a second that the scrub reads.
    pub scrub_bytes_per_s: u64,
    /// Share of the bytes that one client may take above the low watermark, in percent.
    pub client_share_percent: u8,
    /// Changes the catalogue may be behind the log before intake is asked to slow down.
    pub catalogue_lag_max: u64,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            max_bytes: 16 << 30,
            max_samples: 10_000_000,
            low_percent: 80,
            full: FullPolicy::Reclaim,
            sample_bytes_max: 1 << 30,
            read: ReadMode::Map,
            io: IoMode::Auto,
            high_percent: 90,
            large_bytes_min: 8 << 20,
            pack_threads: 0,
            finish: true,
            scrub: true,
            scrub_bytes_per_s: 8 << 20,
            client_share_percent: 100,
            catalogue_lag_max: 250_000,
        }
    }
}

/// What a full store does with a new sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FullPolicy {
    /// Finished samples make room, oldest first.
    Reclaim,
    /// Nothing new until an administrator purges or definitions finish stored samples.
    Strict,
}

/// How sealed segments are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadMode {
    /// Out of a read-only memory map.
    Map,
    /// With `pread`.
    Pread,
}

/// How files are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IoMode {
    /// Whichever a probe favours.
    Auto,
    /// Plain system calls.
    Plain,
    /// A ring; refused where the kernel has none.
    Uring,
    /// Not at all: what is acked is forgotten. For measurements only; no configuration can name it.
    Null,
}

/// What a stranger may cost: each is a bound, and what lies beyond it is refused at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Open HTTP connections: the smallest real estate has 10,000 clients.
    pub http_connections_max: usize,
    /// Open connections of the native protocol.
    pub intake_connections_max: usize,
    /// A request's head must be complete this long after its first byte.
    pub header_timeout: Duration,
    /// Bytes of a request's head: every header of ours at its longest, percent-encoded three-fold, fits.
    pub header_bytes_max: usize,
    /// A connection without a request is closed after this long.
    pub keep_alive: Duration,
    /// A body must bring a byte this often.
    pub body_idle: Duration,
    /// After [`Limits::body_grace`] a body must have brought this many bytes a second on average.
    pub body_rate_min: u64,
    /// How long a body may be slower than [`Limits::body_rate_min`].
    pub body_grace: Duration,
    /// Large samples and samples of unknown length that stream to disk at a time, each on a thread.
    pub streams_max: usize,
    /// A connection of the native protocol that says nothing is closed after this long.
    pub intake_idle: Duration,
    /// After a signal, requests in flight have this long to end.
    pub drain: Duration,
    /// Listeners of `/v1/events`.
    pub event_listeners_max: usize,
    /// A `GET` of a fresh item waits at most this long for the catalogue to reach it.
    pub catalogue_wait: Duration,
    /// After trouble with the gateway it is tried again so soon, then later and later.
    pub gateway_wait_first: Duration,
    /// Bytes of a set of definitions that comes from the gateway.
    pub package_bytes_max: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            http_connections_max: 10_000,
            intake_connections_max: 20_000,
            header_timeout: Duration::from_secs(10),
            header_bytes_max: 32 << 10,
            keep_alive: Duration::from_secs(75),
            body_idle: Duration::from_secs(20),
            body_rate_min: 1 << 10,
            body_grace: Duration::from_secs(20),
            streams_max: 16,
            intake_idle: Duration::from_secs(120),
            drain: Duration::from_secs(20),
            event_listeners_max: 64,
            catalogue_wait: Duration::from_secs(2),
            gateway_wait_first: gateway::backoff::FIRST,
            package_bytes_max: defcast::package::Limits::default().package_bytes_max,
        }
    }
}
