//! Windows executables: the headers as the PE format lays them out, rounded as ClamAV rounds them.

use super::held::{Held, Place, place};
use super::read::Bytes;
use super::{Executable, Section, version};

/// More sections than this and ClamAV calls the file broken.
const PE_SECTIONS_MAX: u16 = 96;
/// A value with the sign bit set is broken.
const SIGN: u32 = 1 << 31;

pub(super) fn read(file: &[u8]) -> Option<Executable> {
    let bytes = Bytes::little(file);
    let pe = u64::from(bytes.u32(0x3c)?);
    if pe == 0 || bytes.u32(pe)? != u32::from_le_bytes(*b"PE\0\0") {
        return None;
    }
    let count = bytes.u16(pe + 6)?;
    let optional_bytes = u64::from(bytes.u16(pe + 20)?);
    if count == 0 || count > PE_SECTIONS_MAX {
        return None;
    }
    let optional = pe + 24;
    let wide = bytes.u16(optional)? == 0x20b;
    let header = Header {
        entry: bytes.u32(optional + 16)?,
        memory_alignment: bytes.u32(optional + 32)?,
        file_alignment: bytes.u32(optional + 36)?,
        headers_bytes: bytes.u32(optional + 60)?,
        resources: bytes.u32(optional + if wide { 128 } else { 112 }).unwrap_or(0),
    };
    let table = optional + optional_bytes;
    let raw: Vec<RawSection> =
        (0..u64::from(count)).map(|n| RawSection::read(bytes, table + n * 40)).collect::<Option<_>>()?;
    if raw.iter().any(RawSection::has_sign) {
        return None;
    }
    let file_alignment = header.alignment_of(&raw);
    let sections: Vec<Section> =
        raw.iter().map(|section| section.rounded(&header, file_alignment, bytes.len())).collect();
    let headers_bytes = up(header.headers_bytes, header.memory_alignment);
    let place = |address: u32| file_offset(address, &sections, headers_bytes, bytes.len());
    let entry = place(header.entry)?;
    let version_keys = if header.resources == 0 { Vec::new() } else { version::keys(bytes, header.resources, &place) };
    Some(Executable { entry: Some(entry), sections, version_keys, overlay: None })
}

/// Bytes in front of the first section that are headers where no section begins earlier: one page.
const HEADERS_BYTES_MAX: u64 = 4096;
/// The headers end behind the last field that [`read`] asks for, even if the section table lies before it.
const OPTIONAL_BYTES_READ: u64 = 136;

/// Headers, sections, and where resources are: the section that the directory names, and each that is named `.rsrc`. The
/// certificate table lies behind the sections, and no section holds it.
pub(super) fn held(bytes: Bytes<'_>, executable: &Executable) -> Option<Held> {
    let pe = u64::from(bytes.u32(0x3c)?);
    let optional = pe + 24;
    let table = optional + u64::from(bytes.u16(pe + 20)?);
    let count = executable.sections.len() as u64;
    let raw: Vec<RawSection> = (0..count).map(|n| RawSection::read(bytes, table + n * 40)).collect::<Option<_>>()?;
    let first = raw.iter().filter(|section| section.file_bytes > 0).map(|section| u64::from(section.offset)).min();
    let headers_bytes = u64::from(bytes.u32(optional + 60)?).min(first.unwrap_or(HEADERS_BYTES_MAX));
    let table_end = (table + count * 40).max(optional + OPTIONAL_BYTES_READ);
    let content = raw.iter().map(RawSection::place).collect();
    let headers = vec![0..headers_bytes.max(64), pe..table_end];
    Some(Held { headers, content, resources: resources(bytes, optional, table, &raw, executable)? })
}

