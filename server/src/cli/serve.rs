//! `lazaret serve`: flags over the file over the defaults, checked as a whole, then the daemon.

use super::{Failure, Shell};
use crate::config::{self, ConfigError, Origin, Settings};
use crate::daemon::IoMode;
use std::path::{Path, PathBuf};
use tracing_subscriber::EnvFilter;

/// Flags of `serve`.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Args {
    /// Folder of the quarantine, made when it is not there [default: lazaret-data]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Configuration file (lazaret.toml); without it every key has its default
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// HTTP API; port 0 picks a free one [default: 127.0.0.1:8740]
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<String>,
    /// Native intake protocol [default: 127.0.0.1:8741]
    #[arg(long, value_name = "ADDR")]
    pub intake_listen: Option<String>,
    /// Delivery of definitions [default: 127.0.0.1:8742]
    #[arg(long, value_name = "ADDR")]
    pub defcast_listen: Option<String>,
    /// Forget every sample instead of writing it, so that a benchmark can tell the server from its disk.
    #[arg(long, hide = true)]
    pub no_op_disk_for_measurement: bool,
}

/// Runs the daemon until it is told to stop.
///
/// # Errors
/// The configuration cannot be used, or the daemon ends with an error.
pub fn run(shell: &Shell, args: &Args) -> Result<(), Failure> {
    let settings = settings(args)?;
    for (name, origin, waits_for) in settings.without_effect() {
        // The line on stdout says what became of a door that a flag asked for.
        if origin == Origin::CommandLine {
            continue;
        }
        shell.screen.say(
            super::Tone::Warn,
            &format!("warning: {name} ({origin}) has no effect in this version, it waits for {waits_for}"),
        );
    }
    let mut options = config::serve_options(&settings).map_err(|error| Failure::Usage(error.to_string()))?;
    if args.no_op_disk_for_measurement {
        shell
            .screen
            .say(super::Tone::Warn, "warning: this server keeps no sample: its disk does nothing, for a measurement");
        options.store.io = IoMode::Null;
    }
    if shell.common.dry_run {
        shell.screen.say(super::Tone::Good, "the configuration can be served");
        return Ok(());
    }
    log_to_stderr();
    crate::daemon::serve(options).map_err(|error| ended(&error))
}

/// What is told unless somebody asks for more: every request would be ten thousand lines a second.
const LOG_DEFAULT: &str = "info,lazaret::access=warn";

/// Messages of the daemon, one a line, on stderr; `LAZARET_LOG` chooses (`warn`, `info`, `server=debug`, ...).
pub fn log_to_stderr() {
    let filter = EnvFilter::try_from_env("LAZARET_LOG").unwrap_or_else(|_| EnvFilter::new(LOG_DEFAULT));
    // Only one can be set, and whoever set one before keeps it.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(console::colors_enabled_stderr())
        .try_init();
}

/// What holds for `serve` with these flags, checked.
///
/// # Errors
/// The file has problems, a flag does not fit, or they contradict one another.
pub fn settings(args: &Args) -> Result<Settings, Failure> {
    let mut settings = match &args.config {
        Some(path) => config::read_file(path).map_err(|error| Failure::Usage(error.to_string()))?,
        None => Settings::default(),
    };
    let data = args.data.as_deref().map(Path::to_string_lossy);
    let flags = [
        ("--data", "general.data", data.as_deref()),
        ("--listen", "listen.http.address", args.listen.as_deref()),
        ("--intake-listen", "listen.intake.address", args.intake_listen.as_deref()),
        ("--defcast-listen", "listen.defcast.address", args.defcast_listen.as_deref()),
    ];
    for (flag, name, text) in flags {
        let Some(text) = text else { continue };
        settings
            .put_text(name, text, Origin::CommandLine)
            .map_err(|error| Failure::Usage(format!("{flag} {error}")))?;
    }
    let problems = config::check(&settings);
    if problems.is_empty() {
        return Ok(settings);
    }
    let place = args.config.as_ref().map_or("the command line".to_owned(), |path| path.display().to_string());
    Err(Failure::Usage(ConfigError::Problems { place, problems }.to_string()))
}

/// A conflict with another server has an exit code of its own: time or another address heals it.
pub fn ended(error: &anyhow::Error) -> Failure {
    let text = format!("{error:#}");
    let conflict = error.chain().any(|cause| {
        matches!(cause.downcast_ref(), Some(engine::OpenError::InUse(_)))
            || cause.downcast_ref().is_some_and(|io: &std::io::Error| io.kind() == std::io::ErrorKind::AddrInUse)
    });
    if conflict { Failure::Full(text) } else { Failure::No(text) }
}
