//! What can be wrong with an index, and what an index cannot answer.

/// Bytes that are no index, or not the one the caller believes they are: the segment counts as unindexed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GramsError {
    /// Cut short.
    #[error("gram index needs {needed} bytes, has {found}")]
    Short {
        /// Bytes that the part read so far announces.
        needed: u64,
        /// Bytes that are there.
        found: u64,
    },
    /// Another kind of file.
    #[error("gram index starts with {0:02x?}")]
    Magic([u8; 8]),
    /// A later layout.
    #[error("gram index of version {0}, this program reads version 1")]
    Version(u16),
    /// Damaged.
    #[error("gram index has checksum {found:08x} in its {part}, expected {expected:08x}")]
    Checksum {
        /// `head` or `body`.
        part: &'static str,
        /// Written in the head.
        expected: u32,
        /// Of the bytes that are there.
        found: u32,
    },
    /// The grams were taken by another rule, so a query by this one would miss blocks.
    #[error("gram index was written with rule {written:016x}, read with {given:016x}")]
    Rule {
        /// The rule that the head names.
        written: u64,
        /// The rule of the caller.
        given: u64,
    },
    /// A number outside its range.
    #[error("gram index has {field} = {value}")]
    Shape {
        /// Its name in `docs/grams.md`.
        field: &'static str,
        /// What was found.
        value: u64,
    },
}

/// No gram stands wholly inside this literal, so every block can contain it: the caller sweeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no gram in a literal of {literal_bytes} bytes, the index starts at {gram_bytes}")]
pub struct Unindexable {
    /// Length of the longest literal that was offered.
    pub literal_bytes: usize,
    /// Length of the rule's shortest gram.
    pub gram_bytes: usize,
}
