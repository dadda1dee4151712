//! Intake over real sockets, by the work that the in-process programs do: one line of JSON.
//!
//! The server is started here and is a process of its own; every writer has a connection of its own and
//! waits for the answer to one sample before it sends the next.
#![allow(clippy::print_stdout, reason = "the line is the result")]

use anyhow::{Context, Result, ensure};
use clap::{Parser, ValueEnum};
use model::Arrival;
use sockets::clamd::{Clamd, Session};
use sockets::lazaret::{Lazaret, Under};
use sockets::mwdb::{Mwdb, Upload};
use sockets::{http, native};
use std::path::{Path, PathBuf};
use std::time::Duration;
use workload::{Absent, Cell, Corpus, Load, Stored, Writer, absent, disk};

/// A store with room for everything that a cell sends, and nothing beside intake.
const CONFIG: &str = "[general]\nmax_bytes = '60 GiB'\n\n[store]\nfinish = false\nscrub = false\n";

/// Which server, through which door.
#[derive(Clone, Copy, ValueEnum)]
enum Door {
    /// `lazaret serve`, native protocol.
    Native,
    /// `lazaret serve`, `PUT /v1/samples`.
    Http,
    /// As `native`, but the server's disk does nothing.
    NativeNoDisk,
    /// As `http`, but the server's disk does nothing.
    HttpNoDisk,
    /// clamd, INSTREAM in a session. It keeps nothing.
    Clamd,
    /// MWDB, an upload for each sample.
    Mwdb,
}

#[derive(Parser)]
struct Arguments {
    /// The door to knock at.
    #[arg(long, value_enum)]
    door: Door,
    /// Plain bytes of each sample.
    #[arg(long)]
    bytes: usize,
    /// Connections, each with one sample on its way.
    #[arg(long)]
    writers: usize,
    /// Measured seconds.
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    /// Seconds before the measurement.
    #[arg(long, default_value_t = 1.0)]
    warm_up: f64,
    /// Samples at most.
    #[arg(long, default_value_t = u64::MAX)]
    samples: u64,
    /// Chooses the samples.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// A folder that does not exist yet; deleted at the end.
    #[arg(long)]
    dir: PathBuf,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let dir = &arguments.dir;
    std::fs::create_dir(dir).with_context(|| format!("cannot make {}", dir.display()))?;
    let outcome = measure(&arguments, dir);
    std::fs::remove_dir_all(dir).with_context(|| format!("cannot remove {}", dir.display()))?;
    if let Some(absent) = outcome.as_ref().err().and_then(|error| error.downcast_ref::<Absent>()) {
        println!("{absent}");
        std::process::exit(absent::EXIT_CODE);
    }
    println!("{}", outcome?.line());
    Ok(())
}

fn measure(arguments: &Arguments, dir: &Path) -> Result<Cell> {
    match arguments.door {
        Door::Native => ours(arguments, dir, "lazaret/native", Under::Disk, Native::open),
        Door::NativeNoDisk => ours(arguments, dir, "lazaret/native/null", Under::Nothing, Native::open),
        Door::Http => ours(arguments, dir, "lazaret/http", Under::Disk, Http::open),
        Door::HttpNoDisk => ours(arguments, dir, "lazaret/http/null", Under::Nothing, Http::open),
        Door::Clamd => {
            let clamd = Clamd::start(dir, arguments.writers)?;
            drive("clamd", arguments, |_| Sending::new(clamd.session(), Session::scan))
        }
        Door::Mwdb => {
            let mwdb = Mwdb::start(dir)?;
            drive("mwdb", arguments, |_| Sending::new(mwdb.upload(), Upload::send))
        }
    }
}

fn ours<C>(
    arguments: &Arguments,
    dir: &Path,
    name: &str,
    disk: Under,
    open: fn(&Lazaret, usize) -> Result<C>,
) -> Result<Cell>
where
    C: Knock,
{
    let server = Lazaret::start(dir, CONFIG, disk)?;
    let mut cell = drive(name, arguments, |number| Sending::new(open(&server, number), C::knock))?;
    cell.written_bytes = disk::written_bytes_of(server.pid());
    server.stop()?;
    cell.disk_bytes = disk::allocated_bytes(&dir.join("data/segments"));
    Ok(cell)
}

fn drive<C, O>(name: &str, arguments: &Arguments, open: O) -> Result<Cell>
where
    O: Fn(usize) -> Sending<C> + Sync,
{
    let load = Load {
        sample_bytes: arguments.bytes,
        writers: arguments.writers,
        measured: Duration::from_secs_f64(arguments.seconds),
        warm_up: Duration::from_secs_f64(arguments.warm_up),
        samples_max: arguments.samples,
        seed: arguments.seed,
    };
    workload::drive(name, &load, &Corpus::of_machine()?, open).map_err(anyhow::Error::msg)
}

/// A connection and how a sample is handed over on it. One that did not open fails at its first sample,
/// because opening happens on the writer's own thread.
struct Sending<C> {
    connection: Result<C>,
    send: fn(&mut C, &[u8]) -> Result<()>,
    body: Vec<u8>,
}

impl<C> Sending<C> {
    fn new(connection: Result<C>, send: fn(&mut C, &[u8]) -> Result<()>) -> Self {
        Self { connection, send, body: Vec::new() }
    }
}

impl<C> Writer for Sending<C> {
    fn store(&mut self, _: usize, fill: &mut dyn FnMut(&mut Vec<u8>)) -> Result<Stored, String> {
        self.body.clear();
        fill(&mut self.body);
        let connection = self.connection.as_mut().map_err(|error| format!("{error:#}"))?;
        (self.send)(connection, &self.body).map_err(|error| format!("{error:#}"))?;
        // What it takes there is known to the server alone.
        Ok(Stored { bytes: 0 })
    }
}

/// One of our doors.
trait Knock {
    fn knock(&mut self, body: &[u8]) -> Result<()>;
}

struct Native {
    connection: native::Connection,
    arrival: Arrival,
}

impl Native {
    fn open(server: &Lazaret, number: usize) -> Result<Self> {
        let connection = native::Connection::open(server.intake, &format!("client-{number}"), 1)?;
        Ok(Self { connection, arrival: Arrival { name: "/bench/sample".to_owned(), ..Arrival::default() } })
    }
}

impl Knock for Native {
    fn knock(&mut self, body: &[u8]) -> Result<()> {
        self.connection.put(body, &self.arrival).map(|_| ())
    }
}

struct Http {
    connection: http::Connection,
    head: String,
}

impl Http {
    fn open(server: &Lazaret, number: usize) -> Result<Self> {
        let head =
            format!("PUT /v1/samples HTTP/1.1\r\nX-Client: client-{number}\r\nX-File-Name: %2Fbench%2Fsample\r\n");
        Ok(Self { connection: http::Connection::open(server.http)?, head })
    }
}

impl Knock for Http {
    fn knock(&mut self, body: &[u8]) -> Result<()> {
        let (status, answer) = self.connection.ask(&self.head, body)?;
        ensure!(status == 201, "a put was answered {status}: {}", String::from_utf8_lossy(answer));
        Ok(())
    }
}
