//! `lazaret centre`: an analysis centre of one's own.

use super::screen::{Column, Table, Tone, escaped};
use super::{Failure, Shell};
use crate::centre::{CentreOptions, RunningCentre};
use crate::config::amount::{parse_bytes, parse_span, short_bytes};
use crate::daemon::TlsFiles;
use gateway::reply::Said;
use model::Blake3;
use serde_json::json;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Flags of `centre`.
#[derive(Debug, Clone, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Args {
    /// What a person does in a centre's folder, running or not.
    #[command(subcommand)]
    command: Option<Command>,
    /// Folder of the centre: samples, the book, definitions, the key; made when it is not there
    #[arg(long, value_name = "DIR", required = true)]
    data: Option<PathBuf>,
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
    /// Bytes of all samples on disk; beyond it quarantines are told to come again later
    #[arg(long, value_name = "SIZE", default_value = "64 GiB", value_parser = bytes)]
    max_bytes: u64,
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

/// Commands in a centre's folder.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum Command {
    /// What no automatic answer was possible for, and why
    Waiting {
        /// Folder of the centre
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
    },
    /// Answer for content, whatever was said of it before; what is clean is goodware from then on
    Answer {
        /// Folder of the centre
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
        /// The content, by its BLAKE3
        digest: Blake3,
        /// The answer
        #[arg(value_parser = ["clean", "failed", "send-again", "person"])]
        answer: String,
        /// Why, for whoever submitted it
        #[arg(long, value_name = "TEXT", default_value = "")]
        why: String,
    },
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
    match (&args.command, &args.data) {
        (Some(Command::Waiting { data }), _) => waiting(shell, data),
        (Some(Command::Answer { data, digest, answer, why }), _) => by_hand(shell, data, *digest, answer, why),
        (None, Some(data)) => serve(shell, args, data),
        (None, None) => Err(Failure::Usage("name the folder of the centre: --data DIR".to_owned())),
    }
}

fn waiting(shell: &Shell, data: &Path) -> Result<(), Failure> {
    let found = crate::centre::for_a_person(data).map_err(|error| Failure::Usage(format!("{error:#}")))?;
    if shell.screen.json {
        return found.iter().try_for_each(|(blake3, bytes, why, name)| {
            shell.screen.value(&json!({"blake3": blake3, "bytes": bytes, "why": why, "name": name}))
        });
    }
    let columns =
        vec![Column::fixed("blake3"), Column::number("size"), Column::flexible("name"), Column::flexible("why")];
    let mut table = Table::new(columns);
    for (blake3, bytes, why, name) in found {
        table.row([
            (blake3.to_string(), Tone::Plain),
            (short_bytes(bytes), Tone::Plain),
            (escaped(&name), Tone::Plain),
            (escaped(&why), Tone::Warn),
        ]);
    }
    shell.screen.table(&table)
}

fn by_hand(shell: &Shell, data: &Path, digest: Blake3, answer: &str, why: &str) -> Result<(), Failure> {
    let said = match answer {
        "clean" => Said::NotInfected,
        "failed" => Said::Failed,
        "send-again" => Said::SendAgain,
        _ => Said::NeedsPerson,
    };
    if shell.common.dry_run {
        shell.screen.say(Tone::Faint, &format!("would answer '{answer}' for {digest}"));
        return Ok(());
    }
    match crate::centre::answer(data, digest, said, why).map_err(|error| Failure::Usage(format!("{error:#}")))? {
        true => shell.screen.line(&format!("{digest}: {answer}")),
        false => Err(Failure::No(format!("the centre has no content {digest}"))),
    }
}

fn serve(shell: &Shell, args: &Args, data: &Path) -> Result<(), Failure> {
    let tls = args.certificate.clone().zip(args.key.clone());
    let options = CentreOptions {
        data: data.to_owned(),
        listen: args.listen.clone(),
        tls: tls.map(|(certificate, key)| TlsFiles { certificate, key, client_ca: None }),
        allow_insecure: args.allow_insecure,
        goodware: args.goodware.clone(),
        customers: args.customers.clone(),
        soak: args.soak,
        sample_bytes_max: args.sample_bytes_max,
        max_bytes: args.max_bytes,
        cage_program: None,
    };
    if shell.common.dry_run {
        shell.screen.say(Tone::Good, "the centre can be started with these flags");
        return Ok(());
    }
    super::serve::log_to_stderr();
    let centre = RunningCentre::start(options).map_err(|error| super::serve::ended(&error))?;
    let mut stdout = std::io::stdout().lock();
    let data = std::path::absolute(data).unwrap_or_else(|_| data.to_owned());
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
