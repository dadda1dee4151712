//! Several parts as one file: a ZIP whose members are stored.
//!
//! Members are `part-1`, `part-2`, ... in the order of the walk: names in a sample are user data too. Times are zero, so
//! that the same parts are the same bytes. Nothing is compressed: the centre's tools should find what was sent, and the
//! wire compresses by itself. Layout: APPNOTE.TXT 6.3.10, sections 4.3.7, 4.3.12 and 4.3.16.

use super::Part;

/// The first version of the format.
const VERSION: u16 = 10;
/// 1 January 1980, the first day there is.
const DATE: u16 = 0x21;

/// The parts as a ZIP. There are at most `PARTS_MAX` of them, of at most `PARTS_BYTES_MAX` bytes together.
pub(super) fn zip(parts: &[Part]) -> Vec<u8> {
    let mut out = Vec::with_capacity(parts.iter().map(|part| part.bytes.len() + 128).sum());
    let mut directory = Vec::new();
    for (n, part) in parts.iter().enumerate() {
        let name = format!("part-{}", n + 1);
        let described = description(&name, &part.bytes);
        directory.extend_from_slice(b"PK\x01\x02");
        directory.extend_from_slice(&VERSION.to_le_bytes());
        directory.extend_from_slice(&described);
        // Comment, disk, attributes within and outside.
        directory.extend_from_slice(&[0; 10]);
        directory.extend_from_slice(&(out.len() as u32).to_le_bytes());
        directory.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b"PK\x03\x04");
        out.extend_from_slice(&described);
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(&part.bytes);
    }
    let directory_at = out.len() as u32;
    out.extend_from_slice(&directory);
    out.extend_from_slice(b"PK\x05\x06\0\0\0\0");
    out.extend_from_slice(&(parts.len() as u16).to_le_bytes());
    out.extend_from_slice(&(parts.len() as u16).to_le_bytes());
    out.extend_from_slice(&(directory.len() as u32).to_le_bytes());
    out.extend_from_slice(&directory_at.to_le_bytes());
    out.extend_from_slice(&[0; 2]);
    out
}

/// What both headers of a member say: from the version that is needed to the length of the extra field.
fn description(name: &str, bytes: &[u8]) -> Vec<u8> {
    let mut check = flate2::Crc::new();
    check.update(bytes);
    let mut described = Vec::with_capacity(26);
    // Flags and method are zero: stored.
    for word in [VERSION, 0, 0, 0, DATE] {
        described.extend_from_slice(&word.to_le_bytes());
    }
    for word in [check.sum(), bytes.len() as u32, bytes.len() as u32] {
        described.extend_from_slice(&word.to_le_bytes());
    }
    described.extend_from_slice(&(name.len() as u16).to_le_bytes());
    described.extend_from_slice(&[0; 2]);
    described
}
