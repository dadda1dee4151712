//! A gateway that does its work as `docs/gateway.md` has it, except where its script says otherwise.

use crate::support::sets::key;
use crate::wire::{Reply, Request, Stream};
use defcast::keys::SigningKey;
use gateway::PURPOSE;
use gateway::reply::{Answered, Answers, Question, Receipt, Said, Sets, Taken};
use model::{Blake3, Sequence};
use serde::Serialize;
use std::collections::HashMap;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// What it does with one request.
pub enum Turn {
    /// What it should.
    Good,
    /// It never answers.
    Silent,
    /// It answers a byte at a time.
    Drip,
    /// It answers and never ends.
    Endless,
    /// It does what it should, and something else comes back.
    Altered(Box<dyn FnOnce(Reply) -> Reply + Send>),
    /// Something before it answers.
    Instead(Reply),
    /// It closes the connection after so many bytes of the request's body, which it keeps.
    CutAfter(usize),
    /// It does what it should, and the connection breaks before the reply.
    Lost,
    /// The connection breaks after so many bytes of the reply's body.
    Torn(usize),
}

/// The first byte of TLS.
const HANDSHAKE: [u8; 1] = [0x16];

type Script = Box<dyn FnMut(&Request) -> Turn + Send>;

/// A submission that it knows.
#[derive(Debug, Clone)]
pub struct Submission {
    pub key: String,
    pub blake3: Blake3,
    pub sent_blake3: Blake3,
    pub sent_bytes: usize,
    pub priority: u32,
    pub account: String,
    pub held: Vec<u8>,
}

impl Submission {
    pub fn is_whole(&self) -> bool {
        self.held.len() == self.sent_bytes
    }
}

/// What it knows and was asked.
#[derive(Default)]
pub struct Book {
    /// In the order in which they were begun.
    pub submissions: Vec<Submission>,
    /// Answers by sample, with the words for a person.
    pub says: HashMap<Blake3, (Said, String)>,
    /// Samples that it refuses for good.
    pub refuses: HashMap<Blake3, String>,
    pub certified: u64,
    pub newest: u64,
    pub packages: HashMap<u64, Vec<u8>>,
    /// Every request, without its body.
    pub seen: Vec<Request>,
    /// Bytes of samples that came, in all.
    pub came: usize,
}

struct Shared {
    book: Mutex<Book>,
    script: Mutex<Script>,
    signs: SigningKey,
    ends: AtomicBool,
    /// Beside plain HTTP, on the same port.
    tls: Mutex<Option<Arc<rustls::ServerConfig>>>,
}

pub struct Gateway {
    pub address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// An address that nobody else is given: a port of a loopback address of its own, so that it stays free while nobody
/// listens there.
pub fn own_address() -> SocketAddr {
    static NEXT: AtomicU8 = AtomicU8::new(2);
    // "407" in it is on purpose: a refused connection is not to be taken for a proxy's status.
    SocketAddr::from(([127, 0, 9, NEXT.fetch_add(1, Ordering::Relaxed)], 44_070))
}

impl Gateway {
    pub fn start() -> Self {
        Self::on("127.0.0.1:0".parse().expect("an address"), None)
    }

