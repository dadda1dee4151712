//! `lazaret centre`: an analysis centre of one's own.

use super::{Failure, Shell};
use crate::centre::{CentreOptions, RunningCentre};
use crate::config::amount::{parse_bytes, parse_span};
use crate::daemon::TlsFiles;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

/// Flags of `centre`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Folder of the centre: samples, the book, definitions, the key; made when it is not there
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Where quarantines reach it; port 0 picks a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8750")]
    listen: String,
    /// Folder of files in which nothing may be found, such as /usr/bin
    #[arg(long, value_name = "DIR")]
    goodware: Option<PathBuf>,
    /// File with the accounts that are served, one a line; without it every account is
    #[arg(long, value_name = "FILE")]
    customers: Option<PathBuf>,
    /// How long definitions are in use before they are tested and certified
    #[arg(long, value_name = "SPAN", default_value = "1 day", value_parser = span)]
    soak: Duration,
    /// The longest sample that is taken
    #[arg(long, value_name = "SIZE", default_value = "256 MiB", value_parser = bytes)]
    sample_bytes_max: u64,
    /// PEM certificate chain, the centre's own first: speak TLS
    #[arg(long, value_name = "FILE", requires = "key")]
    certificate: Option<PathBuf>,
    /// PEM private key of that certificate
    #[arg(long, value_name = "FILE", requires = "certificate")]
    key: Option<PathBuf>,
    /// Listen beyond loopback without TLS
    #[arg(long)]
    allow_insecure: bool,
}

fn span(text: &str) -> Result<Duration, String> {
    parse_span(text, Duration::from_secs(1)).map_err(|error| error.to_string())
}

fn bytes(text: &str) -> Result<u64, String> {
    parse_bytes(text).map_err(|error| error.to_string())
}

/// Runs a centre until it is told to stop. Prints one line on stdout when it is ready:
/// `lazaret centre ready http=ADDR data=DIR key=FILE pid=N`.
///
/// # Errors
/// A folder, file or address cannot be used.
pub fn run(shell: &Shell, args: &Args) -> Result<(), Failure> {
    let tls = args.certificate.clone().zip(args.key.clone());
    let options = CentreOptions {
        data: args.data.clone(),
        listen: args.listen.clone(),
        tls: tls.map(|(certificate, key)| TlsFiles { certificate, key, client_ca: None }),
        allow_insecure: args.allow_insecure,
        goodware: args.goodware.clone(),
        customers: args.customers.clone(),
        soak: args.soak,
        sample_bytes_max: args.sample_bytes_max,
        cage_program: None,
    };
    if shell.common.dry_run {
        shell.screen.say(super::screen::Tone::Good, "the centre can be started with these flags");
        return Ok(());
    }
    super::serve::log_to_stderr();
    let centre = RunningCentre::start(options).map_err(|error| super::serve::ended(&error))?;
    let mut stdout = std::io::stdout().lock();
    let data = std::path::absolute(&args.data).unwrap_or_else(|_| args.data.clone());
    let key = std::path::absolute(centre.public_key()).unwrap_or_else(|_| centre.public_key());
    let told = writeln!(
        stdout,
        "lazaret centre ready http={} data={} key={} pid={}",
        centre.address(),
        data.display(),
        key.display(),
        std::process::id()
    );
    told.and_then(|()| stdout.flush()).map_err(|error| Failure::No(error.to_string()))?;
    drop(stdout);
    let waited = centre.wait_for_signal().map_err(|error| Failure::No(format!("{error:#}")));
    centre.stop();
    waited
}
