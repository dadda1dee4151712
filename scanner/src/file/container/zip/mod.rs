//! ZIP as a lenient reader takes it: the central directory where there is one, and the local headers that it hides.
//!
//! 1. A member is opened once, by the offset of its local header.
//! 2. Sizes of headers bound what is read, never what is reserved; output is bounded by the walk's room.
//! 3. A member locked with the field's password for samples is opened, any other is counted as locked.

mod implode;
mod lock;
mod member;

use std::collections::HashSet;

use crate::file::Flow;
use crate::file::walk::Walk;

const LOCAL: &[u8; 4] = b"PK\x03\x04";
const CENTRAL: &[u8; 4] = b"PK\x01\x02";
const END: &[u8; 4] = b"PK\x05\x06";
/// The end record and the longest comment behind it.
const END_BYTES_MAX: usize = 22 + 65_535;

/// The newest version of the format, times ten: what a member may say that it needs.
const VERSION_MAX: u16 = 63;

/// What a header says of a member.
struct Entry<'a> {
    name: &'a [u8],
    flags: u16,
    method: u16,
    check: u32,
    stored_bytes: u64,
    plain_bytes: u64,
    time: u16,
    extra: &'a [u8],
    /// Where its content begins.
    content: usize,
}

pub(super) fn unpack(bytes: &[u8], walk: &mut Walk<'_>) {
    let mut seen = HashSet::new();
    if let Some((directory, base)) = directory(bytes) {
        let mut at = directory;
        while let Some(central) = central(bytes, at, base) {
            at = central.next;
            let Some(local) = central.local.filter(|local| bytes.get(*local..*local + 4) == Some(LOCAL)) else {
                walk.broken("a ZIP directory points to no member");
                continue;
            };
            if seen.len() > walk.limits().files_max as usize || !seen.insert(local) {
                continue;
            }
            let Some(mut entry) = self::local(bytes, local) else {
                walk.broken("a ZIP member's header ends early");
                continue;
            };
            central.fill(&mut entry);
            if member::open(bytes, &entry, walk) == Flow::Stop {
                return;
            }
        }
    } else {
        walk.broken("a ZIP has no directory");
    }
    hidden(bytes, &mut seen, walk);
}

/// The names of the central directory; none where there is no directory.
pub(crate) fn names(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut next = directory(bytes);
    std::iter::from_fn(move || {
        let (at, base) = next?;
        let entry = central(bytes, at, base)?;
        next = Some((entry.next, base));
        Some(entry.name)
    })
}

/// Members that no directory names: local headers found by their magic number, outside of members' content.
fn hidden(bytes: &[u8], seen: &mut HashSet<usize>, walk: &mut Walk<'_>) {
    let mut at = 0;
    while let Some(found) = memchr::memmem::find(&bytes[at..], LOCAL).map(|found| at + found) {
        at = found + 4;
        let Some(mut entry) = local(bytes, found).filter(|entry| is_likely(bytes, found, entry)) else { continue };
        let streamed = entry.flags & 8 != 0 && entry.stored_bytes == 0;
        if streamed {
            // The size stands behind the content: the next header ends it.
            let rest = &bytes[entry.content..];
            let end =
                [&b"PK\x07\x08"[..], LOCAL, CENTRAL].iter().filter_map(|mark| memchr::memmem::find(rest, mark)).min();
            entry.stored_bytes = end.unwrap_or(rest.len()) as u64;
        }
        if !seen.contains(&found) {
            seen.insert(found);
            if member::open(bytes, &entry, walk) == Flow::Stop {
                return;
            }
        }
        let end = (entry.content as u64).saturating_add(entry.stored_bytes);
        if let Some(end) = usize::try_from(end).ok().filter(|end| *end <= bytes.len()) {
            at = end.max(at);
        }
        if seen.len() > walk.limits().files_max as usize || walk.go_on() == Flow::Stop {
            return;
        }
    }
}

/// Whether a header that no directory names can be one: four bytes that only look like its mark are in many programs, and
/// what "needs a password" or an unheard-of method there is noise.
fn is_likely(bytes: &[u8], at: usize, entry: &Entry<'_>) -> bool {
    let version = u16_at(bytes, at + 4).unwrap_or(u16::MAX) & 0xff;
    let is_method = matches!(entry.method, 0..=20 | 92..=99);
    is_method && (entry.flags & 1 == 0 || version <= VERSION_MAX)
}

