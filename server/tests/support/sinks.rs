//! Where alerts arrive: a mail server and a webhook, on loopback, which do as they are told.

use parking_lot::Mutex;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

/// A peer that says nothing for so long is a bug.
const SILENCE_MAX: Duration = Duration::from_secs(20);

/// What a sink says to each attempt: the first to the first, the last to all after it.
type Script = Vec<u16>;

/// Somewhere to send things to. Its threads end with the test's process.
pub struct Sink {
    pub address: SocketAddr,
    got: Arc<Mutex<Got>>,
}

#[derive(Default)]
struct Got {
    taken: Vec<String>,
    attempts: usize,
}

impl Sink {
    /// A mail server. `script` has the answers to RCPT, such as 250, 451 or 550.
    pub fn mail(script: Script) -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").expect("a port"), script, mail)
    }

    /// A mail server where nobody listened before.
    pub fn mail_at(address: SocketAddr) -> Self {
        Self::on(TcpListener::bind(address).expect("the port is still free"), vec![250], mail)
    }

    /// A webhook. `script` has the statuses that it answers with.
    pub fn hook(script: Script) -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").expect("a port"), script, hook)
    }

    fn on(listener: TcpListener, script: Script, talk: fn(&TcpStream, &Script, &Mutex<Got>) -> Option<()>) -> Self {
        let address = listener.local_addr().expect("bound");
        let got = Arc::new(Mutex::new(Got::default()));
        let kept = Arc::clone(&got);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (script, got) = (script.clone(), Arc::clone(&kept));
                std::thread::spawn(move || {
                    stream.set_read_timeout(Some(SILENCE_MAX)).expect("a deadline");
                    // A peer that breaks off is the test's to notice.
                    let _ = talk(&stream, &script, &got);
                });
            }
        });
        Self { address, got }
    }

    /// What was taken, whole.
    pub fn taken(&self) -> Vec<String> {
        self.got.lock().taken.clone()
    }

    /// How often somebody tried.
    pub fn attempts(&self) -> usize {
        self.got.lock().attempts
    }
}

/// An address of loopback at which nobody listens.
pub fn silent_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound")
}

fn answer(script: &Script, got: &Mutex<Got>) -> u16 {
    let mut got = got.lock();
    let code = script.get(got.attempts).or(script.last()).copied().unwrap_or(250);
    got.attempts += 1;
    code
}

/// SMTP as far as an honest client needs it (RFC 5321).
fn mail(stream: &TcpStream, script: &Script, got: &Mutex<Got>) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let say = |text: &str| (&*stream).write_all(format!("{text}\r\n").as_bytes()).ok();
    say("220 sink")?;
    let mut envelope = String::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let verb = line.split([' ', '\r']).next()?.to_ascii_uppercase();
        match verb.as_str() {
            "EHLO" | "HELO" => say("250 sink")?,
            "RCPT" => match answer(script, got) {
                250 => {
                    envelope = line.clone();
                    say("250 taken")?;
                }
                code if code < 500 => say(&format!("{code} not now"))?,
                code => say(&format!("{code} nobody of that name"))?,
            },
            "DATA" => {
                say("354 go on")?;
                let mut text = envelope.clone();
                loop {
                    let mut line = String::new();
                    reader.read_line(&mut line).ok()?;
                    if line == ".\r\n" {
                        break;
                    }
                    text.push_str(&line);
                }
                got.lock().taken.push(text);
                say("250 taken")?;
            }
            "QUIT" => {
                say("221 gone")?;
                return None;
            }
            _ => say("250 as you like")?,
        }
    }
}

fn hook(stream: &TcpStream, script: &Script, got: &Mutex<Got>) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line == "\r\n" {
            break;
        }
        if let Some(("content-length", value)) = line.to_ascii_lowercase().split_once(':') {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let status = answer(script, got);
    if status < 300 {
        got.lock().taken.push(String::from_utf8(body).ok()?);
    }
    let head = format!("HTTP/1.1 {status} said\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    (&*stream).write_all(head.as_bytes()).ok()
}
