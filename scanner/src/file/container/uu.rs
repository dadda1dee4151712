//! UUencoding: `begin mode name`, lines of up to 45 bytes, `end`.

use crate::file::Flow;
use crate::file::walk::Walk;

pub(super) fn unpack(bytes: &[u8], walk: &mut Walk<'_>) {
    let mut rest = bytes;
    while let Some((name, content, behind)) = next(rest) {
        let kept = content.len().min(walk.room());
        if walk.open(&name, &content[..kept]) == Flow::Stop {
            return;
        }
        rest = behind;
    }
}

/// `(name, content, what follows)` of the first encoded file in some text. The content is shorter than the text.
pub(super) fn next(text: &[u8]) -> Option<(String, Vec<u8>, &[u8])> {
    let mut rest = text;
    loop {
        let (line, behind) = split_line(rest)?;
        rest = behind;
        let Some(name) = name(line) else { continue };
        let mut content = Vec::new();
        while let Some((line, behind)) = split_line(rest) {
            rest = behind;
            if line == b"end" || !decode_line(line, &mut content) {
                break;
            }
        }
        return Some((name, content, rest));
    }
}

fn split_line(text: &[u8]) -> Option<(&[u8], &[u8])> {
    if text.is_empty() {
        return None;
    }
    let end = memchr::memchr(b'\n', text).unwrap_or(text.len());
    let line = text[..end].strip_suffix(b"\r").unwrap_or(&text[..end]);
    Some((line, text.get(end + 1..).unwrap_or(&[])))
}

fn name(line: &[u8]) -> Option<String> {
    let rest = line.strip_prefix(b"begin ")?;
    let digits = rest.iter().take_while(|byte| matches!(byte, b'0'..=b'7')).count();
    let name = rest.get(digits..)?.strip_prefix(b" ")?;
    (digits >= 3).then(|| String::from_utf8_lossy(name).into_owned())
}

/// Whether the line was one of the encoding.
fn decode_line(line: &[u8], out: &mut Vec<u8>) -> bool {
    let Some((&first, text)) = line.split_first() else { return true };
    if !(b' '..=b'`').contains(&first) {
        return false;
    }
    let wanted = usize::from(first.wrapping_sub(b' ') & 63);
    let end = out.len() + wanted;
    for group in text.chunks(4) {
        let value = group.iter().fold(0u32, |bits, byte| bits << 6 | u32::from(byte.wrapping_sub(b' ') & 63));
        let value = value << (6 * (4 - group.len()));
        out.extend_from_slice(&value.to_be_bytes()[1..]);
    }
    out.truncate(end);
    true
}
