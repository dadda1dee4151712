//! Programs: what their headers account for, and nothing else.
//!
//! Everything is copied into zeroes at its old place, so offsets, sections and the entry point stay what they were. What
//! is not copied is what no header names (overlays, certificates, gaps between sections) and the resources of Windows
//! programs: icons and dialogues, and where installers and droppers carry files along.

use crate::file::{Executable, Held, Kind, Place};

/// Bytes of a DOS program's header.
const DOS_HEADER_BYTES: usize = 28;

/// A program without resources and overlay; `None` where its layout cannot be read, or would not be the same afterwards.
pub(super) fn strip(kind: Kind, bytes: &[u8], executable: Option<&Executable>) -> Option<Vec<u8>> {
    match (kind, executable) {
        // The loader refuses a class with anything behind its end: all of it is program.
        (Kind::JavaClass, _) => Some(bytes.to_vec()),
        (Kind::Pe, None) => dos_image(bytes).map(<[u8]>::to_vec),
        (_, Some(executable)) => laid_out(kind, bytes, executable),
        (_, None) => None,
    }
}

fn laid_out(kind: Kind, bytes: &[u8], executable: &Executable) -> Option<Vec<u8>> {
    let held = Held::read(kind, bytes, executable)?;
    let all = held.headers.iter().chain(&held.content).chain(&held.resources);
    let end = all.filter_map(|place| cut(place, bytes.len())).map(|range| range.end).max()?;
    let mut out = vec![0; end];
    for range in held.content.iter().filter_map(|place| cut(place, end)) {
        out[range.clone()].copy_from_slice(&bytes[range]);
    }
    for range in held.resources.iter().filter_map(|place| cut(place, end)) {
        out[range].fill(0);
    }
    // Last, because a header that lies in resources is still needed to find anything.
    for range in held.headers.iter().filter_map(|place| cut(place, end)) {
        out[range.clone()].copy_from_slice(&bytes[range]);
    }
    let enters = |entry: u64| held.headers.iter().chain(&held.content).any(|place| place.contains(&entry));
    let again = Executable::read(kind, &out)?;
    (again.entry == executable.entry && executable.entry.is_none_or(enters)).then_some(out)
}

/// What of a place lies in so many bytes.
fn cut(place: &Place, bytes: usize) -> Option<std::ops::Range<usize>> {
    let end = usize::try_from(place.end).unwrap_or(usize::MAX).min(bytes);
    let start = usize::try_from(place.start).ok()?;
    (start < end).then_some(start..end)
}

/// The image of a program for DOS, by the pages that its header states. A letter that begins with `MZ` is none: its next
/// two bytes would be a last page of more than 512 bytes.
fn dos_image(bytes: &[u8]) -> Option<&[u8]> {
    let word = |at: usize| bytes.get(at..at + 2).map(|word| usize::from(u16::from_le_bytes([word[0], word[1]])));
    let (last_bytes, pages, header_paragraphs) = (word(2)?, word(4)?, word(8)?);
    if is_newer(bytes) || last_bytes >= 512 {
        return None;
    }
    let end = if last_bytes == 0 { pages * 512 } else { pages.checked_sub(1)? * 512 + last_bytes };
    let begins = (DOS_HEADER_BYTES..=end).contains(&(header_paragraphs * 16));
    bytes.get(..end).filter(|_| begins)
}

/// Whether the DOS header stands before one of Windows or OS/2. Those with a layout that is read never come here.
fn is_newer(bytes: &[u8]) -> bool {
    let at = bytes.get(0x3c..0x40).map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]]));
    let Some(header) = at.and_then(|at| bytes.get(at as usize..)) else { return false };
    [&b"PE\0\0"[..], b"NE", b"LE", b"LX"].iter().any(|mark| header.starts_with(mark))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dos(pages: u16, last_bytes: u16, file_bytes: usize) -> Vec<u8> {
        let mut file = vec![0xcc; file_bytes];
        file[..2].copy_from_slice(b"MZ");
        file[2..4].copy_from_slice(&last_bytes.to_le_bytes());
        file[4..6].copy_from_slice(&pages.to_le_bytes());
        file[8..10].copy_from_slice(&2u16.to_le_bytes());
        file
    }

    #[test]
    fn a_program_for_dos_ends_with_its_last_page() {
        for (pages, last_bytes, end) in [(1, 100, 100), (2, 0, 1024), (2, 1, 513)] {
            let file = dos(pages, last_bytes, 2000);
            assert_eq!(strip(Kind::Pe, &file, None).as_deref(), Some(&file[..end]), "{pages} {last_bytes}");
        }
    }

    #[test]
    fn what_only_begins_like_a_program_is_not_kept() {
        assert_eq!(strip(Kind::Pe, &b"MZ means my zoo, dear diary. ".repeat(40), None), None);
        assert_eq!(strip(Kind::Pe, &dos(9, 0, 2000), None), None, "pages behind the end");
        assert_eq!(strip(Kind::Pe, &dos(0, 0, 2000), None), None, "no page");
        assert_eq!(strip(Kind::Pe, &dos(0, 9, 2000), None), None, "less than a page");
        assert_eq!(strip(Kind::Pe, &dos(1, 20, 2000), None), None, "its header is longer than itself");
        let mut windows_3 = dos(1, 100, 2000);
        windows_3[0x3c..0x40].copy_from_slice(&0x50u32.to_le_bytes());
        windows_3[0x50..0x52].copy_from_slice(b"NE");
        assert_eq!(strip(Kind::Pe, &windows_3, None), None);
    }
}
