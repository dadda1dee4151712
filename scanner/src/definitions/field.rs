//! Fields of a line, each knowing where in the line it stands.

use super::fault::{Fault, LineError, Why};
use super::outcome::Reason;

/// A part of a line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field<'a> {
    /// Its bytes.
    pub bytes: &'a [u8],
    /// Where it starts in the line, counted from 0.
    pub start: usize,
}

impl<'a> Field<'a> {
    /// The whole line.
    pub fn line(bytes: &'a [u8]) -> Field<'a> {
        Field { bytes, start: 0 }
    }

    /// What stands from `from` up to `to`.
    pub fn part(self, from: usize, to: usize) -> Field<'a> {
        Field { bytes: &self.bytes[from..to], start: self.start + from }
    }

    /// Its parts between separators; one part when there is none.
    pub fn split(self, separator: u8) -> impl Iterator<Item = Field<'a>> {
        let mut at = 0;
        self.bytes.split(move |byte| *byte == separator).map(move |bytes| {
            let field = Field { bytes, start: self.start + at };
            at += bytes.len() + 1;
            field
        })
    }

    /// What stands before and behind the first `separator`.
    pub fn split_once(self, separator: u8) -> Option<(Field<'a>, Field<'a>)> {
        let at = self.bytes.iter().position(|byte| *byte == separator)?;
        Some((self.part(0, at), self.part(at + 1, self.bytes.len())))
    }

    /// Without this start.
    pub fn strip_prefix(self, prefix: &[u8]) -> Option<Field<'a>> {
        self.bytes.strip_prefix(prefix).map(|bytes| Field { bytes, start: self.start + prefix.len() })
    }

    /// An error at its first byte.
    pub fn error(self, why: impl Into<Why>) -> LineError {
        LineError::at(self.start, why)
    }

    /// An error at one of its bytes.
    pub fn error_at(self, index: usize, why: impl Into<Why>) -> LineError {
        LineError::at(self.start + index, why)
    }

    /// A name, as text; bytes that are no UTF-8 are replaced.
    pub fn name(self) -> Result<Box<str>, LineError> {
        if self.bytes.is_empty() {
            return Err(self.error(Fault::EmptyName));
        }
        Ok(String::from_utf8_lossy(self.bytes).into())
    }

    /// A decimal number of 32 bits.
    ///
    /// # Errors
    /// `fault` when there is something else than digits; [`Reason::LooseNumber`] when only a scanner that skips
    /// blanks and signs and wraps at 32 bits reads a number there.
    pub fn number(self, fault: Fault) -> Result<u32, LineError> {
        if self.bytes.is_empty() {
            return Err(self.error(fault));
        }
        if let Some(at) = self.bytes.iter().position(|byte| !byte.is_ascii_digit()) {
            let behind = self.bytes.trim_ascii_start();
            let behind = behind.strip_prefix(b"+").unwrap_or(behind);
            let loose = !behind.is_empty() && behind.iter().all(u8::is_ascii_digit);
            let why: Why = if loose { Reason::LooseNumber.into() } else { fault.into() };
            return Err(self.error_at(at, why));
        }
        let digits = self.bytes.iter().map(|byte| u32::from(byte - b'0'));
        digits
            .into_iter()
            .try_fold(0u32, |sum, digit| sum.checked_mul(10)?.checked_add(digit))
            .ok_or_else(|| self.error(Reason::LooseNumber))
    }

    /// [`Field::number`], or 0 when nothing stands there.
    pub fn number_or_zero(self, fault: Fault) -> Result<u32, LineError> {
        if self.bytes.is_empty() { Ok(0) } else { self.number(fault) }
    }
}

/// The value of a hexadecimal digit of either case.
pub(crate) fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

/// Lower-case hexadecimal digits of bytes.
pub(crate) fn write_hexadecimal(out: &mut Vec<u8>, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.extend(bytes.iter().flat_map(|byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]));
}
