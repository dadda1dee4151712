//! A gateway that says what a test tells it to say, signed with the key that [`super::sets::scanning`] servers trust.

use super::Server;
use super::sets::key;
use gateway::client::PATH;
use gateway::reply::{Answered, Answers, Question, Receipt, Said, Sets, Taken};
use gateway::{PURPOSE, Submission, names};
use model::Sequence;
use parking_lot::Mutex;
use serde::Serialize;
use serde_json::json;
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

/// What it says.
pub struct Words {
    /// To every question.
    pub said: Said,
    /// To every submission; empty when it takes them.
    pub refused: String,
    /// The newest certified set.
    pub certified: u64,
    /// The newest set.
    pub newest: u64,
    /// Packages, in whatever state.
    pub packages: BTreeMap<u64, Vec<u8>>,
    /// Keys of what was submitted.
    pub submitted: Vec<String>,
}

/// The running gateway. Its threads end with the test's process.
pub struct Oracle {
    pub address: SocketAddr,
    pub words: Arc<Mutex<Words>>,
}

impl Oracle {
    pub fn start(said: Said) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("bound");
        let words = Words {
            said,
            refused: String::new(),
            certified: 0,
            newest: 0,
            packages: BTreeMap::new(),
            submitted: Vec::new(),
        };
        let words = Arc::new(Mutex::new(words));
        let kept = Arc::clone(&words);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let words = Arc::clone(&kept);
                std::thread::spawn(move || {
                    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a deadline");
                    // A peer that breaks off is the test's to notice.
                    let _ = answer(&stream, &words);
                });
            }
        });
        Self { address, words }
    }
}

impl Server {
    /// Points the server at a gateway, without TLS, asking often, sending whole samples.
    pub fn point_at(&self, gateway: SocketAddr) {
        self.set(&gateway_settings(gateway));
    }
}

/// Settings for a gateway on loopback.
pub fn gateway_settings(gateway: SocketAddr) -> serde_json::Value {
    json!({
        "web_communication.gateway": gateway.to_string(),
        "web_communication.secure_submission": false,
        "web_communication.secure_download": false,
        "customer.account": "4711",
        "sample_policy.queue_check_interval_s": 1,
        "sample_policy.status_query_interval_s": 1,
        "sample_policy.strip_user_data": false,
    })
}

/// A set that is not certified.
pub fn noncertified(sequence: u64, ndb: &str) -> Vec<u8> {
    let draft = defcast::package::Draft {
        sequence,
        certified: false,
        created_at: "2026-01-02T03:04:05Z".to_owned(),
        comment: String::new(),
        files: vec![("main.ndb".to_owned(), ndb.as_bytes().to_vec())],
    };
    defcast::package::build(&draft, &key()).expect("a package")
}

/// One request; the connection is closed then.
fn answer(stream: &TcpStream, words: &Mutex<Words>) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    reader.read_line(&mut first).ok()?;
    let mut fields = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        fields.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = fields.get("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let path = first.split(' ').nth(1)?.strip_prefix(PATH)?.trim_start_matches('/').to_owned();
    let field = |name: &str| fields.get(&name.to_ascii_lowercase()).map(String::as_str);
    let nonce = field(names::NONCE).unwrap_or_default().to_owned();
    let mut words = words.lock();
    match path.split_once('/').unwrap_or((&path, "")) {
        ("submissions", submission) => {
            let submission = Submission::read(submission, &field).ok()?;
            let taken = match words.refused.as_str() {
                "" => Taken::Accepted,
                why => Taken::Refused { why: why.to_owned() },
            };
            words.submitted.push(submission.key.clone());
            signed(stream, &Receipt { nonce, submission: submission.key, blake3: submission.blake3, taken })
        }
        ("answers", _) => {
            let question: Question = serde_json::from_slice(&body).ok()?;
            let answers = question.submissions.into_iter().map(|one| Answered {
                submission: one.submission,
                blake3: one.blake3,
                said: words.said,
                why: String::new(),
            });
            signed(stream, &Answers { nonce: question.nonce, answers: answers.collect() })
        }
        ("definitions", "") => {
            let (certified, newest) = (Sequence(words.certified), Sequence(words.newest));
            signed(stream, &Sets { nonce, certified, newest })
        }
        ("definitions", sequence) => match words.packages.get(&sequence.parse().ok()?) {
            Some(package) => reply(stream, "200 OK", "", package),
            None => reply(stream, "404 Not Found", "", b""),
        },
        _ => reply(stream, "404 Not Found", "", b""),
    }
}

fn signed(stream: &TcpStream, said: &impl Serialize) -> Option<()> {
    let body = serde_json::to_vec(said).ok()?;
    let signature = format!("{}: {}\r\n", names::SIGNATURE, key().sign_statement(PURPOSE, &body));
    reply(stream, "200 OK", &signature, &body)
}

fn reply(mut stream: &TcpStream, status: &str, more: &str, body: &[u8]) -> Option<()> {
    let head = format!("HTTP/1.1 {status}\r\n{more}content-length: {}\r\nconnection: close\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body)).ok()
}
