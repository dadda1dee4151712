//! TAR of all ages: 512-byte headers with octal numbers, GNU and pax long names.

use crate::file::Flow;
use crate::file::walk::Walk;

const BLOCK: usize = 512;

pub(super) fn unpack(bytes: &[u8], walk: &mut Walk<'_>) {
    let mut at = 0;
    let mut long_name = None;
    while let Some(header) = bytes.get(at..at + BLOCK) {
        at += BLOCK;
        if header.iter().all(|byte| *byte == 0) {
            continue;
        }
        let Some(size) = number(&header[124..136]) else { return walk.broken("a TAR header has no size") };
        if at == BLOCK && !checksum_holds(header) && !header[257..].starts_with(b"ustar") {
            return walk.broken("a TAR header's checksum does not hold");
        }
        let rest = &bytes[at..];
        let stored = usize::try_from(size).unwrap_or(usize::MAX);
        let content = &rest[..rest.len().min(stored)];
        match header[156] {
            b'L' | b'x' | b'g' => long_name = name_in(header[156], content).or(long_name),
            b'1'..=b'6' => long_name = None,
            _ => {
                let name = long_name.take().unwrap_or_else(|| text(&header[..100]));
                let kept = content.len().min(walk.room());
                if kept < content.len() {
                    walk.no_room();
                }
                if !content.is_empty() && walk.open(&name, &content[..kept]) == Flow::Stop {
                    return;
                }
            }
        }
        if content.len() < stored {
            return walk.broken("a TAR ends inside of a member");
        }
        at += stored.next_multiple_of(BLOCK);
    }
}

/// A long name: GNU's whole content, or the `path` of a pax record.
fn name_in(kind: u8, content: &[u8]) -> Option<String> {
    if kind == b'L' {
        return Some(text(content));
    }
    content.split(|byte| *byte == b'\n').find_map(|line| {
        let at = memchr::memmem::find(line, b" path=")?;
        Some(text(&line[at + 6..]))
    })
}

fn text(field: &[u8]) -> String {
    let end = memchr::memchr(0, field).unwrap_or(field.len());
    String::from_utf8_lossy(&field[..end]).into_owned()
}

/// An octal number, or one in base 256 with the high bit set.
fn number(field: &[u8]) -> Option<u64> {
    if field[0] & 0x80 != 0 {
        return field[4..].iter().try_fold(0u64, |sum, byte| sum.checked_mul(256)?.checked_add(u64::from(*byte)));
    }
    let mut digits = field.iter().skip_while(|byte| **byte == b' ').take_while(|byte| byte.is_ascii_digit()).peekable();
    digits.peek()?;
    digits
        .try_fold(0u64, |sum, byte| (*byte < b'8').then(|| sum.checked_mul(8)?.checked_add(u64::from(byte - b'0')))?)
}

/// Whether a header's checksum is the sum of its bytes, with the checksum's own place read as spaces.
pub(crate) fn checksum_holds(header: &[u8]) -> bool {
    let sum: u64 =
        header.iter().enumerate().map(|(n, byte)| if (148..156).contains(&n) { 32 } else { u64::from(*byte) }).sum();
    header.iter().any(|byte| *byte != 0) && number(&header[148..156]) == Some(sum)
}
