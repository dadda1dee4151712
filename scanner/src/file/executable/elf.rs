//! ELF of 32 and 64 bits in both orders of bytes.

use super::held::{Held, place};
use super::read::Bytes;
use super::{Executable, SECTIONS_MAX, Section};

/// More program headers than this and ClamAV calls the file broken.
const SEGMENTS_MAX: u16 = 128;
/// The type of a core dump: what a process had in memory, and no program.
const CORE: u16 = 4;

pub(super) fn read(file: &[u8]) -> Option<Executable> {
    let wide = match file.get(4)? {
        1 => false,
        2 => true,
        _ => return None,
    };
    let bytes = Bytes { bytes: file, big_endian: *file.get(5)? == 2 };
    let at = |narrow: u64, broad: u64| if wide { broad } else { narrow };
    let entry = bytes.word(24, wide)?;
    let segments = bytes.word(at(28, 32), wide)?;
    let sections_at = bytes.word(at(32, 40), wide)?;
    let segment_bytes = u64::from(bytes.u16(at(42, 54))?);
    let segment_count = bytes.u16(at(44, 56))?;
    let section_bytes = u64::from(bytes.u16(at(46, 58))?);
    let section_count = bytes.u16(at(48, 60))?;
    if segment_count > SEGMENTS_MAX || usize::from(section_count) > SECTIONS_MAX {
        return None;
    }
    let mut offset = None;
    if segment_count > 0 && segment_bytes == at(32, 56) {
        for n in 0..u64::from(segment_count) {
            let header = segments.checked_add(n * segment_bytes).filter(|at| *at < bytes.len())?;
            let place = bytes.word(header + at(4, 8), wide)?;
            let address = bytes.word(header + at(8, 16), wide)?;
            let memory_bytes = bytes.word(header + at(20, 40), wide)?;
            if offset.is_none() && address <= entry && entry - address < memory_bytes {
                offset = place.checked_add(entry - address);
            }
        }
    }
    let mut sections = Vec::with_capacity(usize::from(section_count));
    if section_count > 0 && section_bytes == at(40, 64) {
        for n in 0..u64::from(section_count) {
            let Some(header) = sections_at.checked_add(n * section_bytes).filter(|at| *at < bytes.len()) else { break };
            let Some(no_bits) = bytes.u32(header + 4).map(|kind| kind == 8) else { break };
            let address = bytes.word(header + at(12, 16), wide)?;
            let place = bytes.word(header + at(16, 24), wide)?;
            let size = bytes.word(header + at(20, 32), wide)?;
            let held = if no_bits { 0 } else { size };
            sections.push(Section { offset: place, bytes: held, address, memory_bytes: size });
        }
    }
    Some(Executable { entry: offset, sections, ..Executable::default() })
}

/// Headers, both tables, and what segments and sections hold in the file. A core dump has nothing that is a program's.
pub(super) fn held(file: &[u8], executable: &Executable) -> Option<Held> {
    let wide = *file.get(4)? == 2;
    let bytes = Bytes { bytes: file, big_endian: *file.get(5)? == 2 };
    if bytes.u16(16)? == CORE {
        return None;
    }
    let at = |narrow: u64, broad: u64| if wide { broad } else { narrow };
    let segments = bytes.word(at(28, 32), wide)?;
    let segment_bytes = u64::from(bytes.u16(at(42, 54))?);
    let segment_count = u64::from(bytes.u16(at(44, 56))?);
    let sections_at = bytes.word(at(32, 40), wide)?;
    let section_bytes = u64::from(bytes.u16(at(46, 58))?);
    let section_count = u64::from(bytes.u16(at(48, 60))?);
    let mut held = Held { headers: vec![place(0, at(52, 64))], ..Held::default() };
    if segment_bytes == at(32, 56) {
        held.headers.push(place(segments, segment_count * segment_bytes));
        for n in 0..segment_count {
            let header = segments.checked_add(n * segment_bytes)?;
            let offset = bytes.word(header.checked_add(at(4, 8))?, wide)?;
            held.content.push(place(offset, bytes.word(header.checked_add(at(16, 32))?, wide)?));
        }
    }
    if section_bytes == at(40, 64) {
        held.headers.push(place(sections_at, section_count * section_bytes));
    }
    held.content.extend(executable.sections.iter().map(|section| place(section.offset, section.bytes)));
    Some(held)
}
