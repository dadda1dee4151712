//! The header: `ClamAV-VDB:built:version:signatures:level:md5:signature:builder:seconds`, filled up with blanks.

use crate::definitions::field::{Field, nibble};

/// The bytes of a header.
pub(super) const HEADER_BYTES: usize = 512;

/// What a container says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// When it was built, as it is written.
    pub built: String,
    /// Its version.
    pub version: u32,
    /// How many signatures it says it has.
    pub signatures: u32,
    /// The functionality level it needs.
    pub level: u32,
    /// The MD5 of what follows; none in containers made locally.
    pub md5: Option<[u8; 16]>,
    /// The digital signature, as it is written; not verified.
    pub signature: String,
    /// Who built it.
    pub builder: String,
}

impl Header {
    /// The header and what follows it.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<(Header, &[u8])> {
        let (header, content) = bytes.split_at_checked(HEADER_BYTES)?;
        let fields: Vec<Field<'_>> = Field::line(header.trim_ascii_end()).split(b':').collect();
        let [magic, built, version, signatures, level, md5, signature, builder, ..] = &*fields else { return None };
        if magic.bytes != b"ClamAV-VDB" {
            return None;
        }
        let text = |field: &Field<'_>| String::from_utf8_lossy(field.bytes).into_owned();
        let number = |field: &Field<'_>| std::str::from_utf8(field.bytes).ok()?.parse::<u32>().ok();
        let header = Header {
            built: text(built),
            version: number(version)?,
            signatures: number(signatures)?,
            level: number(level)?,
            md5: digest(md5.bytes),
            signature: text(signature),
            builder: text(builder),
        };
        Some((header, content))
    }
}

fn digest(text: &[u8]) -> Option<[u8; 16]> {
    let digits: Vec<u8> = text.iter().map(|digit| nibble(*digit)).collect::<Option<_>>()?;
    let digits: [u8; 32] = digits.try_into().ok()?;
    Some(std::array::from_fn(|index| digits[2 * index] << 4 | digits[2 * index + 1]))
}
