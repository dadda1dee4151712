//! A cursor over bytes that a stranger sent: every read is checked, none panics.

/// Why a run of bytes is not what it claims to be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The bytes end before the field does.
    #[error("{field} needs {needed} bytes where {left} are left")]
    Truncated {
        /// Field being read.
        field: &'static str,
        /// Bytes the field asks for.
        needed: usize,
        /// Bytes that remain.
        left: usize,
    },
    /// A length is over its limit.
    #[error("{field} is {bytes} bytes long, over its limit of {limit}")]
    TooLong {
        /// Field being read.
        field: &'static str,
        /// Bytes it claims.
        bytes: u64,
        /// Bytes it may have.
        limit: u64,
    },
    /// A number or text that no writer of this version makes.
    #[error("{field} holds {value}, which is not valid here")]
    Invalid {
        /// Field being read.
        field: &'static str,
        /// What it holds, as text.
        value: String,
    },
    /// Bytes remain after the last field.
    #[error("{left} bytes are left over after the last field")]
    Trailing {
        /// Bytes that remain.
        left: usize,
    },
}

/// Reads little-endian fields from the front of a slice.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) fn take(&mut self, field: &'static str, needed: usize) -> Result<&'a [u8], DecodeError> {
        match self.rest.split_at_checked(needed) {
            Some((head, tail)) => {
                self.rest = tail;
                Ok(head)
            }
            None => Err(DecodeError::Truncated { field, needed, left: self.rest.len() }),
        }
    }

    pub(crate) fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], DecodeError> {
        let mut out = [0; N];
        out.copy_from_slice(self.take(field, N)?);
        Ok(out)
    }

    pub(crate) fn u8(&mut self, field: &'static str) -> Result<u8, DecodeError> {
        Ok(self.array::<1>(field)?[0])
    }

    pub(crate) fn u16(&mut self, field: &'static str) -> Result<u16, DecodeError> {
        self.array(field).map(u16::from_le_bytes)
    }

    pub(crate) fn u32(&mut self, field: &'static str) -> Result<u32, DecodeError> {
        self.array(field).map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self, field: &'static str) -> Result<u64, DecodeError> {
        self.array(field).map(u64::from_le_bytes)
    }

    pub(crate) fn i64(&mut self, field: &'static str) -> Result<i64, DecodeError> {
        self.array(field).map(i64::from_le_bytes)
    }

    /// A text with a 16-bit length in front, at most `limit` bytes, which must be UTF-8.
    pub(crate) fn text(&mut self, field: &'static str, limit: usize) -> Result<String, DecodeError> {
        let bytes = usize::from(self.u16(field)?);
        if bytes > limit {
            return Err(DecodeError::TooLong { field, bytes: bytes as u64, limit: limit as u64 });
        }
        let taken = self.take(field, bytes)?;
        match std::str::from_utf8(taken) {
            Ok(text) => Ok(text.to_owned()),
            Err(_) => Err(DecodeError::Invalid { field, value: "bytes that are not UTF-8".to_owned() }),
        }
    }

    pub(crate) fn left(&self) -> usize {
        self.rest.len()
    }

    pub(crate) fn end(self) -> Result<(), DecodeError> {
        match self.rest.len() {
            0 => Ok(()),
            left => Err(DecodeError::Trailing { left }),
        }
    }
}

/// Appends a text with its 16-bit length. The caller keeps texts within [`crate::limits`].
pub(crate) fn put_text(out: &mut Vec<u8>, text: &str) {
    debug_assert!(text.len() <= usize::from(u16::MAX), "texts are bounded by the limits before they are encoded");
    out.extend_from_slice(&(text.len() as u16).to_le_bytes());
    out.extend_from_slice(text.as_bytes());
}
