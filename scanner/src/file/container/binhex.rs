//! BinHex 4.0: six bits a character, runs marked with 0x90, then a Macintosh file of two forks.

use crate::file::Flow;
use crate::file::walk::Walk;

const ALPHABET: &[u8; 64] = b"!\"#$%&'()*+,-012345689@ABCDEFGHIJKLMNPQRSTUVXYZ[`abcdefhijklmpqr";

pub(super) fn unpack(bytes: &[u8], walk: &mut Walk<'_>) {
    let Some(start) = memchr::memchr2(b'\n', b'\r', bytes) else { return walk.broken("a BinHex has no second line") };
    let Some(colon) = memchr::memchr(b':', &bytes[start..]) else { return walk.broken("a BinHex has no content") };
    let plain = decode(&bytes[start + colon + 1..], walk.room());
    let Some(name_bytes) = plain.first().map(|byte| usize::from(*byte)) else { return };
    // Name, a zero, type and creator, flags, then the sizes of both forks and a checksum.
    let sizes_at = 1 + name_bytes + 1 + 4 + 4 + 2;
    let size =
        |at: usize| plain.get(at..at + 4).map(|size| u32::from_be_bytes([size[0], size[1], size[2], size[3]]) as usize);
    let (Some(data), Some(resources)) = (size(sizes_at), size(sizes_at + 4)) else {
        return walk.broken("a BinHex header ends early");
    };
    let name = String::from_utf8_lossy(&plain[1..1 + name_bytes]).into_owned();
    let mut at = sizes_at + 10;
    for (fork, bytes) in [("data", data), ("resources", resources)] {
        let rest = plain.get(at..).unwrap_or(&[]);
        if rest.len() < bytes {
            walk.broken("a BinHex ends inside of a fork");
        }
        let content = &rest[..rest.len().min(bytes)];
        if !content.is_empty() && walk.open(&format!("{name}:{fork}"), content) == Flow::Stop {
            return;
        }
        at = at.saturating_add(bytes).saturating_add(2);
    }
}

fn decode(text: &[u8], room: usize) -> Vec<u8> {
    let mut out: Vec<u8> = Vec::new();
    let (mut bits, mut count) = (0u32, 0);
    let mut run = false;
    for byte in text {
        if *byte == b':' || out.len() >= room {
            break;
        }
        let Some(value) = ALPHABET.iter().position(|known| known == byte) else { continue };
        bits = bits << 6 | value as u32;
        count += 6;
        if count < 8 {
            continue;
        }
        count -= 8;
        let byte = (bits >> count) as u8;
        match (run, byte) {
            (false, 0x90) => run = true,
            (false, byte) => out.push(byte),
            (true, 0) => out.push(0x90),
            (true, times) => {
                let last = out.last().copied().unwrap_or(0);
                out.extend(std::iter::repeat_n(last, usize::from(times) - 1));
            }
        }
        run = !run && byte == 0x90;
    }
    out
}
