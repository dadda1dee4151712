//! HTTP/1.1 as the scripted gateway speaks it, by hand, so that it can speak it wrongly.

use std::io::{self, Read, Write};
use std::time::Instant;

/// What a connection is, with TLS or without.
pub trait Stream: Read + Write + Send {}
impl<S: Read + Write + Send> Stream for S {}

/// A request; its body is read when somebody wants it.
#[derive(Debug, Clone)]
pub struct Request {
    pub method: String,
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// It came over TLS.
    pub secure: bool,
    /// When its head was there.
    pub at: Instant,
}

impl Request {
    /// The next head on a connection; nothing when it was closed.
    pub fn read(stream: &mut dyn Stream) -> Option<Self> {
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") {
            if stream.read(&mut byte).ok()? == 0 {
                return None;
            }
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).ok()?;
        let mut lines = head.lines();
        let mut first = lines.next()?.split(' ');
        let (method, path) = (first.next()?.to_owned(), first.next()?.to_owned());
        let headers = lines.filter_map(|line| line.split_once(':'));
        let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned())).collect();
        Some(Self { method, path, headers, body: Vec::new(), secure: false, at: Instant::now() })
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A header that every request of its kind has.
    pub fn must(&self, name: &str) -> &str {
        self.header(name).unwrap_or_else(|| panic!("{name} is missing: {self:?}"))
    }

    /// Bytes of the body.
    pub fn length(&self) -> usize {
        self.header("content-length").map_or(0, |length| length.parse().expect("a length"))
    }

    /// Reads up to `bytes` of the body.
    pub fn read_body(&mut self, stream: &mut dyn Stream, bytes: usize) -> io::Result<()> {
        self.body = vec![0; bytes.min(self.length())];
        stream.read_exact(&mut self.body)
    }

    /// The last part of the path.
    pub fn last(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    /// What comes behind the version, without the key or number at the end.
    pub fn is_about(&self, kind: &str) -> bool {
        self.path.contains(&format!("/gateway/1/{kind}"))
    }
}

/// A reply.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: Vec::new(), body: body.into() }
    }

    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    pub fn head(&self) -> String {
        let mut head = format!("HTTP/1.1 {} Thus\r\ncontent-length: {}\r\n", self.status, self.body.len());
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head + "\r\n"
    }

    /// Writes the head and the first `bytes` of the body.
    pub fn write(&self, stream: &mut dyn Stream, bytes: usize) -> io::Result<()> {
        stream.write_all(self.head().as_bytes())?;
        stream.write_all(&self.body[..bytes.min(self.body.len())])?;
        stream.flush()
    }
}
