//! One member of a ZIP: unlocked, decompressed, handed out.

use std::io::{Cursor, Read};

use super::{Entry, implode, lock};
use crate::file::walk::Walk;
use crate::file::{Flow, Limit};

pub(super) fn open(bytes: &[u8], entry: &Entry<'_>, walk: &mut Walk<'_>) -> Flow {
    let name = String::from_utf8_lossy(entry.name).into_owned();
    if name.ends_with('/') && entry.stored_bytes == 0 {
        return Flow::On;
    }
    let rest = bytes.get(entry.content..).unwrap_or(&[]);
    let stored = &rest[..rest.len().min(usize::try_from(entry.stored_bytes).unwrap_or(usize::MAX))];
    if (stored.len() as u64) < entry.stored_bytes {
        walk.broken("a ZIP ends inside of a member");
    }
    let content = if entry.flags & 1 == 0 {
        decompress(entry.method, stored, entry, walk)
    } else {
        match lock::open(entry, stored) {
            Some((method, plain)) => decompress(method, &plain, entry, walk),
            None => {
                walk.encrypted();
                return Flow::On;
            }
        }
    };
    match content {
        Some(content) => walk.open(&name, &content),
        None => Flow::On,
    }
}

fn decompress(method: u16, stored: &[u8], entry: &Entry<'_>, walk: &mut Walk<'_>) -> Option<Vec<u8>> {
    Some(match method {
        0 => walk.drain(stored),
        6 => implode::explode(stored, entry.flags, entry.plain_bytes, walk),
        8 => walk.drain(flate2::bufread::DeflateDecoder::new(stored)),
        9 => walk.drain(deflate64::Deflate64Decoder::new(stored)),
        12 => walk.drain(bzip2::bufread::BzDecoder::new(stored)),
        14 => lzma(stored, entry, walk)?,
        95 => {
            let limit_kib = u32::try_from(walk.limits().window_bytes_max >> 10).unwrap_or(u32::MAX);
            walk.drain(lzma_rust2::XzReader::new_mem_limit(Cursor::new(stored), true, limit_kib))
        }
        other => {
            walk.unsupported(&format!("ZIP method {other}"));
            return None;
        }
    })
}

/// Method 14: version, length of the properties, properties, then a bare LZMA stream.
fn lzma(stored: &[u8], entry: &Entry<'_>, walk: &mut Walk<'_>) -> Option<Vec<u8>> {
    let Some((head, packed)) = stored.split_first_chunk::<9>() else {
        walk.broken("an LZMA member ends in its header");
        return None;
    };
    let window = u32::from_le_bytes([head[5], head[6], head[7], head[8]]);
    if u64::from(window) > walk.limits().window_bytes_max {
        walk.limit(Limit::Window);
        return None;
    }
    // Bit 1 of the flags: the stream has an end mark, its size is not needed.
    let plain_bytes = if entry.flags & 2 != 0 { u64::MAX } else { entry.plain_bytes };
    match lzma_rust2::LzmaReader::new_with_props(Cursor::new(packed), plain_bytes, head[4], window, None) {
        Ok(reader) => Some(walk.drain(reader.take(u64::MAX))),
        Err(cause) => {
            walk.broken(&cause.to_string());
            None
        }
    }
}
