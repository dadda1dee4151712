//! ARJ: headers behind a mark, members stored or in the code of LHA with a window of 26 KiB.

use crate::file::Flow;
use crate::file::walk::Walk;

struct Header<'a> {
    method: u8,
    flags: u8,
    kind: u8,
    stored_bytes: usize,
    plain_bytes: usize,
    name: &'a [u8],
    /// Where the content begins.
    end: usize,
}

pub(super) fn unpack(bytes: &[u8], walk: &mut Walk<'_>) {
    // The first header is the archive's own.
    let Some(mut at) = header(bytes, 0).map(|header| header.end) else {
        return walk.broken("an ARJ header ends early");
    };
    while let Some(header) = header(bytes, at) {
        let stored = bytes.get(header.end..).unwrap_or(&[]);
        if stored.len() < header.stored_bytes {
            walk.broken("an ARJ ends inside of a member");
        }
        let stored = &stored[..stored.len().min(header.stored_bytes)];
        let name = String::from_utf8_lossy(header.name).into_owned();
        let content = match header.method {
            _ if header.flags & 1 != 0 => {
                walk.encrypted();
                None
            }
            _ if header.kind > 1 => None,
            0 => Some(walk.drain(stored)),
            1..=3 => {
                let wanted = header.plain_bytes.min(walk.room());
                if wanted < header.plain_bytes {
                    walk.no_room();
                }
                Some(lzh(stored, wanted, walk))
            }
            method => {
                walk.unsupported(&format!("ARJ method {method}"));
                None
            }
        };
        if let Some(content) = content
            && walk.open(&name, &content) == Flow::Stop
        {
            return;
        }
        at = header.end.saturating_add(header.stored_bytes);
    }
}

/// The decoder reports neither its end nor damage as an error of its own size: chunks keep it bounded.
fn lzh(stored: &[u8], wanted: usize, walk: &mut Walk<'_>) -> Vec<u8> {
    use delharc::decode::{Decoder, Lh7Decoder};
    const CHUNK: usize = 64 << 10;
    let mut decoder = Lh7Decoder::new(stored);
    let mut out = Vec::new();
    while out.len() < wanted && walk.go_on() == Flow::On {
        let from = out.len();
        out.resize(from + CHUNK.min(wanted - from), 0);
        if decoder.fill_buffer(&mut out[from..]).is_err() {
            walk.broken("an ARJ member's code is damaged");
            break;
        }
    }
    out
}

/// Mark, length, then fixed fields, name and comment, a checksum, and extended headers that are passed over.
fn header(bytes: &[u8], at: usize) -> Option<Header<'_>> {
    let rest = bytes.get(at..)?.strip_prefix(&[0x60, 0xea])?;
    let length = usize::from(u16::from_le_bytes([*rest.first()?, *rest.get(1)?]));
    let basic = rest.get(2..2 + length)?;
    if length < 30 {
        return None;
    }
    let word = |at: usize| u32::from_le_bytes([basic[at], basic[at + 1], basic[at + 2], basic[at + 3]]) as usize;
    let name = basic.get(usize::from(basic[0])..)?;
    let name = &name[..memchr::memchr(0, name).unwrap_or(name.len())];
    let mut end = at + 4 + length + 4;
    loop {
        let extended = usize::from(u16::from_le_bytes([*bytes.get(end)?, *bytes.get(end + 1)?]));
        end += 2;
        if extended == 0 {
            break;
        }
        end += extended + 4;
    }
    Some(Header {
        method: basic[5],
        flags: basic[4],
        kind: basic[6],
        stored_bytes: word(12),
        plain_bytes: word(16),
        name,
        end,
    })
}
