//! cpio: old binary in both orders of bytes, octal (`odc`) and hexadecimal (`newc`, `crc`).

use crate::file::Flow;
use crate::file::walk::Walk;

/// Members whose name is longer are taken for damage.
const NAME_BYTES_MAX: usize = 4096;

struct Header {
    bytes: usize,
    name_bytes: usize,
    content_bytes: usize,
    alignment: usize,
}

pub(super) fn unpack(bytes: &[u8], walk: &mut Walk<'_>) {
    let mut at = 0;
    while at < bytes.len() {
        let Some(header) = header(&bytes[at..]) else { return walk.broken("a cpio header is not one") };
        let name_at = at + header.bytes;
        let content_at = (name_at + header.name_bytes).next_multiple_of(header.alignment);
        let (Some(name), Some(rest)) = (bytes.get(name_at..name_at + header.name_bytes), bytes.get(content_at..))
        else {
            return walk.broken("a cpio ends inside of a name");
        };
        let name = String::from_utf8_lossy(name.strip_suffix(b"\0").unwrap_or(name)).into_owned();
        if name == "TRAILER!!!" {
            return;
        }
        let content = &rest[..rest.len().min(header.content_bytes)];
        let kept = content.len().min(walk.room());
        if kept < content.len() {
            walk.no_room();
        }
        if !content.is_empty() && walk.open(&name, &content[..kept]) == Flow::Stop {
            return;
        }
        if content.len() < header.content_bytes {
            return walk.broken("a cpio ends inside of a member");
        }
        at = (content_at + header.content_bytes).next_multiple_of(header.alignment);
    }
}

fn header(bytes: &[u8]) -> Option<Header> {
    let header = match bytes.get(..6)? {
        b"070701" | b"070702" => {
            let field = |n: usize| number(bytes.get(6 + n * 8..14 + n * 8)?, 16);
            Header { bytes: 110, content_bytes: field(6)?, name_bytes: field(11)?, alignment: 4 }
        }
        b"070707" => Header {
            bytes: 76,
            name_bytes: number(bytes.get(59..65)?, 8)?,
            content_bytes: number(bytes.get(65..76)?, 8)?,
            alignment: 1,
        },
        [0xc7, 0x71, ..] => binary(bytes, u16::from_le_bytes)?,
        [0x71, 0xc7, ..] => binary(bytes, u16::from_be_bytes)?,
        _ => return None,
    };
    (header.name_bytes <= NAME_BYTES_MAX).then_some(header)
}

/// The size is two words, the more significant first in either order of bytes.
fn binary(bytes: &[u8], read: fn([u8; 2]) -> u16) -> Option<Header> {
    let word = |at: usize| bytes.get(at..at + 2).map(|pair| usize::from(read([pair[0], pair[1]])));
    Some(Header { bytes: 26, name_bytes: word(20)?, content_bytes: word(22)? << 16 | word(24)?, alignment: 2 })
}

fn number(digits: &[u8], radix: u32) -> Option<usize> {
    usize::try_from(u64::from_str_radix(std::str::from_utf8(digits).ok()?, radix).ok()?).ok()
}
