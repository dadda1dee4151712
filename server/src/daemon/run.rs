//! A running daemon: listeners over one engine, from the first bind to the last byte drained.
//! 1. Listeners are bound before the engine opens, so that a wrong address costs no recovery; `/readyz` says
//!    `recovering` meanwhile.
//! 2. Stopping is: no new connection or request, what is in flight ends within `limits.drain`, the engine closes.

use crate::alerts::Teller;
use crate::control::Control;
use crate::daemon::context::Context;
use crate::daemon::events;
use crate::daemon::memory;
use crate::daemon::options::{ListenOptions, ServeOptions};
use crate::daemon::phase::Phase;
use crate::daemon::reclaim;
use crate::daemon::store;
use crate::daemon::watermarks::Watermarks;
use crate::exchange::Courier;
use crate::http::accept;
use crate::intake::connection;
use crate::retest::Driver;
use crate::security::binding::{self, Protection};
use crate::security::tls;
use anyhow::Context as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// Threads that wait on sockets; hashing and disk work have threads of their own in the engine.
const WORKERS_MAX: usize = 4;
/// Threads for blocking calls: every stream to disk at once, and some reads beside them.
const BLOCKING_THREADS_MAX: usize = 64;
/// A thread's stack. Nothing here recurses; the default of 2 MiB only costs address space.
const STACK_BYTES: usize = 1 << 20;
/// Quiet ticks after which freed memory goes back to the system.
const QUIET_TICKS: u32 = 4;

/// How long a request to the gateway may hold up the end of the server.
const COURIER_STOP_MAX: Duration = Duration::from_secs(3);

/// A daemon that takes samples. Dropping it without [`Daemon::stop`] cuts everything off, as a crash would.
pub struct Daemon {
    runtime: Runtime,
    context: Arc<Context>,
    http: SocketAddr,
    intake: SocketAddr,
    doors: Vec<JoinHandle<()>>,
    control: Control,
    retests: Driver,
    courier: Courier,
    teller: Teller,
}

impl Daemon {
    /// Binds, recovers, and returns once samples are taken. Blocking; not to be called from async code.
    ///
    /// # Errors
    /// An address that cannot or may not be bound, a certificate that cannot be read, a data directory that
    /// does not open.
    pub fn start(options: &ServeOptions) -> anyhow::Result<Self> {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(cores.min(WORKERS_MAX))
            .max_blocking_threads(BLOCKING_THREADS_MAX)
            .thread_keep_alive(Duration::from_secs(5))
            .thread_stack_size(STACK_BYTES)
            .thread_name("lazaret-net")
            .enable_all()
            .build()
            .context("cannot start the network threads")?;
        let settings = store::settings(&options.store);
        let context = Context::new(options, &settings)?;
        let (http_listener, http_tls) = runtime.block_on(listen("http", &options.http, options))?;
        let (intake_listener, intake_tls) = runtime.block_on(listen("intake", &options.intake, options))?;
        let (http, intake) = (http_listener.local_addr()?, intake_listener.local_addr()?);
        let mut doors = vec![runtime.spawn(accept::door(http_listener, http_tls, Arc::clone(&context)))];
        let engine = store::open(options, settings)?;
        store::restore_settings(&context, &engine)?;
        let control = Control::start(&context, &engine).context("cannot start the control loop")?;
        context.controlled(control.bell());
        let retests = Driver::start(&context, &engine).context("cannot start the re-tests")?;
        context.opened(engine.clone());
        let (courier, teller) = {
            let _inside = runtime.enter();
            (Courier::start(&context, &engine), Teller::start(&context))
        };
        doors.push(runtime.spawn(connection::door(intake_listener, intake_tls, Arc::clone(&context))));
        runtime.spawn(tick(Arc::clone(&context)));
        Ok(Self { runtime, context, http, intake, doors, control, retests, courier, teller })
    }

    /// Where the HTTP API listens.
    pub fn http(&self) -> SocketAddr {
        self.http
    }

    /// Where the native protocol listens.
    pub fn intake(&self) -> SocketAddr {
        self.intake
    }

    /// Waits for SIGTERM or SIGINT. Blocking.
    ///
    /// # Errors
    /// The signals cannot be waited for.
    pub fn wait_for_signal(&self) -> anyhow::Result<()> {
        self.runtime.block_on(async {
            let mut terminate = signal(SignalKind::terminate()).context("cannot wait for SIGTERM")?;
            let mut interrupt = signal(SignalKind::interrupt()).context("cannot wait for SIGINT")?;
            let name = tokio::select! {
                _ = terminate.recv() => "SIGTERM",
                _ = interrupt.recv() => "SIGINT",
            };
            tracing::info!(signal = name, "draining");
            Ok(())
        })
    }

    /// Drains and closes. Blocking.
    ///
    /// # Errors
    /// A listener's task panicked.
    pub fn stop(self) -> anyhow::Result<()> {
        self.context.phase.reach(Phase::Draining);
        let mut ended = Ok(());
        for door in self.doors {
            if let Err(error) = self.runtime.block_on(door) {
                ended = Err(anyhow::anyhow!("a listener did not end well: {error}"));
            }
        }
        // They end before the catalogue takes nothing more from them.
        self.runtime.block_on(self.courier.stop(COURIER_STOP_MAX));
        drop(self.retests);
        drop(self.control);
        self.runtime.block_on(self.teller.stop());
        if let Ok(engine) = self.context.engine() {
            engine.close();
        }
        self.runtime.shutdown_timeout(Duration::from_secs(1));
        ended
    }
}

/// Binds one listener, unless it would be reachable without protection.
async fn listen(
    name: &'static str,
    listener: &ListenOptions,
    options: &ServeOptions,
) -> anyhow::Result<(TcpListener, Option<TlsAcceptor>)> {
    let tls = listener.tls.as_ref().map(tls::server_config).transpose().with_context(|| format!("listener {name}"))?;
    let address = tokio::net::lookup_host(&listener.address)
        .await
        .with_context(|| format!("listener {name}: '{}' is no address, HOST:PORT is expected", listener.address))?
        .next()
        .with_context(|| format!("listener {name}: '{}' names no address", listener.address))?;
    let protection =
        Protection { tls: tls.is_some(), tokens: !options.tokens.is_empty(), allow_insecure: options.allow_insecure };
    binding::check(name, address, protection)?;
    let bound = TcpListener::bind(address).await.with_context(|| format!("listener {name}: cannot bind {address}"))?;
    Ok((bound, tls.map(TlsAcceptor::from)))
}

/// Tells folded arrivals, and gives memory back once a burst is over.
async fn tick(context: Arc<Context>) {
    let mut ticks = tokio::time::interval(events::TICK);
    let (mut acked_before, mut quiet) = (0, 0);
    let mut marks = Watermarks::default();
    loop {
        ticks.tick().await;
        context.events.tick();
        if let Ok(engine) = context.engine() {
            for (event, text) in marks.look(&engine.quota()) {
                context.alerts.raise(event, text);
            }
        }
        if let Ok(engine) = context.engine()
            && reclaim::wanted(engine)
        {
            let engine = engine.clone();
            // One round at a time: the next tick waits for this one.
            let _ = tokio::task::spawn_blocking(move || reclaim::round(&engine)).await;
        }
        let acked = context.acked.load(Ordering::Relaxed);
        quiet = if acked == acked_before { quiet + 1 } else { 0 };
        acked_before = acked;
        if quiet == QUIET_TICKS {
            // Off the network threads: a large heap takes milliseconds.
            drop(tokio::task::spawn_blocking(memory::give_back));
        }
    }
}