    pub fn on(address: SocketAddr, tls: Option<Arc<rustls::ServerConfig>>) -> Self {
        let listener = TcpListener::bind(address).expect("the address is free");
        let address = listener.local_addr().expect("it is bound");
        let shared = Arc::new(Shared {
            book: Mutex::default(),
            script: Mutex::new(Box::new(|_| Turn::Good)),
            signs: key(),
            ends: AtomicBool::new(false),
            tls: Mutex::new(tls),
        });
        let serving = Arc::clone(&shared);
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if serving.ends.load(Ordering::Acquire) {
                    return;
                }
                let (Ok(stream), serving) = (stream, Arc::clone(&serving)) else { continue };
                std::thread::spawn(move || serving.connection(stream));
            }
        });
        Self { address, shared, thread: Some(thread) }
    }

    pub fn name(&self) -> String {
        self.address.to_string()
    }

    /// What it does from now on.
    pub fn script(&self, script: impl FnMut(&Request) -> Turn + Send + 'static) {
        *self.shared.script.lock().expect("no test failed here") = Box::new(script);
    }

    pub fn behaves(&self) {
        self.script(|_| Turn::Good);
    }

    /// Its certificate from now on.
    pub fn shows(&self, tls: Arc<rustls::ServerConfig>) {
        *self.shared.tls.lock().expect("no test failed here") = Some(tls);
    }

    /// Something of its book.
    pub fn book<T>(&self, look: impl FnOnce(&mut Book) -> T) -> T {
        look(&mut self.shared.book.lock().expect("no test failed here"))
    }

    /// What it answers about a sample.
    pub fn says(&self, sample: &[u8], said: Said, why: &str) {
        self.book(|book| book.says.insert(digest(sample), (said, why.to_owned())));
    }

    /// Submissions of a sample, the first one first.
    pub fn submissions(&self, sample: &[u8]) -> Vec<Submission> {
        let blake3 = digest(sample);
        self.book(|book| book.submissions.iter().filter(|one| one.blake3 == blake3).cloned().collect())
    }

    /// How many requests there were about this.
    pub fn asked(&self, method: &str, kind: &str) -> usize {
        self.book(|book| book.seen.iter().filter(|one| one.method == method && one.is_about(kind)).count())
    }

    /// A set that it has from now on.
    pub fn offers(&self, sequence: u64, package: Vec<u8>) {
        self.book(|book| {
            book.packages.insert(sequence, package);
            (book.certified, book.newest) = (sequence, sequence);
        });
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.shared.ends.store(true, Ordering::Release);
        // One last connection, so that it looks.
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the gateway ends");
        }
    }
}

pub fn digest(bytes: &[u8]) -> Blake3 {
    Blake3(*blake3::hash(bytes).as_bytes())
}

/// A reply with a key's signature.
pub fn signed_by(key: &SigningKey, value: &impl Serialize) -> Reply {
    let body = serde_json::to_vec(value).expect("JSON");
    let signature = key.sign_statement(PURPOSE, &body);
    Reply::new(200, body).with("x-reply-signature", signature)
}

/// The same words, changed, with a signature that holds.
pub fn reworded<T: Serialize + serde::de::DeserializeOwned>(
    key: SigningKey,
    change: impl FnOnce(&mut T) + Send + 'static,
) -> Turn {
    Turn::Altered(Box::new(move |reply| {
        let mut value: T = serde_json::from_slice(&reply.body).expect("its own words");
        change(&mut value);
        signed_by(&key, &value)
    }))
}

impl Shared {
    fn connection(&self, stream: TcpStream) {
        let mut first = [0];
        // A test that hangs has to end.
        stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a deadline");
        let tls = self.tls.lock().expect("no test failed here").clone();
        let is_tls = tls.is_some() && stream.peek(&mut first).is_ok() && first == HANDSHAKE;
        let mut stream: Box<dyn Stream> = match tls.filter(|_| is_tls) {
            None => Box::new(stream),
            Some(config) => {
                let session = rustls::ServerConnection::new(config).expect("a session");
                Box::new(rustls::StreamOwned::new(session, stream))
            }
        };
        while let Some(mut request) = Request::read(&mut *stream) {
            request.secure = is_tls;
            if self.ends.load(Ordering::Acquire) || self.turn(&mut *stream, request).is_none() {
                return;
            }
        }
    }

    /// One request; nothing when the connection is over.
    fn turn(&self, stream: &mut dyn Stream, mut request: Request) -> Option<()> {
        let turn = self.script.lock().ok()?(&request);
        self.book.lock().ok()?.seen.push(request.clone());
        let whole = request.length();
        let bytes = if let Turn::CutAfter(bytes) = turn { bytes } else { whole };
        request.read_body(stream, bytes).ok()?;
        match turn {
            Turn::Good => {
                let reply = self.reply(&request);
                reply.write(stream, reply.body.len()).ok()
            }
            Turn::Silent => {
                // Until the other side has had enough.
                let _ = stream.read(&mut [0]);
                None
            }
            Turn::Drip => {
                let reply = self.reply(&request);
                stream.write_all(reply.head().as_bytes()).ok()?;
                for byte in reply.body {
                    stream.write_all(&[byte]).ok()?;
                    stream.flush().ok()?;
                    std::thread::sleep(Duration::from_millis(100));
                }
                Some(())
            }
            Turn::Endless => {
                let length = u64::MAX >> 1;
                write!(stream, "HTTP/1.1 200 Thus\r\ncontent-length: {length}\r\n\r\n").ok()?;
                loop {
                    stream.write_all(&[b'x'; 16 << 10]).ok()?;
                }
            }
            Turn::Altered(change) => {
                let reply = change(self.reply(&request));
                reply.write(stream, reply.body.len()).ok()
            }
            Turn::Instead(reply) => reply.write(stream, reply.body.len()).ok(),
            Turn::CutAfter(_) | Turn::Lost => {
                self.reply(&request);
                None
            }
            Turn::Torn(bytes) => {
                self.reply(&request).write(stream, bytes).ok()?;
                None
            }
        }
    }

