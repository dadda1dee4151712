//! A daemon on free ports over a directory of its own, and raw sockets to talk to it.

#![allow(dead_code, reason = "each test file uses its part")]

pub mod api;
pub mod oracle;
pub mod sets;
pub mod sinks;

use server::daemon::{Daemon, Limits, ListenOptions, Role, ServeOptions, Token};
use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// A server for one test.
pub struct Server {
    pub daemon: Option<Daemon>,
    pub http: SocketAddr,
    pub intake: SocketAddr,
    pub data: tempfile::TempDir,
}

/// Options on free loopback ports; `change` makes them the test's own.
pub fn start(change: impl FnOnce(&mut ServeOptions)) -> Server {
    let data = tempfile::tempdir().expect("a temporary directory");
    let mut options = ServeOptions {
        data: data.path().join("data"),
        http: ListenOptions::plain("127.0.0.1:0"),
        intake: ListenOptions::plain("127.0.0.1:0"),
        limits: Limits { drain: Duration::from_secs(5), ..Limits::default() },
        ..ServeOptions::default()
    };
    change(&mut options);
    let daemon = Daemon::start(&options).expect("the daemon starts");
    Server { http: daemon.http(), intake: daemon.intake(), daemon: Some(daemon), data }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(daemon) = self.daemon.take() {
            daemon.stop().expect("the daemon stops");
        }
    }
}

/// A token of this role, whose text is its name.
pub fn token(name: &str, role: Role) -> Token {
    Token { name: name.to_owned(), role, hash: *blake3::hash(name.as_bytes()).as_bytes() }
}

/// One answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    pub fn problem(&self) -> String {
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{self:?}");
        self.json()["type"].as_str().expect("a type").rsplit(':').next().expect("a last part").to_owned()
    }
}

/// A connection with a deadline on every wait.
pub fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("the server listens");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a deadline");
    stream.set_write_timeout(Some(Duration::from_secs(20))).expect("a deadline");
    stream
}

/// Reads one answer; `head` says that no body follows whatever its length says.
pub fn read_answer(stream: impl Read, head: bool) -> Option<Answer> {
    let mut reader = BufReader::new(stream);
    let mut text = String::new();
    while !text.ends_with("\r\n\r\n") {
        if reader.read_line(&mut text).ok()? == 0 {
            return None;
        }
    }
    let status = text.split(' ').nth(1)?.parse().ok()?;
    let mut answer = Answer { status, head: text, body: Vec::new() };
    if status == 100 {
        return Some(answer);
    }
    let length = answer.header("content-length").map(|length| length.parse::<usize>().expect("a length"));
    match length {
        _ if head => {}
        Some(length) => {
            answer.body = vec![0; length];
            reader.read_exact(&mut answer.body).ok()?;
        }
        None if answer.header("transfer-encoding").is_some() => loop {
            let mut size = String::new();
            reader.read_line(&mut size).ok()?;
            let size = usize::from_str_radix(size.trim(), 16).ok()?;
            let mut chunk = vec![0; size + 2];
            reader.read_exact(&mut chunk).ok()?;
            if size == 0 {
                break;
            }
            answer.body.extend_from_slice(&chunk[..size]);
        },
        None => {
            reader.read_to_end(&mut answer.body).ok()?;
        }
    }
    Some(answer)
}

impl Server {
    /// Sends bytes as they are and reads one answer.
    pub fn raw(&self, bytes: &[u8]) -> Option<Answer> {
        let mut stream = connect(self.http);
        stream.write_all(bytes).expect("the server reads");
        read_answer(stream, bytes.starts_with(b"HEAD"))
    }

    /// One request with a body of known length.
    pub fn request(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut bytes = format!("{method} {path} HTTP/1.1\r\nhost: test\r\n");
        for (name, value) in headers {
            bytes.push_str(&format!("{name}: {value}\r\n"));
        }
        if !body.is_empty() || method == "PUT" || method == "POST" {
            bytes.push_str(&format!("content-length: {}\r\n", body.len()));
        }
        bytes.push_str("\r\n");
        let mut bytes = bytes.into_bytes();
        bytes.extend_from_slice(body);
        self.raw(&bytes).unwrap_or_else(|| panic!("{method} {path} has no answer"))
    }

    pub fn get(&self, path: &str) -> Answer {
        self.request("GET", path, &[], b"")
    }

    pub fn put(&self, body: &[u8], headers: &[(&str, &str)]) -> Answer {
        self.request("PUT", "/v1/samples", headers, body)
    }

    pub fn count(&self) -> u64 {
        self.get("/v1/items/count").json()["count"].as_u64().expect("a count")
    }
}
