//! A centre that is fed rubbish: it says what is wrong, keeps nothing of it, and goes on.

use crate::support::{Home, files};
use crate::thousand::centre;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

const KEY: &str = "0123456789abcdef0123456789abcdef";

/// One request, raw; status and body.
fn ask(address: &str, head: &str, body: &[u8]) -> (u16, String) {
    let mut stream = TcpStream::connect(address).expect("the centre listens");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a deadline");
    let head = format!("{head}\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
    // A centre that has seen enough may close its end before all is sent.
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let text = String::from_utf8_lossy(&answer).into_owned();
    let status = text.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    (status, text.split_once("\r\n\r\n").map_or_else(String::new, |(_, body)| body.to_owned()))
}

/// The headers of a submission of this content.
fn headers(account: &str, announced: &[u8], bytes: usize) -> String {
    let digest = blake3::hash(announced).to_hex();
    format!(
        "X-Customer-Account: {account}\r\nX-Request-Nonce: n1\r\nX-Sample-Blake3: {digest}\r\n\
         X-Sample-Sha256: {digest}\r\nX-Sample-Bytes: {bytes}\r\nX-Sent-Blake3: {digest}\r\nX-Sent-Bytes: {bytes}"
    )
}

#[test]
fn a_centre_answers_rubbish_in_words_and_keeps_nothing_of_it() {
    let home = Home::new();
    let (_centre, address) = centre(&home, &[]);
    let submit = |method: &str, key: &str, headers: &str, body: &[u8]| {
        ask(&address, &format!("{method} /gateway/1/submissions/{key} HTTP/1.1\r\n{headers}"), body)
    };
    let good = headers("1", b"content", 7);
    for (key, headers, why) in [
        ("short", good.clone(), "8 to 64 letters"),
        ("..%2F..%2F..%2Fetc%2Fpasswd", good.clone(), "8 to 64 letters"),
        (KEY, good.replace("X-Sent-Blake3: ", "X-Sent-Blake3: zz"), "64 hexadecimal digits"),
        (KEY, good.replace("X-Sample-Sha256", "X-Other"), "is missing"),
        (KEY, good.replace("X-Sent-Bytes: 7", "X-Sent-Bytes: many"), "whole number"),
        (KEY, good.replace("X-Request-Nonce: n1", "X-Other: n1"), "nonce"),
        (KEY, good.replace("X-Customer-Account: 1", "X-Customer-Account: %ff%fe"), "not UTF-8"),
    ] {
        let (status, body) = submit("POST", key, &headers, b"");
        assert!(status == 400 && body.contains(why), "{why}: {status} {body}");
    }
    // Nobody without an account, nothing longer than is taken, nothing that is not what was announced.
    let (status, body) = submit("POST", KEY, &headers("", b"content", 7), b"");
    assert!(status == 200 && body.contains("refused"), "{status} {body}");
    let (status, body) = submit("POST", KEY, &headers("1", b"content", 1 << 40), b"");
    assert!(status == 200 && body.contains("more than is taken"), "{status} {body}");
    let put = format!("{good}\r\nX-Sent-Offset: 0");
    let (status, body) = submit("PUT", KEY, &put, b"CONTENT");
    assert!(status == 200 && body.contains(r#""taken":"partly","bytes":0"#), "{status} {body}");
    let (status, body) = submit("PUT", KEY, &good, b"content");
    assert!(status == 400 && body.contains("offset"), "{status} {body}");
    let (_, body) = submit("PUT", KEY, &format!("{good}\r\nX-Sent-Offset: 3"), b"content");
    assert!(body.contains(r#""bytes":0"#), "a piece that does not fit is left aside: {body}");
    // What it takes, it takes; the key is then nobody else's.
    assert!(submit("PUT", KEY, &put, b"content").1.contains("accepted"));
    assert!(submit("POST", KEY, &headers("2", b"content", 7), b"").1.contains("another submission"));
    for (head, body) in [
        ("POST /gateway/1/answers HTTP/1.1\r\nX-Customer-Account: 1", &b"{rubbish"[..]),
        ("POST /gateway/1/answers HTTP/1.1\r\nX-Customer-Account: 1", &[b'['; 100_000][..]),
        ("GET /gateway/1/definitions/..%2F..%2Fcentre.key HTTP/1.1\r\nX-Customer-Account: 1", b""),
        ("GET /gateway/1/definitions HTTP/1.1\r\nX-Customer-Account: 1", b""),
    ] {
        assert_eq!(ask(&address, head, body).0, 400, "{head}");
    }
    assert_eq!(ask(&address, "GET /gateway/1/definitions HTTP/1.1", b"").0, 403, "nobody asks without an account");
    assert_eq!(ask(&address, "GET /gateway/1/definitions/99 HTTP/1.1\r\nX-Customer-Account: 1", b"").0, 403);
    assert_eq!(ask(&address, "GET /elsewhere HTTP/1.1", b"").0, 404);
    let (status, _) = submit("PUT", KEY, &put, &vec![0; 9 << 20]);
    assert!(matches!(status, 0 | 400), "more than a piece: {status}");
    assert_eq!(ask(&address, "GET /healthz HTTP/1.1", b"").0, 200, "it lives");
    assert!(files(&home.path("centre/parts")).is_empty(), "nothing is left of what did not fit");
}