/// Where the central directory begins, and what is to be added to offsets because something stands before the ZIP.
fn directory(bytes: &[u8]) -> Option<(usize, i64)> {
    let from = bytes.len().saturating_sub(END_BYTES_MAX);
    let end = from + memchr::memmem::rfind(&bytes[from..], END)?;
    let size = i64::from(u32_at(bytes, end + 12)?);
    let stated = i64::from(u32_at(bytes, end + 16)?);
    let by_size = usize::try_from(end as i64 - size).ok().filter(|at| bytes[*at..].starts_with(CENTRAL));
    if let Some(at) = by_size {
        return Some((at, at as i64 - stated));
    }
    let at = usize::try_from(stated).ok().filter(|at| bytes.get(*at..).is_some_and(|rest| rest.starts_with(CENTRAL)));
    at.map(|at| (at, 0))
}

struct Central<'a> {
    next: usize,
    local: Option<usize>,
    name: &'a [u8],
    method: u16,
    check: u32,
    stored_bytes: u64,
    plain_bytes: u64,
}

impl<'a> Central<'a> {
    /// The directory knows sizes that the local header of a streamed member lacks.
    fn fill(&self, entry: &mut Entry<'a>) {
        if entry.stored_bytes == 0 {
            entry.stored_bytes = self.stored_bytes;
        }
        if entry.plain_bytes == 0 {
            entry.plain_bytes = self.plain_bytes;
        }
        if entry.check == 0 {
            entry.check = self.check;
        }
        if !self.name.is_empty() {
            entry.name = self.name;
        }
        if entry.method != 99 && entry.flags & 1 == 0 {
            entry.method = self.method;
        }
    }
}

fn central(bytes: &[u8], at: usize, base: i64) -> Option<Central<'_>> {
    if bytes.get(at..at + 4)? != CENTRAL {
        return None;
    }
    let name_bytes = usize::from(u16_at(bytes, at + 28)?);
    let extra_bytes = usize::from(u16_at(bytes, at + 30)?);
    let comment_bytes = usize::from(u16_at(bytes, at + 32)?);
    let extra = bytes.get(at + 46 + name_bytes..at + 46 + name_bytes + extra_bytes).unwrap_or(&[]);
    let mut sizes =
        [u64::from(u32_at(bytes, at + 24)?), u64::from(u32_at(bytes, at + 20)?), u64::from(u32_at(bytes, at + 42)?)];
    widen(&mut sizes, extra);
    let local = i64::try_from(sizes[2]).ok().and_then(|local| usize::try_from(local.checked_add(base)?).ok());
    Some(Central {
        next: at + 46 + name_bytes + extra_bytes + comment_bytes,
        local: local.filter(|local| *local < bytes.len()),
        name: bytes.get(at + 46..at + 46 + name_bytes).unwrap_or(&[]),
        method: u16_at(bytes, at + 10)?,
        check: u32_at(bytes, at + 16)?,
        plain_bytes: sizes[0],
        stored_bytes: sizes[1],
    })
}

fn local(bytes: &[u8], at: usize) -> Option<Entry<'_>> {
    let name_bytes = usize::from(u16_at(bytes, at + 26)?);
    let extra_bytes = usize::from(u16_at(bytes, at + 28)?);
    let content = at + 30 + name_bytes + extra_bytes;
    let extra = bytes.get(at + 30 + name_bytes..content)?;
    let mut sizes = [u64::from(u32_at(bytes, at + 22)?), u64::from(u32_at(bytes, at + 18)?), 0];
    widen(&mut sizes, extra);
    Some(Entry {
        name: &bytes[at + 30..at + 30 + name_bytes],
        flags: u16_at(bytes, at + 6)?,
        method: u16_at(bytes, at + 8)?,
        time: u16_at(bytes, at + 10)?,
        check: u32_at(bytes, at + 14)?,
        stored_bytes: sizes[1],
        plain_bytes: sizes[0],
        extra,
        content,
    })
}

/// Sizes that do not fit 32 bits stand in the extra field 1: plain, stored, offset, those that are all ones.
fn widen(sizes: &mut [u64; 3], extra: &[u8]) {
    let Some(mut wide) = extra_field(extra, 1) else { return };
    for size in sizes.iter_mut().filter(|size| **size == 0xffff_ffff) {
        let Some((value, rest)) = wide.split_first_chunk() else { return };
        *size = u64::from_le_bytes(*value);
        wide = rest;
    }
}

fn extra_field(mut extra: &[u8], id: u16) -> Option<&[u8]> {
    while let (Some(found), Some(bytes)) = (u16_at(extra, 0), u16_at(extra, 2)) {
        let content = extra.get(4..4 + usize::from(bytes))?;
        if found == id {
            return Some(content);
        }
        extra = &extra[4 + content.len()..];
    }
    None
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at.checked_add(2)?).map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at.checked_add(4)?).map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]]))
}
