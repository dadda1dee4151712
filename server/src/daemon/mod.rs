//! Starts the listeners over one engine, waits for a signal, drains.
//!
//! Reading order: [`options`] is what it is told, [`run`] its life, [`phase`] where in it it is, [`context`] what
//! every handler shares; [`refusal`], [`large`], [`read`] and [`events`] serve both protocols.

pub mod admission;
pub mod clock;
pub mod context;
pub mod door;
pub mod events;
pub mod large;
pub mod memory;
pub mod options;
pub mod phase;
pub mod policy;
pub mod read;
mod reclaim;
pub mod refusal;
pub mod run;
pub mod settings;
pub mod store;
pub mod stream;
mod watermarks;

use anyhow::Context as _;
use std::io::Write as _;

pub use options::{
    FullPolicy, IoMode, Limits, ListenOptions, ReadMode, Role, ServeOptions, ShelfOptions, StoreOptions, TlsFiles,
    Token,
};
pub use run::Daemon;

/// Runs the daemon until SIGTERM or SIGINT, then drains. Prints one line on stdout when it is ready:
/// `lazaret ready http=ADDR intake=ADDR defcast=none data=DIR pid=N`.
///
/// Blocking: it makes its own runtime, so call it from a plain thread.
///
/// # Errors
/// An address that cannot be bound or may not be (see [`ServeOptions::allow_insecure`]), a certificate that
/// cannot be read, or a data directory that does not open.
pub fn serve(options: ServeOptions) -> anyhow::Result<()> {
    memory::limit_arenas();
    let daemon = Daemon::start(&options)?;
    let data = std::path::absolute(&options.data).unwrap_or(options.data);
    let mut stdout = std::io::stdout().lock();
    writeln!(
        stdout,
        "lazaret ready http={} intake={} defcast=none data={} pid={}",
        daemon.http(),
        daemon.intake(),
        data.display(),
        std::process::id()
    )
    .and_then(|()| stdout.flush())
    .context("cannot say on stdout that the server is ready")?;
    drop(stdout);
    daemon.wait_for_signal()?;
    daemon.stop()
}
