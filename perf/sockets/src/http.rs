//! One blocking keep-alive connection of HTTP/1.1.

use anyhow::{Context, Result, ensure};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};

/// A connection that asks one thing at a time.
#[derive(Debug)]
pub struct Connection {
    stream: BufReader<TcpStream>,
    head: Vec<u8>,
    line: String,
    answer: Vec<u8>,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// Nobody listens.
    pub fn open(http: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(http).with_context(|| format!("cannot reach {http}"))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream: BufReader::new(stream), head: Vec::new(), line: String::new(), answer: Vec::new() })
    }

    /// Sends a request whose `head` ends before its length, waits for its answer and gives status and body.
    ///
    /// # Errors
    /// The connection broke, or what came is no answer with a length.
    pub fn ask(&mut self, head: &str, body: &[u8]) -> Result<(u16, &[u8])> {
        self.head.clear();
        write!(self.head, "{head}Host: localhost\r\nContent-Length: {}\r\n\r\n", body.len())?;
        let stream = self.stream.get_mut();
        stream.write_all(&self.head)?;
        stream.write_all(body)?;
        let status = self.line()?.split(' ').nth(1).and_then(|word| word.parse().ok()).context("no status came")?;
        let mut length = None;
        loop {
            let line = self.line()?;
            if line.is_empty() {
                break;
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = Some(value.trim().parse()?);
            }
        }
        self.answer.resize(length.context("an answer without a length")?, 0);
        self.stream.read_exact(&mut self.answer)?;
        Ok((status, &self.answer))
    }

    fn line(&mut self) -> Result<&str> {
        self.line.clear();
        ensure!(self.stream.read_line(&mut self.line)? > 0, "the server hung up");
        Ok(self.line.trim_end())
    }
}
