//! Compound documents (OLE2): a file system of sectors in a file, [MS-CFB].
//!
//! A reader of our own because malformed ones are the rule in malware: chains are followed as far as they go, and
//! a loop ends at the number of sectors that the file has room for. Handed out are all streams, packaged files,
//! the compressed storages of PowerPoint, and macro source.

use std::collections::HashMap;

use super::{rtf, vba};
use crate::file::Flow;
use crate::file::walk::Walk;

const END_OF_CHAIN: u32 = 0xffff_fffa;
const NONE: u32 = 0xffff_ffff;
const ENTRY_BYTES: usize = 128;
/// Directory entries read.
const ENTRIES_MAX: usize = 20_000;
/// Streams smaller than this lie in the small sectors of 64 bytes.
const SMALL_STREAM_BYTES: u64 = 4096;
/// A record of PowerPoint that holds an embedded storage.
const POWERPOINT_STORAGE: u16 = 0x1011;

pub(super) fn unpack(bytes: &[u8], walk: &mut Walk<'_>) {
    let Some(file) = Compound::read(bytes, walk) else { return walk.broken("a compound document's header is not one") };
    let entries = file.entries();
    let small = entries.first().map(|root| file.chain(root.start, root.size, &file.table, bytes)).unwrap_or_default();
    let parents = parents(&entries);
    let mut macros = vba::Project::default();
    for (n, entry) in entries.iter().enumerate().filter(|(_, entry)| entry.kind == 2) {
        let size = entry.size.min(walk.room() as u64);
        let content = if entry.size < SMALL_STREAM_BYTES {
            file.small_chain(entry.start, size, &small)
        } else {
            file.chain(entry.start, size, &file.table, bytes)
        };
        if content.len() < size as usize {
            walk.broken("a stream of a compound document ends early");
        } else if size < entry.size {
            walk.no_room();
        }
        let name = path(&entries, &parents, n);
        if stream(&name, &content, walk) == Flow::Stop {
            return;
        }
        macros.take(&name, &content);
    }
    macros.show(walk);
}

fn stream(name: &str, content: &[u8], walk: &mut Walk<'_>) -> Flow {
    if content.is_empty() {
        return Flow::On;
    }
    if walk.open(name, content) == Flow::Stop {
        return Flow::Stop;
    }
    if name.ends_with("\u{1}Ole10Native")
        && let Some((label, packaged)) = content.get(4..).and_then(rtf::packaged)
        && walk.open(&label, packaged) == Flow::Stop
    {
        return Flow::Stop;
    }
    if name.ends_with("PowerPoint Document") { powerpoint(content, walk) } else { Flow::On }
}

/// Records with an eight-byte header; storages may be compressed with zlib behind their size.
fn powerpoint(content: &[u8], walk: &mut Walk<'_>) -> Flow {
    let mut at = 0;
    while let Some(header) = content.get(at..at + 8) {
        let instance = u16::from_le_bytes([header[0], header[1]]) >> 4;
        let kind = u16::from_le_bytes([header[2], header[3]]);
        let length = u32::from_le_bytes([header[4], header[5], header[6], header[7]]) as usize;
        let rest = &content[at + 8..];
        let record = &rest[..rest.len().min(length)];
        if kind == POWERPOINT_STORAGE {
            let storage = match record.get(4..) {
                Some(packed) if instance == 1 => walk.drain(flate2::bufread::ZlibDecoder::new(packed)),
                _ => record[..record.len().min(walk.room())].to_vec(),
            };
            if walk.open("embedded object", &storage) == Flow::Stop {
                return Flow::Stop;
            }
        }
        at += 8 + record.len();
    }
    walk.go_on()
}

struct Entry {
    name: String,
    kind: u8,
    left: u32,
    right: u32,
    child: u32,
    start: u32,
    size: u64,
}

struct Compound<'a> {
    bytes: &'a [u8],
    sector_bytes: usize,
    directory: u32,
    /// Sector to the next of its chain.
    table: Vec<u32>,
    small_table: Vec<u32>,
}

