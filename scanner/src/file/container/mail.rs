//! Mail: one message, or a box of them; parts of parts, decoded.
//!
//! Lenient where mail readers are: a boundary that never comes ends with the text, an unknown encoding is none,
//! a part without a head is text. Depth is the walk's: a message inside of a message is opened as a member.

use super::uu;
use crate::file::Flow;
use crate::file::normalise::decode_base64;
use crate::file::walk::Walk;

/// Multiparts within multiparts of one message.
const NESTING_MAX: u32 = 32;
/// Bytes of a head that are looked at.
const HEAD_BYTES_MAX: usize = 256 << 10;

pub(super) fn unpack(bytes: &[u8], walk: &mut Walk<'_>) {
    for message in messages(bytes) {
        if part(message, NESTING_MAX, walk) == Flow::Stop {
            return;
        }
    }
}

/// The messages of a box, which begin with `From ` behind an empty line; else the whole as one.
fn messages(bytes: &[u8]) -> Vec<&[u8]> {
    if !bytes.starts_with(b"From ") {
        return vec![bytes];
    }
    let mut messages = Vec::new();
    let mut start = 0;
    for at in memchr::memmem::find_iter(bytes, b"\nFrom ") {
        let before = bytes[..at].strip_suffix(b"\r").unwrap_or(&bytes[..at]);
        if before.ends_with(b"\n") {
            messages.push(&bytes[start..at]);
            start = at + 1;
        }
    }
    messages.push(&bytes[start..]);
    messages
}

fn part(bytes: &[u8], nesting: u32, walk: &mut Walk<'_>) -> Flow {
    let (head, body) = split(bytes);
    let head = Head::read(head);
    if let Some(boundary) = head.boundary.as_deref().filter(|_| head.kind.starts_with("multipart/")) {
        if nesting == 0 {
            walk.broken("a mail has too many parts within parts");
            return Flow::On;
        }
        for inner in parts(body, boundary) {
            if part(inner, nesting - 1, walk) == Flow::Stop {
                return Flow::Stop;
            }
        }
        return walk.go_on();
    }
    let decoded = match head.encoding.as_str() {
        "base64" => decode_base64(body),
        "quoted-printable" => quoted_printable(body),
        "x-uuencode" | "uuencode" | "x-uue" => match uu::next(body) {
            Some((_, content, _)) => content,
            None => body.to_vec(),
        },
        _ => return plain(&head, body, walk),
    };
    let kept = decoded.len().min(walk.room());
    if kept == 0 { Flow::On } else { walk.open(&head.name, &decoded[..kept]) }
}

/// A part that is not encoded: itself, and what old mailers put into text.
fn plain(head: &Head, body: &[u8], walk: &mut Walk<'_>) -> Flow {
    let body = &body[..body.len().min(walk.room())];
    if !body.trim_ascii().is_empty() && walk.open(&head.name, body) == Flow::Stop {
        return Flow::Stop;
    }
    let mut rest = body;
    while let Some((name, content, behind)) = uu::next(rest) {
        if !content.is_empty() && walk.open(&name, &content[..content.len().min(walk.room())]) == Flow::Stop {
            return Flow::Stop;
        }
        rest = behind;
    }
    if let Some(at) = memchr::memmem::find(body, b"(This file must be converted with BinHex 4.0)").filter(|at| *at > 0)
    {
        return walk.open("BinHex", &body[at..]);
    }
    Flow::On
}

/// Head and body. A part that begins with an empty line has no head.
fn split(bytes: &[u8]) -> (&[u8], &[u8]) {
    if let Some(body) = bytes.strip_prefix(b"\n").or_else(|| bytes.strip_prefix(b"\r\n")) {
        return (&[], body);
    }
    let unix = memchr::memmem::find(bytes, b"\n\n").map(|at| (at + 1, at + 2));
    let limit = unix.map_or(bytes.len(), |found| found.1);
    let dos = memchr::memmem::find(&bytes[..limit], b"\n\r\n").map(|at| (at + 1, at + 3));
    let (head, body) = dos.or(unix).unwrap_or((bytes.len(), bytes.len()));
    (&bytes[..head.min(HEAD_BYTES_MAX)], &bytes[body..])
}

