//! One short conversation. `docs/wire.md` shows it in hexadecimal, and a test compares.

use super::*;
use std::fmt::Write;

const BODY: &[u8] = b"MZ not a program";

pub(super) fn arrival() -> Arrival {
    Arrival {
        kind: Kind::File,
        definitions_sequence: Sequence(41),
        client: "ward-7".to_owned(),
        name: "C:\\a.exe".to_owned(),
        reason: "not cleaned".to_owned(),
        platform: "win".to_owned(),
        ..Arrival::default()
    }
}

pub(super) fn client_said() -> Vec<(&'static str, ClientFrame)> {
    let digest = Blake3([0xd1; 32]);
    let raw_bytes = BODY.len() as u64;
    vec![
        ("hello", ClientFrame::Hello { token: Token("t0ken".to_owned()), client: "ward-7".to_owned(), epoch: 7 }),
        ("offer", ClientFrame::Offer { request: 1, blake3: digest, raw_bytes, arrival: arrival() }),
        ("put", ClientFrame::Put { request: 1, raw_bytes, expected: Some(digest), arrival: arrival() }),
        ("ping", ClientFrame::Ping { nonce: 0x1122 }),
        ("bye", ClientFrame::Bye),
    ]
}

pub(super) fn server_said() -> Vec<(&'static str, ServerFrame)> {
    let welcome = Welcome { sample_bytes_max: 1 << 30, credit_bytes: 16 << 20, window: 256 };
    let ack = Ack { request: 1, outcome: Outcome::Stored, item: ItemId(12), blake3: None };
    let repeated = Ack { request: 2, outcome: Outcome::Repeated, item: ItemId(5), blake3: Some(Blake3([0xd1; 32])) };
    let refused = ServerFrame::Refused {
        request: 3,
        code: RefusedCode::FullBytes,
        retry_after_ms: 30_000,
        text: "store full".to_owned(),
    };
    vec![
        ("welcome", ServerFrame::Welcome(welcome)),
        ("want", ServerFrame::Want(vec![1])),
        ("acks", ServerFrame::Acks(vec![ack, repeated])),
        ("refused", refused),
        ("credit", ServerFrame::Credit { bytes: 16 }),
        ("pong", ServerFrame::Pong { nonce: 0x1122 }),
        ("fault", ServerFrame::Fault { code: FaultCode::Stopped, text: "draining".to_owned() }),
    ]
}

pub(super) fn client_stream() -> Vec<u8> {
    let mut out = Vec::new();
    for (name, frame) in client_said() {
        frame.encode(&mut out).unwrap();
        if name == "put" {
            out.extend_from_slice(BODY);
        }
    }
    out
}

pub(super) fn server_stream() -> Vec<u8> {
    server_said().iter().flat_map(|(_, frame)| server_bytes(frame)).collect()
}

/// Sixteen bytes a line, in hexadecimal and as text.
fn dump(title: &str, bytes: &[u8]) -> String {
    let mut out = format!("{title}\n");
    for line in bytes.chunks(16) {
        let hex: Vec<String> = line.iter().map(|byte| format!("{byte:02x}")).collect();
        let shown = |byte: &u8| if byte.is_ascii_graphic() || *byte == b' ' { char::from(*byte) } else { '.' };
        let text: String = line.iter().map(shown).collect();
        writeln!(out, "  {:<47}  {text}", hex.join(" ")).unwrap();
    }
    out
}

fn shown() -> String {
    let mut out = String::new();
    for (name, frame) in client_said() {
        out += &dump(&format!("client: {name}"), &client_bytes(&frame));
        if name == "put" {
            out += &dump("client: the body, outside of frames", BODY);
        }
    }
    for (name, frame) in server_said() {
        out += &dump(&format!("server: {name}"), &server_bytes(&frame));
    }
    out
}

#[test]
fn the_example_of_the_document_is_what_the_code_makes() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/wire.md");
    let document = std::fs::read_to_string(&path).unwrap();
    let (begin, end) = ("```text example\n", "```\n<!-- end of example -->");
    let from = document.find(begin).expect("the document has an example") + begin.len();
    let to = from + document[from..].find(end).expect("the example has an end");
    if std::env::var_os("LAZARET_BLESS").is_some() {
        let blessed = format!("{}{}{}", &document[..from], shown(), &document[to..]);
        return std::fs::write(&path, blessed).unwrap();
    }
    assert!(
        document[from..to] == shown(),
        "the example of docs/wire.md is not what the code makes; LAZARET_BLESS=1 writes it anew"
    );
}