fn resources(
    bytes: Bytes<'_>,
    optional: u64,
    table: u64,
    raw: &[RawSection],
    executable: &Executable,
) -> Option<Vec<Place>> {
    let wide = bytes.u16(optional)? == 0x20b;
    let directory = optional + if wide { 128 } else { 112 };
    let address = u64::from(bytes.u32(directory).unwrap_or(0));
    let size = u64::from(bytes.u32(directory + 4).unwrap_or(0));
    let holds = |section: &Section| {
        let memory_bytes = section.memory_bytes.max(section.bytes);
        section.address <= address && address - section.address < memory_bytes
    };
    let named = executable.sections.iter().rposition(|section| address != 0 && holds(section));
    let mut found = Vec::new();
    for (n, section) in raw.iter().enumerate() {
        let name_at = table + n as u64 * 40;
        let is_resources = bytes.u64(name_at) == Some(u64::from_le_bytes(*b".rsrc\0\0\0"));
        if named != Some(n) && !is_resources {
            continue;
        }
        let whole = section.place();
        let holds_entry = |place: &Place| executable.entry.is_some_and(|entry| place.contains(&entry));
        if !holds_entry(&whole) {
            found.push(whole);
        } else if named == Some(n) {
            // Packers put code and resources into one section: then the directory says how much is resources.
            let from = whole.start + (address - executable.sections[n].address);
            let part = place(from, size);
            if size == 0 || holds_entry(&part) {
                return None;
            }
            found.push(part);
        }
    }
    Some(found)
}

struct Header {
    entry: u32,
    memory_alignment: u32,
    file_alignment: u32,
    headers_bytes: u32,
    resources: u32,
}

impl Header {
    /// The alignment that holds in the file: sections that break the stated one but keep to sectors of 512 show
    /// that 512 is meant.
    fn alignment_of(&self, sections: &[RawSection]) -> u32 {
        let stated = self.file_alignment;
        let broken = |section: &RawSection| {
            stated != 0
                && section.file_bytes != 0
                && !section.offset.is_multiple_of(stated)
                && section.offset.is_multiple_of(0x200)
        };
        if stated != 0x200 && sections.iter().any(broken) { 0x200 } else { stated }
    }
}

struct RawSection {
    memory_bytes: u32,
    address: u32,
    file_bytes: u32,
    offset: u32,
}

impl RawSection {
    fn read(bytes: Bytes<'_>, at: u64) -> Option<Self> {
        Some(Self {
            memory_bytes: bytes.u32(at + 8)?,
            address: bytes.u32(at + 12)?,
            file_bytes: bytes.u32(at + 16)?,
            offset: bytes.u32(at + 20)?,
        })
    }

    /// Its bytes in the file, as stated.
    fn place(&self) -> Place {
        place(u64::from(self.offset), u64::from(self.file_bytes))
    }

    fn has_sign(&self) -> bool {
        (self.address | self.memory_bytes | self.file_bytes) & SIGN != 0
            || (self.file_bytes != 0 && self.offset & SIGN != 0)
    }

    fn rounded(&self, header: &Header, file_alignment: u32, file_bytes: u64) -> Section {
        let offset = down(self.offset, file_alignment);
        let mut bytes = up(self.file_bytes, file_alignment);
        let mut memory_bytes = up(self.memory_bytes, header.memory_alignment);
        if memory_bytes == 0 && bytes != 0 {
            memory_bytes = up(self.file_bytes, header.memory_alignment);
        }
        if file_bytes > offset && offset + bytes > file_bytes {
            bytes = file_bytes - offset;
        }
        Section { offset, bytes, address: down(self.address, header.memory_alignment), memory_bytes }
    }
}

fn down(value: u32, alignment: u32) -> u64 {
    u64::from(value.checked_div(alignment).map_or(value, |times| times * alignment))
}

fn up(value: u32, alignment: u32) -> u64 {
    if alignment == 0 { u64::from(value) } else { u64::from(value).next_multiple_of(u64::from(alignment)) }
}

/// Where an address lies in the file. The last section that holds it wins, as in ClamAV.
fn file_offset(address: u32, sections: &[Section], headers_bytes: u64, file_bytes: u64) -> Option<u64> {
    let address = u64::from(address);
    if address < headers_bytes {
        return (address < file_bytes).then_some(address);
    }
    let holds = |section: &&Section| {
        section.bytes > 0 && section.address <= address && address - section.address < section.bytes
    };
    sections.iter().rev().find(holds).map(|section| section.offset + (address - section.address))
}
