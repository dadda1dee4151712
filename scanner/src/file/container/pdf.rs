//! PDF: the streams of its objects, through the filters that are cheap: Flate, hexadecimal, base 85, run lengths.
//!
//! Objects are found by their words, not by the cross-reference table, which malware breaks on purpose.

use crate::file::Flow;
use crate::file::walk::Walk;

/// Bytes of a dictionary that are looked at.
const DICTIONARY_BYTES_MAX: usize = 4096;
/// Filters behind one another on one stream.
const FILTERS_MAX: usize = 8;

pub(super) fn unpack(bytes: &[u8], walk: &mut Walk<'_>) {
    if memchr::memmem::find(bytes, b"/Encrypt").is_some() {
        walk.encrypted();
    }
    for at in memchr::memmem::find_iter(bytes, b"stream") {
        if bytes[..at].ends_with(b"end") {
            continue;
        }
        let from = bytes[at + 6..].strip_prefix(b"\r\n").or_else(|| bytes[at + 6..].strip_prefix(b"\n"));
        let Some(content) = from.or_else(|| bytes[at + 6..].strip_prefix(b"\r")) else { continue };
        let dictionary = &bytes[at.saturating_sub(DICTIONARY_BYTES_MAX)..at];
        let from = memchr::memmem::rfind(dictionary, b" obj").unwrap_or(0);
        let dictionary = &dictionary[from..];
        let end = stated_end(content, dictionary).unwrap_or_else(|| found_end(content));
        if let Some(plain) = decode(&content[..end], dictionary, walk)
            && !plain.is_empty()
            && walk.open("stream", &plain) == Flow::Stop
        {
            return;
        }
        if walk.go_on() == Flow::Stop {
            return;
        }
    }
}

/// The length that the dictionary states as a number, if the end mark stands there.
fn stated_end(content: &[u8], dictionary: &[u8]) -> Option<usize> {
    let at = memchr::memmem::rfind(dictionary, b"/Length ")?;
    let digits = &dictionary[at + 8..];
    let digits = &digits[..digits.iter().position(|byte| !byte.is_ascii_digit())?];
    let end: usize = std::str::from_utf8(digits).ok()?.parse().ok()?;
    let behind = content.get(end..)?.trim_ascii_start();
    behind.starts_with(b"endstream").then_some(end)
}

/// The end mark, without the line break before it.
fn found_end(content: &[u8]) -> usize {
    let end = memchr::memmem::find(content, b"endstream").unwrap_or(content.len());
    let content = &content[..end];
    content.strip_suffix(b"\r\n").or_else(|| content.strip_suffix(b"\n")).unwrap_or(content).len()
}

fn decode(content: &[u8], dictionary: &[u8], walk: &mut Walk<'_>) -> Option<Vec<u8>> {
    let mut plain = content[..content.len().min(walk.room())].to_vec();
    for filter in filters(dictionary) {
        plain = match filter {
            b"FlateDecode" | b"Fl" => walk.drain(flate2::bufread::ZlibDecoder::new(&plain[..])),
            b"ASCIIHexDecode" | b"AHx" => hexadecimal(&plain),
            b"ASCII85Decode" | b"A85" => base_85(&plain, walk.room()),
            b"RunLengthDecode" | b"RL" => run_lengths(&plain, walk.room()),
            // Pictures are matched as they are.
            b"DCTDecode" | b"JPXDecode" | b"CCITTFaxDecode" | b"JBIG2Decode" => return Some(plain),
            other => {
                walk.unsupported(&format!("PDF filter {}", String::from_utf8_lossy(other)));
                return None;
            }
        };
    }
    Some(plain)
}

/// The names behind `/Filter`, in their order.
fn filters(dictionary: &[u8]) -> Vec<&[u8]> {
    let Some(at) = memchr::memmem::find(dictionary, b"/Filter") else { return Vec::new() };
    let rest = dictionary[at + 7..].trim_ascii_start();
    let list = match rest.strip_prefix(b"[") {
        Some(list) => &list[..memchr::memchr(b']', list).unwrap_or(list.len())],
        None => {
            let name = rest.strip_prefix(b"/").unwrap_or(rest);
            let end = name.iter().position(|byte| !byte.is_ascii_alphanumeric()).unwrap_or(name.len());
            return if end == 0 { Vec::new() } else { vec![&name[..end]] };
        }
    };
    list.split(|byte| *byte == b'/')
        .map(|name| name.trim_ascii())
        .filter(|name| !name.is_empty())
        .take(FILTERS_MAX)
        .collect()
}

fn hexadecimal(text: &[u8]) -> Vec<u8> {
    let digits: Vec<u8> = text
        .iter()
        .take_while(|byte| **byte != b'>')
        .filter_map(|byte| char::from(*byte).to_digit(16))
        .map(|digit| digit as u8)
        .collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair.get(1).copied().unwrap_or(0)).collect()
}

fn base_85(text: &[u8], room: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let (mut value, mut count) = (0u32, 0);
    for byte in text.strip_prefix(b"<~").unwrap_or(text) {
        match byte {
            b'~' => break,
            b'z' if count == 0 => out.extend_from_slice(&[0; 4]),
            b'!'..=b'u' => {
                value = value.wrapping_mul(85).wrapping_add(u32::from(byte - b'!'));
                count += 1;
                if count == 5 {
                    out.extend_from_slice(&value.to_be_bytes());
                    (value, count) = (0, 0);
                }
            }
            _ => {}
        }
        if out.len() >= room {
            return out;
        }
    }
    if count > 1 {
        (count..5).for_each(|_| value = value.wrapping_mul(85).wrapping_add(84));
        out.extend_from_slice(&value.to_be_bytes()[..count - 1]);
    }
    out
}

fn run_lengths(packed: &[u8], room: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = packed;
    while let Some((&length, behind)) = rest.split_first() {
        rest = match length {
            128 => break,
            0..=127 => {
                let literal = &behind[..behind.len().min(usize::from(length) + 1)];
                out.extend_from_slice(literal);
                &behind[literal.len()..]
            }
            _ => {
                let Some((byte, behind)) = behind.split_first() else { break };
                out.extend(std::iter::repeat_n(*byte, 257 - usize::from(length)));
                behind
            }
        };
        if out.len() >= room {
            break;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cheap_filters_decode() {
        assert_eq!(hexadecimal(b"48 65 6c6C 6f7>"), b"Hellop");
        assert_eq!(base_85(b"<~87cURD]i,\"Ebo80~>", 100), b"Hello World!");
        assert_eq!(run_lengths(&[1, b'a', b'b', 254, b'c', 128, 9], 100), b"abccc");
        assert_eq!(
            filters(b"<< /Filter [ /ASCIIHexDecode /FlateDecode ] >>"),
            [&b"ASCIIHexDecode"[..], b"FlateDecode"]
        );
        assert_eq!(filters(b"<</Filter/FlateDecode/Length 9>>"), [&b"FlateDecode"[..]]);
    }
}
