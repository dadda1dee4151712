//! Signatures that are a digest, and the sizes they apply to.

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
