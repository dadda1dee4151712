//! What every frame shares: `u32 length of the payload, u8 type, payload`, little-endian.

use super::WireError;
use crate::bytes::{DecodeError, Reader};
use crate::limits::WIRE_FRAME_BYTES_MAX;

/// Bytes in front of every payload.
pub const HEADER_BYTES: usize = 5;

/// One direction's frames.
pub trait Frame: Sized {
    /// Refuses a type that this direction does not have, before its payload is waited for.
    ///
    /// # Errors
    /// [`WireError::UnknownFrame`].
    fn name(kind: u8) -> Result<&'static str, WireError>;

    /// Reads the payload of a frame of this type.
    ///
    /// # Errors
    /// The first field that is not valid.
    fn decode(kind: u8, payload: &[u8]) -> Result<Self, WireError>;

    /// Body bytes that follow this frame outside of frames.
    fn body_bytes(&self) -> u64;
}

/// Reads a header: the type and the payload's length, both checked.
pub(super) fn header<F: Frame>(bytes: [u8; HEADER_BYTES]) -> Result<(u8, usize), WireError> {
    let [a, b, c, d, kind] = bytes;
    F::name(kind)?;
    let bytes = u32::from_le_bytes([a, b, c, d]);
    match usize::try_from(bytes) {
        Ok(length) if length <= WIRE_FRAME_BYTES_MAX => Ok((kind, length)),
        Ok(_) | Err(_) => Err(WireError::FrameTooLong { kind, bytes, limit: WIRE_FRAME_BYTES_MAX }),
    }
}

/// Appends a frame whose payload `fill` writes. Callers bound every text and list first.
pub(super) fn put_frame(out: &mut Vec<u8>, kind: u8, fill: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&[0, 0, 0, 0, kind]);
    fill(out);
    let length = out.len() - start - HEADER_BYTES;
    debug_assert!(length <= WIRE_FRAME_BYTES_MAX, "a frame of type {kind:#04x} came out {length} bytes long");
    out[start..start + 4].copy_from_slice(&(length as u32).to_le_bytes());
}

/// Runs `read` over the payload and checks that nothing is left; errors name the frame.
pub(super) fn read_frame<T>(
    frame: &'static str,
    payload: &[u8],
    read: impl FnOnce(&mut Reader<'_>) -> Result<T, DecodeError>,
) -> Result<T, WireError> {
    let mut reader = Reader::new(payload);
    let read = read(&mut reader).and_then(|value| reader.end().map(|()| value));
    read.map_err(|cause| WireError::Field { frame, cause })
}
