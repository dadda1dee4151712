//! RTF: embedded objects stand in groups `{\objdata ...}` as hexadecimal digits.
//!
//! The bytes are an OLE 1 stream: a version, a kind, three names, a length, then a compound document or, for class
//! `Package`, a file with its name. Both are handed out, and so is the object as it is where it is neither.

use crate::file::Flow;
use crate::file::walk::Walk;

/// Objects opened of one document.
const OBJECTS_MAX: usize = 256;

pub(super) fn unpack(bytes: &[u8], walk: &mut Walk<'_>) {
    for at in memchr::memmem::find_iter(bytes, b"\\objdata").take(OBJECTS_MAX) {
        let object = hexadecimal(&bytes[at + 8..], walk.room());
        let (name, content) = content(&object).unwrap_or(("object".to_owned(), &object[..]));
        if !content.is_empty() && walk.open(&name, content) == Flow::Stop {
            return;
        }
    }
}

/// Digits until the group ends. Control words and groups in between, which hide digits from simple readers, are
/// passed over.
fn hexadecimal(text: &[u8], room: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let mut high = None;
    let mut depth = 0;
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        at += 1;
        match byte {
            b'{' => depth += 1,
            b'}' if depth == 0 => break,
            b'}' => depth -= 1,
            b'\\' => at += text[at..].iter().take_while(|byte| byte.is_ascii_alphabetic()).count(),
            _ => {
                let Some(digit) = char::from(byte).to_digit(16) else { continue };
                match high.take() {
                    None => high = Some(digit),
                    Some(high) => out.push((high << 4 | digit) as u8),
                }
                if out.len() >= room {
                    break;
                }
            }
        }
    }
    out
}

fn content(object: &[u8]) -> Option<(String, &[u8])> {
    let mut rest = object.get(8..)?;
    let mut class = &[][..];
    for n in 0..3 {
        let (name, behind) = rest.split_at_checked(4).and_then(|(length, behind)| {
            behind.split_at_checked(u32::from_le_bytes([length[0], length[1], length[2], length[3]]) as usize)
        })?;
        rest = behind;
        if n == 0 {
            class = name;
        }
    }
    let (length, behind) = rest.split_at_checked(4)?;
    let length = u32::from_le_bytes([length[0], length[1], length[2], length[3]]) as usize;
    let native = &behind[..behind.len().min(length)];
    if class.starts_with(b"Package")
        && let Some(packaged) = packaged(native)
    {
        return Some(packaged);
    }
    Some((String::from_utf8_lossy(class.strip_suffix(b"\0").unwrap_or(class)).into_owned(), native))
}

/// The Packager's stream: a mark, a label, a path, eight bytes, a temporary path, then length and content.
pub(super) fn packaged(stream: &[u8]) -> Option<(String, &[u8])> {
    let text = |from: usize| memchr::memchr(0, stream.get(from..)?).map(|end| from + end);
    let label_end = text(2)?;
    let path_end = text(label_end + 1)?;
    let temporary = stream.get(path_end + 5..path_end + 9)?;
    let temporary = u32::from_le_bytes([temporary[0], temporary[1], temporary[2], temporary[3]]) as usize;
    let at = (path_end + 9).checked_add(temporary)?;
    let length = stream.get(at..at.checked_add(4)?)?;
    let length = u32::from_le_bytes([length[0], length[1], length[2], length[3]]) as usize;
    let rest = &stream[at + 4..];
    Some((String::from_utf8_lossy(&stream[2..label_end]).into_owned(), &rest[..rest.len().min(length)]))
}
