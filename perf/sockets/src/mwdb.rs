//! MWDB on a PostgreSQL of its own, its samples as files: what a sample database's door costs.

use crate::child::{Server, wait_until};
use crate::http;
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;
use workload::{Absent, postgres};

/// Where `cargo xtask perf network` installs it from PyPI, from the root of the work tree.
const PROGRAMS: &str = "target/mwdb/bin";
const INSTALL: &str = "python3 -m venv target/mwdb && target/mwdb/bin/pip install mwdb-core==2.20.0";
/// Importing it takes seconds, also on a quiet machine.
const READY_WITHIN: Duration = Duration::from_secs(120);
/// Both cores of the machine of reference, and threads for more connections than a row has.
const WORKERS: [&str; 6] = ["--workers", "2", "--threads", "32", "--keep-alive", "75"];
const PASSWORD: &str = "for-a-measurement";
const BOUNDARY: &str = "a-line-that-no-sample-has-7f3a9c";

/// A running MWDB and its database.
#[derive(Debug)]
pub struct Mwdb {
    _server: Server,
    _database: Server,
    address: SocketAddr,
    token: String,
}

impl Mwdb {
    /// Starts both below `dir`; plugins, web pages and rate limits are off.
    ///
    /// # Errors
    /// [`Absent`], or one of them does not start.
    pub fn start(dir: &Path) -> Result<Self> {
        let dir = std::path::absolute(dir)?;
        let programs = std::path::absolute(PROGRAMS)?;
        if !programs.join("mwdb-core").is_file() {
            return Err(Absent { program: "mwdb-core".to_owned(), install: INSTALL.to_owned() }.into());
        }
        let mut command = postgres::prepared(&postgres::programs()?, &dir)?;
        let mut database = Server::start("postgres", quiet(&mut command, &dir, "postgres.log")?, "postgresql")?;
        let socket = dir.join(".s.PGSQL.5432");
        wait_until(&mut database, READY_WITHIN, || std::os::unix::net::UnixStream::connect(&socket).is_ok())?;
        let uploads = dir.join("uploads");
        std::fs::create_dir(&uploads)?;
        let with_settings = |program: &str| {
            let mut command = Command::new(programs.join(program));
            let uri = format!("postgresql://{}@/postgres?host={}", postgres::USER, dir.display());
            command.env("MWDB_POSTGRES_URI", uri).env("MWDB_UPLOADS_FOLDER", &uploads);
            command.env("MWDB_ADMIN_PASSWORD", PASSWORD).env("MWDB_SECRET_KEY", PASSWORD);
            command.envs([("MWDB_SERVE_WEB", "0"), ("MWDB_ENABLE_PLUGINS", "0"), ("MWDB_ENABLE_RATE_LIMIT", "0")]);
            command.current_dir(&dir);
            command
        };
        let mut configure = with_settings("mwdb-core");
        configure.args(["configure", "--quiet", "basic"]);
        let configured = configure.output().context("cannot configure MWDB")?;
        ensure!(configured.status.success(), "MWDB: {}", String::from_utf8_lossy(&configured.stderr).trim());
        // Free when asked; nobody else opens ports on loopback meanwhile.
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let mut command = with_settings("gunicorn");
        command.args(WORKERS).args(["--bind", &address.to_string(), "mwdb.app:app"]);
        let mut server = Server::start("gunicorn", quiet(&mut command, &dir, "mwdb.log")?, INSTALL)?;
        wait_until(&mut server, READY_WITHIN, || TcpStream::connect(address).is_ok())?;
        let token = login(address)?;
        Ok(Self { _server: server, _database: database, address, token })
    }

    /// A connection that uploads.
    ///
    /// # Errors
    /// It cannot be reached.
    pub fn upload(&self) -> Result<Upload> {
        let head = format!(
            "POST /api/file HTTP/1.1\r\nAuthorization: Bearer {}\r\n\
             Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n",
            self.token
        );
        Ok(Upload { connection: http::Connection::open(self.address)?, head, form: Vec::new() })
    }
}

/// One connection, one sample at a time.
#[derive(Debug)]
pub struct Upload {
    connection: http::Connection,
    head: String,
    form: Vec<u8>,
}

impl Upload {
    /// Sends a sample and waits until it is one of MWDB's files.
    ///
    /// # Errors
    /// It is refused, or the connection broke.
    pub fn send(&mut self, body: &[u8]) -> Result<()> {
        self.form.clear();
        let part = |name: &str| format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"");
        self.form.extend_from_slice(format!("{}\r\n\r\n{{}}\r\n", part("options")).as_bytes());
        let file = format!("{}; filename=\"sample\"\r\nContent-Type: application/octet-stream\r\n\r\n", part("file"));
        self.form.extend_from_slice(file.as_bytes());
        self.form.extend_from_slice(body);
        self.form.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
        let (status, answer) = self.connection.ask(&self.head, &self.form)?;
        ensure!(status == 200, "an upload was answered {status}: {}", String::from_utf8_lossy(answer));
        Ok(())
    }
}

fn login(address: SocketAddr) -> Result<String> {
    let body = json!({ "login": "admin", "password": PASSWORD }).to_string();
    let head = "POST /api/auth/login HTTP/1.1\r\nContent-Type: application/json\r\n";
    let mut connection = http::Connection::open(address)?;
    let (status, answer) = connection.ask(head, body.as_bytes())?;
    ensure!(status == 200, "MWDB's login was answered {status}: {}", String::from_utf8_lossy(answer));
    let answer: Value = serde_json::from_slice(answer)?;
    Ok(answer["token"].as_str().context("a login without a token")?.to_owned())
}

fn quiet<'a>(command: &'a mut Command, dir: &Path, log: &str) -> Result<&'a mut Command> {
    let log = File::create(dir.join(log))?;
    Ok(command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log))
}
