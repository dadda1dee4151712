//! Boot sectors: 512 bytes of code that end in 55 AA, with some data of the disk between.
//!
//! All of it is code except what names or describes the disk. In the first sector of a disk that is the disk's signature
//! and the partition table; in that of a volume its serial number and label. What a volume calls its sizes stays: code
//! reads them, and they are the same on a million disks. The rest is kept as it is, partition table or not, because a
//! boot virus is where the system's own code was.

use std::ops::Range;

use crate::file::Kind;

/// Length of a sector.
const SECTOR_BYTES: usize = 512;
/// Signature of the disk, two spare bytes, four partitions.
const DISK: Range<usize> = 440..510;
/// Where sizes of a volume begin: bytes of a sector.
const SECTOR_SIZE: Range<usize> = 11..13;

/// Whether a file is a boot sector. Text that happens to end in 55 AA is none.
pub(super) fn is_sector(kind: Kind, bytes: &[u8]) -> bool {
    kind == Kind::Data && bytes.len() == SECTOR_BYTES && bytes.ends_with(&[0x55, 0xaa])
}

/// A boot sector without what is the disk's own.
pub(super) fn strip(sector: &[u8]) -> Vec<u8> {
    let mut out = sector.to_vec();
    out[private(sector)].fill(0);
    out
}

/// The bytes that are the disk's own; an empty range where none are.
fn private(sector: &[u8]) -> Range<usize> {
    let sector_bytes = u16::from_le_bytes([sector[SECTOR_SIZE.start], sector[SECTOR_SIZE.start + 1]]);
    let is_jump = matches!(sector[0], 0xe9 | 0xeb);
    if !is_jump || !matches!(sector_bytes, 512 | 1024 | 2048 | 4096) {
        return DISK;
    }
    if sector[3..].starts_with(b"NTFS    ") {
        return 72..80;
    }
    // The mark 28 or 29 says that serial number and label follow: of FAT12 and FAT16 here, of FAT32 there.
    let has_label = |at: usize| matches!(sector[at], 0x28 | 0x29);
    match (has_label(38), has_label(66)) {
        (true, _) => 39..54,
        (false, true) => 67..82,
        (false, false) => 0..0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sector(start: &[u8]) -> Vec<u8> {
        let mut sector = vec![0xcc; SECTOR_BYTES];
        sector[..start.len()].copy_from_slice(start);
        sector[510..].copy_from_slice(&[0x55, 0xaa]);
        sector
    }

    fn zeroed(sector: &[u8]) -> Vec<usize> {
        let stripped = strip(sector);
        (0..sector.len()).filter(|at| sector[*at] != stripped[*at]).collect()
    }

    #[test]
    fn of_a_disk_signature_and_partitions_go() {
        assert_eq!(zeroed(&sector(&[0xfa, 0x33, 0xc0])), Vec::from_iter(440..510));
        // A jump over something that are no sizes.
        assert_eq!(zeroed(&sector(&[0xeb, 0x3c, 0x90])), Vec::from_iter(440..510));
    }

    #[test]
    fn of_a_volume_serial_and_label_go_and_the_code_behind_stays() {
        let mut volume = sector(b"\xeb\x3c\x90MSDOS5.0\0\x02");
        volume[38] = 0x29;
        assert_eq!(zeroed(&volume), Vec::from_iter(39..54));
        volume[38] = 0;
        volume[66] = 0x28;
        assert_eq!(zeroed(&volume), Vec::from_iter(67..82));
        volume[66] = 0;
        assert_eq!(zeroed(&volume), [0; 0]);
        assert_eq!(zeroed(&sector(b"\xeb\x52\x90NTFS    \0\x02")), Vec::from_iter(72..80));
    }

    #[test]
    fn only_512_bytes_with_the_mark_are_a_sector() {
        let whole = sector(&[0xfa]);
        assert!(is_sector(Kind::Data, &whole));
        assert!(!is_sector(Kind::Data, &whole[..511]));
        assert!(!is_sector(Kind::Text, &whole));
        assert!(!is_sector(Kind::Data, &[0; 512]));
    }
}
