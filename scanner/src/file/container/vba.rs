//! Macro source of Office documents, [MS-OVBA]: modules hold compiled code, then the source, compressed.
//!
//! The `dir` stream says where in each module the source begins. Where it does not help, the beginning is found by
//! its form: a container's signature, and a first chunk that decompresses to `Attribut`.

use std::collections::HashMap;

use crate::file::Flow;
use crate::file::walk::Walk;

/// Modules kept of one project.
const MODULES_MAX: usize = 1000;
const OFFSET: u16 = 0x0031;
const STREAM_NAME: u16 = 0x001a;

/// The streams of a document that can hold macros.
#[derive(Default)]
pub(super) struct Project {
    offsets: HashMap<String, usize>,
    modules: Vec<(String, Vec<u8>)>,
}

impl Project {
    pub(super) fn take(&mut self, name: &str, content: &[u8]) {
        let Some((storage, own)) = name.rsplit_once('/') else { return };
        if !storage.rsplit('/').next().is_some_and(|last| last.eq_ignore_ascii_case("VBA")) {
            return;
        }
        if own.eq_ignore_ascii_case("dir") {
            self.offsets = offsets(&decompress(content, 4 << 20));
        } else if !own.starts_with("_") && !own.starts_with("__") && self.modules.len() < MODULES_MAX {
            self.modules.push((own.to_owned(), content.to_vec()));
        }
    }

    pub(super) fn show(&self, walk: &mut Walk<'_>) {
        for (name, content) in &self.modules {
            let start = self.offsets.get(name).copied().or_else(|| find(content));
            let Some(packed) = start.and_then(|start| content.get(start..)) else { continue };
            let source = decompress(packed, walk.room());
            if !source.is_empty() && walk.show_macro(name, &source) == Flow::Stop {
                return;
            }
        }
    }
}

/// The first place that decompresses to the first words of every module.
fn find(content: &[u8]) -> Option<usize> {
    memchr::memmem::find_iter(content, b"\0Attribut").find_map(|at| at.checked_sub(3))
}

/// Name of each module's stream to the offset of its source, from the records of a `dir` stream.
fn offsets(directory: &[u8]) -> HashMap<String, usize> {
    let mut found = HashMap::new();
    let mut name = None;
    let mut at = 0;
    while let Some(header) = directory.get(at..at + 6) {
        let id = u16::from_le_bytes([header[0], header[1]]);
        // The version record states four bytes less than it has.
        let stated = u32::from_le_bytes([header[2], header[3], header[4], header[5]]) as usize;
        let length = if id == 0x0009 { 6 } else { stated };
        let Some(content) = at.checked_add(6 + length).and_then(|end| directory.get(at + 6..end)) else { break };
        match id {
            STREAM_NAME => name = Some(String::from_utf8_lossy(content).into_owned()),
            OFFSET => {
                if let (Some(name), Some(offset)) = (name.take(), content.first_chunk()) {
                    found.insert(name, u32::from_le_bytes(*offset) as usize);
                }
            }
            _ => {}
        }
        at += 6 + length;
    }
    found
}

/// The container's chunks of up to 4096 bytes, as far as they are whole.
fn decompress(packed: &[u8], room: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let Some(mut rest) = packed.strip_prefix(&[1]) else { return out };
    while let Some((header, behind)) = rest.split_first_chunk::<2>() {
        let header = u16::from_le_bytes(*header);
        let bytes = usize::from(header & 0x0fff) + 1;
        let chunk = &behind[..behind.len().min(bytes)];
        if header >> 12 & 7 != 3 || out.len() + 4096 > room {
            break;
        }
        if header & 0x8000 == 0 {
            out.extend_from_slice(chunk);
        } else {
            decompress_chunk(chunk, &mut out);
        }
        rest = &behind[chunk.len()..];
    }
    out
}

fn decompress_chunk(chunk: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    let mut source = chunk.iter().copied();
    while let Some(flags) = source.next() {
        for bit in 0..8 {
            if out.len() - start >= 4096 {
                return;
            }
            let Some(first) = source.next() else { return };
            if flags >> bit & 1 == 0 {
                out.push(first);
                continue;
            }
            let Some(second) = source.next() else { return };
            let token = usize::from(u16::from_le_bytes([first, second]));
            // The border between offset and length moves with the place in the chunk.
            let written = out.len() - start;
            let offset_bits = (usize::BITS - written.saturating_sub(1).leading_zeros()).max(4);
            let length_mask = 0xffff >> offset_bits;
            let offset = (token >> (16 - offset_bits)) + 1;
            for _ in 0..(token & length_mask) + 3 {
                let Some(from) = out.len().checked_sub(offset).filter(|from| *from >= start) else { return };
                out.push(out[from]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::decompress;

    #[test]
    fn the_document_s_own_example_decompresses() {
        // [MS-OVBA] 3.2.2, normal compression.
        let packed = [
            0x01, 0x2f, 0xb0, 0x00, 0x23, 0x61, 0x61, 0x61, 0x62, 0x63, 0x64, 0x65, 0x82, 0x66, 0x00, 0x70, 0x61, 0x67,
            0x68, 0x69, 0x6a, 0x01, 0x38, 0x08, 0x61, 0x6b, 0x6c, 0x00, 0x30, 0x6d, 0x6e, 0x6f, 0x70, 0x06, 0x71, 0x02,
            0x70, 0x04, 0x10, 0x72, 0x73, 0x74, 0x75, 0x76, 0x10, 0x77, 0x78, 0x79, 0x7a, 0x00, 0x3c,
        ];
        assert_eq!(decompress(&packed, 1 << 20), b"#aaabcdefaaaaghijaaaaaklaaamnopqaaaaaaaaaaaarstuvwxyzaaa");
    }
}