    fn reply(&self, request: &Request) -> Reply {
        let mut book = self.book.lock().expect("no test failed here");
        let nonce = || request.must("x-request-nonce").to_owned();
        match (request.method.as_str(), request.path.rsplit('/').nth(1)) {
            ("POST" | "PUT", Some("submissions")) => {
                let receipt = book.submitted(request);
                signed_by(&self.signs, &receipt)
            }
            ("POST", _) if request.is_about("answers") => {
                let question: Question = serde_json::from_slice(&request.body).expect("a question");
                signed_by(&self.signs, &book.answers(&question))
            }
            ("GET", Some("1")) => {
                let (certified, newest) = (Sequence(book.certified), Sequence(book.newest));
                signed_by(&self.signs, &Sets { nonce: nonce(), certified, newest })
            }
            ("GET", Some("definitions")) => book.package(request),
            _ => Reply::new(404, "what is this?"),
        }
    }
}

impl Book {
    fn submitted(&mut self, request: &Request) -> Receipt {
        let key = request.last().to_owned();
        let blake3: Blake3 = request.must("x-sample-blake3").parse().expect("a digest");
        let receipt = |taken| Receipt {
            nonce: request.must("x-request-nonce").to_owned(),
            submission: request.last().to_owned(),
            blake3,
            taken,
        };
        if let Some(why) = self.refuses.get(&blake3) {
            return receipt(Taken::Refused { why: why.clone() });
        }
        let at = self.submissions.iter().position(|one| one.key == key).unwrap_or_else(|| {
            self.submissions.push(Submission {
                key,
                blake3,
                sent_blake3: request.must("x-sent-blake3").parse().expect("a digest"),
                sent_bytes: request.must("x-sent-bytes").parse().expect("a length"),
                priority: request.must("x-sample-priority").parse().expect("a priority"),
                account: request.header("x-customer-account").unwrap_or_default().to_owned(),
                held: Vec::new(),
            });
            self.submissions.len() - 1
        });
        let submission = &mut self.submissions[at];
        if request.method == "PUT" {
            let offset: usize = request.must("x-sent-offset").parse().expect("a number");
            assert!(offset <= submission.held.len(), "bytes are missing before {offset}");
            submission.held.truncate(offset);
            submission.held.extend_from_slice(&request.body);
            self.came += request.body.len();
        }
        if submission.is_whole() {
            assert_eq!(digest(&submission.held), submission.sent_blake3, "what came is what was said");
            return receipt(Taken::Accepted);
        }
        receipt(Taken::Partly { bytes: submission.held.len() as u64 })
    }

    fn answers(&self, question: &Question) -> Answers {
        let answers = question.submissions.iter().map(|asked| {
            let is_here = self.submissions.iter().any(|one| one.key == asked.submission && one.is_whole());
            let (said, why) = match self.says.get(&asked.blake3) {
                _ if !is_here => (Said::NotKnown, String::new()),
                None => (Said::Pending, String::new()),
                Some(said) => said.clone(),
            };
            Answered { submission: asked.submission.clone(), blake3: asked.blake3, said, why }
        });
        Answers { nonce: question.nonce.clone(), answers: answers.collect() }
    }

    fn package(&self, request: &Request) -> Reply {
        let number = request.last().parse().ok();
        let Some(package) = number.and_then(|number: u64| self.packages.get(&number)) else {
            return Reply::new(404, "no such set");
        };
        let from =
            request.header("range").and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok());
        match from {
            None => Reply::new(200, package.clone()),
            Some(from) if from >= package.len() => Reply::new(416, ""),
            Some(from) => {
                let range = format!("bytes {from}-{}/{}", package.len() - 1, package.len());
                Reply::new(206, &package[from..]).with("content-range", range)
            }
        }
    }
}
