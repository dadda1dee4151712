//! Signatures that are a digest, and the sizes they apply to.

use super::fault::{Fault, LineError};
use super::field::{Field, nibble, write_hexadecimal};
use super::limits;
use super::outcome::Reason;

/// The digest of a file, a section or an import table; which algorithm follows from its length.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FileDigest {
    /// 16 bytes.
    Md5([u8; 16]),
    /// 20 bytes.
    Sha1([u8; 20]),
    /// 32 bytes.
    Sha256([u8; 32]),
}

/// The size a digest was taken at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Size {
    /// Exactly this many bytes.
    Bytes(u32),
    /// `*`: the author did not know.
    Any,
}

/// A digest and its size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HashSignature {
    /// The digest to be equal to.
    pub digest: FileDigest,
    /// The size the file (section, table) must have.
    pub size: Size,
}

impl FileDigest {
    /// The bytes of the digest.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        match self {
            FileDigest::Md5(bytes) => bytes,
            FileDigest::Sha1(bytes) => bytes,
            FileDigest::Sha256(bytes) => bytes,
        }
    }
}

impl std::fmt::Debug for FileDigest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = match self {
            FileDigest::Md5(_) => "Md5",
            FileDigest::Sha1(_) => "Sha1",
            FileDigest::Sha256(_) => "Sha256",
        };
        write!(f, "{name}(")?;
        self.bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        write!(f, ")")
    }
}

/// In which order the fields of a digest's line stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// `digest:size:name`.
    DigestFirst,
    /// `size:digest:name`, for sections.
    SizeFirst,
}

/// Whether a size of `*` must come with the level that introduced it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AnySize {
    /// It must.
    NeedsLevel,
    /// It need not, for import tables.
    Free,
}

impl HashSignature {
    /// Reads `digest:size:name[:level_min[:level_max]]`, or with the first two fields swapped.
    pub(crate) fn read(
        line: Field<'_>,
        layout: Layout,
        any_size: AnySize,
        level: u32,
    ) -> Result<(Box<str>, HashSignature), LineError> {
        let fields: Vec<Field<'_>> = line.split(b':').take(6).collect();
        let [first, second, name, levels @ ..] = &*fields else {
            return Err(line.error(Fault::Fields { found: fields.len(), min: 3, max: 5 }));
        };
        if levels.len() > 2 {
            return Err(levels[2].error(Fault::Fields { found: fields.len(), min: 3, max: 5 }));
        }
        let (digest, size) = match layout {
            Layout::DigestFirst => (first, second),
            Layout::SizeFirst => (second, first),
        };
        // A level that is no number counts as zero, as in the language.
        let level_of = |index: usize| levels.get(index).map(|field| field.number(Fault::Number).unwrap_or(0));
        let (level_min, level_max) = (level_of(0).unwrap_or(0), level_of(1).unwrap_or(u32::MAX));
        if size.bytes == b"*" && any_size == AnySize::NeedsLevel && level_min < limits::ANY_SIZE_LEVEL_MIN {
            return Err(size.error(Fault::AnySizeLevel));
        }
        if level < level_min || level > level_max {
            return Err(levels[0].error(Reason::FunctionalityLevel));
        }
        let signature = HashSignature { size: Size::read(*size)?, digest: FileDigest::read(*digest)? };
        Ok((name.name()?, signature))
    }

    /// Appends the canonical line.
    pub(crate) fn write(&self, out: &mut Vec<u8>, layout: Layout, name: &str) {
        let size = match self.size {
            Size::Bytes(bytes) => bytes.to_string(),
            Size::Any => "*".to_owned(),
        };
        if layout == Layout::SizeFirst {
            out.extend_from_slice(size.as_bytes());
            out.push(b':');
        }
        write_hexadecimal(out, self.digest.bytes());
        if layout == Layout::DigestFirst {
            out.push(b':');
            out.extend_from_slice(size.as_bytes());
        }
        out.push(b':');
        out.extend_from_slice(name.as_bytes());
        if self.size == Size::Any {
            out.extend_from_slice(format!(":{}", limits::ANY_SIZE_LEVEL_MIN).as_bytes());
        }
    }
}

impl Size {
    fn read(text: Field<'_>) -> Result<Size, LineError> {
        match text.bytes {
            b"*" => Ok(Size::Any),
            _ => match text.number(Fault::Size)? {
                0 | u32::MAX => Err(text.error(Fault::Size)),
                bytes => Ok(Size::Bytes(bytes)),
            },
        }
    }
}

impl FileDigest {
    /// Hexadecimal digits of either case.
    pub(crate) fn read(text: Field<'_>) -> Result<FileDigest, LineError> {
        if let Some(at) = text.bytes.iter().position(|digit| nibble(*digit).is_none()) {
            return Err(text.error_at(at, Fault::Digest));
        }
        let byte = |index: usize| {
            let digits = [text.bytes[2 * index], text.bytes[2 * index + 1]];
            digits.into_iter().fold(0, |byte, digit| byte << 4 | nibble(digit).unwrap_or(0))
        };
        match text.bytes.len() {
            32 => Ok(FileDigest::Md5(std::array::from_fn(byte))),
            40 => Ok(FileDigest::Sha1(std::array::from_fn(byte))),
            64 => Ok(FileDigest::Sha256(std::array::from_fn(byte))),
            _ => Err(text.error(Fault::Digest)),
        }
    }
}
