//! A file as lines, each with its number.

use crate::definitions::fault::{Fault, LineError};

/// The lines of a file, numbered from 1, without their ends (`\n`, `\r\n`). The end of the last line is no line of its
/// own.
pub(super) fn lines(bytes: &[u8]) -> impl Iterator<Item = (u32, &[u8])> {
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let content = Some(bytes).filter(|bytes| !bytes.is_empty());
    let lines = content.into_iter().flat_map(|bytes| bytes.split(|byte| *byte == b'\n'));
    (1..).zip(lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line)))
}

/// What is demanded of a line in any language.
pub(super) fn check(line: &[u8], bytes_max: usize) -> Result<(), LineError> {
    if line.is_empty() {
        return Err(LineError::at(0, Fault::EmptyLine));
    }
    if line.len() > bytes_max {
        return Err(LineError::at(bytes_max, Fault::LongLine { bytes_max }));
    }
    match line.iter().position(|byte| *byte == 0) {
        Some(at) => Err(LineError::at(at, Fault::ZeroByte)),
        None => Ok(()),
    }
}