struct Head {
    kind: String,
    encoding: String,
    boundary: Option<String>,
    name: String,
}

impl Head {
    fn read(head: &[u8]) -> Self {
        let text = String::from_utf8_lossy(head).replace('\r', "");
        let text = text.replace("\n ", " ").replace("\n\t", " ");
        let mut read = Self { kind: String::new(), encoding: String::new(), boundary: None, name: String::new() };
        for line in text.lines() {
            let Some((field, value)) = line.split_once(':') else { continue };
            let value = value.trim();
            match field.trim().to_ascii_lowercase().as_str() {
                "content-type" => {
                    read.kind = value.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
                    read.boundary = parameter(value, "boundary").or(read.boundary);
                    if let Some(name) = parameter(value, "name").filter(|_| read.name.is_empty()) {
                        read.name = name;
                    }
                }
                "content-disposition" => {
                    if let Some(name) = parameter(value, "filename") {
                        read.name = name;
                    }
                }
                "content-transfer-encoding" => read.encoding = value.to_ascii_lowercase(),
                _ => {}
            }
        }
        if read.name.is_empty() {
            read.name = if read.kind.is_empty() { "body".to_owned() } else { read.kind.clone() };
        }
        read
    }
}

fn parameter(value: &str, wanted: &str) -> Option<String> {
    let mut rest = value;
    while let Some(at) = rest.find(';') {
        rest = rest[at + 1..].trim_start();
        let Some((name, behind)) = rest.split_once('=') else { continue };
        if name.trim().trim_end_matches('*').eq_ignore_ascii_case(wanted) {
            let behind = behind.trim_start();
            return Some(match behind.strip_prefix('"') {
                Some(quoted) => quoted.split('"').next().unwrap_or("").to_owned(),
                None => behind.split(';').next().unwrap_or("").trim().to_owned(),
            });
        }
    }
    None
}

/// What stands between the lines that begin with the boundary. The text before the first is passed over.
fn parts<'a>(body: &'a [u8], boundary: &str) -> Vec<&'a [u8]> {
    let mark = format!("--{boundary}");
    let mut found = Vec::new();
    let mut start = None;
    for at in memchr::memmem::find_iter(body, mark.as_bytes()).filter(|at| *at == 0 || body[at - 1] == b'\n') {
        if let Some(start) = start {
            found.push(&body[start..at]);
        }
        let line = at + mark.len();
        start = memchr::memchr(b'\n', &body[line..]).map(|end| line + end + 1);
        if body[line..].starts_with(b"--") {
            start = None;
        }
    }
    found.extend(start.map(|start| &body[start..]));
    found
}

fn quoted_printable(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        at += 1;
        if byte != b'=' {
            out.push(byte);
            continue;
        }
        let digit = |at: usize| text.get(at).and_then(|byte| char::from(*byte).to_digit(16));
        match (digit(at), digit(at + 1)) {
            (Some(high), Some(low)) => {
                out.push((high << 4 | low) as u8);
                at += 2;
            }
            _ if text[at..].starts_with(b"\r\n") => at += 2,
            _ if text[at..].starts_with(b"\n") => at += 1,
            _ => out.push(b'='),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_boundary_that_never_ends_ends_with_the_text() {
        assert_eq!(parts(b"x\n--b\none\n--b\ntwo", "b"), [&b"one\n"[..], b"two"]);
        assert_eq!(parts(b"--b\none\n--b--\nafter", "b"), [&b"one\n"[..]]);
    }

    #[test]
    fn a_parameter_is_found_behind_others_in_any_writing() {
        assert_eq!(parameter("multipart/mixed; charset=x; BOUNDARY=\"a b\"", "boundary").as_deref(), Some("a b"));
        assert_eq!(parameter("multipart/mixed; boundary = ab ; x=y", "boundary").as_deref(), Some("ab"));
        assert_eq!(parameter("text/plain", "boundary"), None);
    }

    #[test]
    fn quoted_printable_keeps_what_is_no_escape() {
        assert_eq!(quoted_printable(b"a=3Db=\r\nc=zz="), b"a=bc=zz=");
    }
}
