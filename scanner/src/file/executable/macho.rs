//! Mach-O of one processor: sections of all segments, and the entry point where a load command names it.

use super::held::{Held, place};
use super::read::Bytes;
use super::{Executable, SECTIONS_MAX, Section};

/// Load commands read.
const COMMANDS_MAX: u32 = 1024;
/// The type of a core dump: what a process had in memory, and no program.
const CORE: u32 = 4;
const SEGMENT: u32 = 0x1;
const UNIX_THREAD: u32 = 0x5;
const SEGMENT_64: u32 = 0x19;
const MAIN: u32 = 0x8000_0028;

pub(super) fn read(file: &[u8]) -> Option<Executable> {
    let big_endian = file.starts_with(&[0xfe, 0xed, 0xfa]);
    let bytes = Bytes { bytes: file, big_endian };
    let wide = bytes.u32(0)? == 0xfeed_facf;
    let processor = bytes.u32(4)?;
    let commands = bytes.u32(16)?.min(COMMANDS_MAX);
    let mut at = if wide { 32 } else { 28 };
    let mut sections = Vec::new();
    let (mut entry, mut thread) = (None, None);
    for _ in 0..commands {
        let (Some(command), Some(command_bytes)) = (bytes.u32(at), bytes.u32(at + 4)) else { break };
        if command_bytes < 8 {
            break;
        }
        match command {
            SEGMENT => push_sections(bytes, at, false, &mut sections),
            SEGMENT_64 => push_sections(bytes, at, true, &mut sections),
            MAIN => entry = bytes.u64(at + 8),
            UNIX_THREAD => thread = program_counter(bytes, at, processor),
            _ => {}
        }
        at += u64::from(command_bytes);
    }
    let placed = thread.and_then(|address: u64| {
        let holds = |section: &&Section| section.address <= address && address - section.address < section.bytes;
        sections.iter().find(holds).map(|section: &Section| section.offset.saturating_add(address - section.address))
    });
    Some(Executable { entry: entry.or(placed), sections, ..Executable::default() })
}

/// Headers, load commands, and the segments' bytes: symbols and signatures lie in a segment of their own. A core dump has nothing
/// that is a program's.
pub(super) fn held(file: &[u8]) -> Option<Held> {
    let bytes = Bytes { bytes: file, big_endian: file.starts_with(&[0xfe, 0xed, 0xfa]) };
    if bytes.u32(12)? == CORE {
        return None;
    }
    let wide = bytes.u32(0)? == 0xfeed_facf;
    let first = if wide { 32 } else { 28 };
    let stated_end = first + u64::from(bytes.u32(20)?);
    let mut content = Vec::new();
    let mut at = first;
    for _ in 0..bytes.u32(16)?.min(COMMANDS_MAX) {
        let (Some(command), Some(command_bytes)) = (bytes.u32(at), bytes.u32(at + 4)) else { break };
        if command_bytes < 8 {
            break;
        }
        let segment = match command {
            SEGMENT => bytes.u32(at + 32).zip(bytes.u32(at + 36)).map(|(from, size)| (from.into(), size.into())),
            SEGMENT_64 => bytes.u64(at + 40).zip(bytes.u64(at + 48)),
            _ => None,
        };
        content.extend(segment.map(|(from, size)| place(from, size)));
        at += u64::from(command_bytes);
    }
    if content.is_empty() {
        return None;
    }
    Some(Held { headers: vec![place(0, at.min(stated_end).max(first))], content, resources: Vec::new() })
}

fn push_sections(bytes: Bytes<'_>, command: u64, wide: bool, sections: &mut Vec<Section>) {
    let (count_at, first, stride) = if wide { (64, 72, 80) } else { (48, 56, 68) };
    let count = bytes.u32(command + count_at).unwrap_or(0);
    for n in 0..u64::from(count) {
        let at = command + first + n * stride;
        let word_bytes = if wide { 8 } else { 4 };
        let read = || {
            let address = bytes.word(at + 32, wide)?;
            let size = bytes.word(at + 32 + word_bytes, wide)?;
            let offset = u64::from(bytes.u32(at + 32 + 2 * word_bytes)?);
            Some(Section { offset, bytes: size, address, memory_bytes: size })
        };
        match read() {
            Some(section) if sections.len() < SECTIONS_MAX => sections.push(section),
            _ => return,
        }
    }
}

/// The program counter in the registers of the first thread, for the processors of Apple's machines.
fn program_counter(bytes: Bytes<'_>, command: u64, processor: u32) -> Option<u64> {
    let registers = command + 16;
    match processor {
        7 => bytes.u32(registers + 40).map(u64::from),
        0x0100_0007 => bytes.u64(registers + 128),
        18 => bytes.u32(registers).map(u64::from),
        12 => bytes.u32(registers + 60).map(u64::from),
        _ => None,
    }
}
