//! The archive within a container: regular files with short names, which is all that databases use.

use super::{ContainerFault, Member};
use crate::definitions::limits;

const BLOCK_BYTES: usize = 512;

/// Every regular file, in order. Folders and links are passed over.
pub(super) fn members(mut archive: &[u8]) -> Result<Vec<Member>, ContainerFault> {
    let mut members = Vec::new();
    while let Some((header, rest)) = archive.split_at_checked(BLOCK_BYTES) {
        if header.iter().all(|byte| *byte == 0) {
            return Ok(members);
        }
        let size = octal(&header[124..136]).ok_or(ContainerFault::Archive)?;
        let checksum = octal(&header[148..156]).ok_or(ContainerFault::Archive)?;
        if checksum != sum(header) {
            return Err(ContainerFault::Archive);
        }
        let size = usize::try_from(size).map_err(|_| ContainerFault::Archive)?;
        let (content, behind) = rest.split_at_checked(size).ok_or(ContainerFault::Archive)?;
        let padding = size.next_multiple_of(BLOCK_BYTES) - size;
        archive = behind.get(padding..).unwrap_or(&[]);
        if matches!(header[156], 0 | b'0') {
            if members.len() == limits::CONTAINER_MEMBERS_MAX {
                return Err(ContainerFault::ManyMembers);
            }
            let name = header[..100].split(|byte| *byte == 0).next().unwrap_or(&[]);
            let name = name.rsplit(|byte| *byte == b'/').next().unwrap_or(name);
            members.push(Member { name: String::from_utf8_lossy(name).into_owned(), bytes: content.to_vec() });
        }
    }
    // A truncated archive may lack its two blocks of zeroes, but never a part of a block.
    if archive.is_empty() { Ok(members) } else { Err(ContainerFault::Archive) }
}

fn octal(field: &[u8]) -> Option<u64> {
    let digits = field.split(|byte| *byte == 0).next()?.trim_ascii();
    digits.iter().try_fold(0u64, |sum, digit| match digit {
        b'0'..=b'7' => sum.checked_mul(8)?.checked_add(u64::from(digit - b'0')),
        _ => None,
    })
}

/// The sum of the header's bytes, the checksum's own field taken as blanks.
fn sum(header: &[u8]) -> u64 {
    let byte_at = |(index, byte): (usize, &u8)| u64::from(if (148..156).contains(&index) { b' ' } else { *byte });
    header.iter().enumerate().map(byte_at).sum()
}