impl<'a> Compound<'a> {
    fn read(bytes: &'a [u8], walk: &mut Walk<'_>) -> Option<Self> {
        let shift = u32::from(u16::from_le_bytes([*bytes.get(30)?, *bytes.get(31)?]));
        if !(7..=16).contains(&shift) || bytes.len() < 512 {
            return None;
        }
        let sector_bytes = 1 << shift;
        let word =
            |at: usize| bytes.get(at..at + 4).map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]]));
        let mut file = Self { bytes, sector_bytes, directory: word(48)?, table: Vec::new(), small_table: Vec::new() };
        let sectors_max = bytes.len() / sector_bytes + 1;
        let mut tables: Vec<u32> =
            (0..109).filter_map(|n| word(76 + n * 4)).filter(|sector| *sector < END_OF_CHAIN).collect();
        let mut more = word(68)?;
        let mut hops = 0;
        while more < END_OF_CHAIN && hops <= sectors_max && tables.len() <= sectors_max {
            let Some(sector) = file.sector(more) else { break };
            let numbers: Vec<u32> = words(sector).collect();
            let (last, numbers) = numbers.split_last()?;
            tables.extend(numbers.iter().filter(|sector| **sector < END_OF_CHAIN));
            more = *last;
            hops += 1;
        }
        tables.truncate(sectors_max);
        for sector in tables {
            match file.sector(sector) {
                Some(sector) => file.table.extend(words(sector)),
                None => walk.broken("a compound document's table lies outside of the file"),
            }
        }
        file.table.truncate(sectors_max);
        let small = file.chain(word(60)?, u64::MAX, &file.table, bytes);
        file.small_table = words(&small).collect();
        Some(file)
    }

    fn sector(&self, number: u32) -> Option<&'a [u8]> {
        let at = (number as usize).checked_add(1)?.checked_mul(self.sector_bytes)?;
        let rest = self.bytes.get(at..).filter(|rest| !rest.is_empty())?;
        Some(&rest[..rest.len().min(self.sector_bytes)])
    }

    /// At most `size` bytes of a chain; never more than the file has.
    fn chain(&self, start: u32, size: u64, table: &[u32], file: &[u8]) -> Vec<u8> {
        let wanted = usize::try_from(size).unwrap_or(usize::MAX).min(file.len());
        let mut out = Vec::new();
        let mut sector = start;
        while out.len() < wanted {
            let Some(content) = self.sector(sector) else { break };
            out.extend_from_slice(&content[..content.len().min(wanted - out.len())]);
            sector = table.get(sector as usize).copied().unwrap_or(NONE);
        }
        out
    }

    fn small_chain(&self, start: u32, size: u64, small: &[u8]) -> Vec<u8> {
        let wanted = usize::try_from(size).unwrap_or(usize::MAX).min(small.len());
        let mut out = Vec::new();
        let mut sector = start;
        while out.len() < wanted {
            let Some(content) = small.get((sector as usize).saturating_mul(64)..).filter(|rest| !rest.is_empty())
            else {
                break;
            };
            out.extend_from_slice(&content[..content.len().min(64).min(wanted - out.len())]);
            sector = self.small_table.get(sector as usize).copied().unwrap_or(NONE);
        }
        out
    }

    fn entries(&self) -> Vec<Entry> {
        let directory = self.chain(self.directory, u64::MAX, &self.table, self.bytes);
        directory.chunks_exact(ENTRY_BYTES).take(ENTRIES_MAX).map(entry).collect()
    }
}

fn words(bytes: &[u8]) -> impl Iterator<Item = u32> {
    bytes.chunks_exact(4).map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]]))
}

fn entry(bytes: &[u8]) -> Entry {
    let word = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
    let name_bytes = usize::from(u16::from_le_bytes([bytes[64], bytes[65]])).saturating_sub(2).min(62);
    let units: Vec<u16> =
        bytes[..name_bytes].chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    Entry {
        name: String::from_utf16_lossy(&units),
        kind: bytes[66],
        left: word(68),
        right: word(72),
        child: word(76),
        start: word(116),
        // Sizes above 2 GiB are damage: the upper half holds rubbish in files of version 3.
        size: u64::from(word(120)),
    }
}

/// An entry's name with those of the storages around it.
fn path(entries: &[Entry], parents: &HashMap<usize, usize>, wanted: usize) -> String {
    let mut names = vec![entries[wanted].name.as_str()];
    let mut at = wanted;
    while let Some(&parent) = parents.get(&at).filter(|parent| **parent != 0 && names.len() < 16) {
        names.push(&entries[parent].name);
        at = parent;
    }
    names.reverse();
    names.join("/")
}

/// Each entry's storage: siblings form a tree below the storage's child.
fn parents(entries: &[Entry]) -> HashMap<usize, usize> {
    let mut parents = HashMap::new();
    let mut open: Vec<(usize, usize)> = entries
        .iter()
        .enumerate()
        .filter(|(_, entry)| entry.kind != 2 && entry.kind != 0)
        .map(|(n, entry)| (n, entry.child as usize))
        .collect();
    while let Some((parent, at)) = open.pop() {
        let Some(entry) = entries.get(at) else { continue };
        if at != parent && parents.insert(at, parent).is_none() {
            open.push((parent, entry.left as usize));
            open.push((parent, entry.right as usize));
        }
    }
    parents
}
