//! Starts the listeners over one engine, waits for a signal, drains.

pub mod options;

pub use options::{
    FullPolicy, IoMode, Limits, ListenOptions, ReadMode, Role, ServeOptions, StoreOptions, TlsFiles, Token,
};

/// Runs the daemon until SIGTERM or SIGINT, then drains. Prints one line on stdout when it is ready:
/// `lazaret ready http=ADDR intake=ADDR defcast=none data=DIR pid=N`.
///
/// Blocking: it makes its own runtime, so call it from a plain thread.
///
/// # Errors
/// An address that cannot be bound or may not be (see [`ServeOptions::allow_insecure`]), a certificate that
/// cannot be read, or a data directory that does not open.
pub fn serve(options: ServeOptions) -> anyhow::Result<()> {
    drop(options);
    anyhow::bail!("the daemon has no engine to serve yet")
}
