//! Whole streams in one call: what fuzz targets and tests feed.

use super::{ClientFrame, Decoder, Frame, ServerFrame, Step, WireError};

/// One thing found in a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen<F> {
    /// A frame.
    Frame(F),
    /// Body bytes behind a `Put`; may be fewer than it announced when the stream ends first.
    Body(Vec<u8>),
    /// The stream ended inside a frame or a body.
    Cut,
    /// The stream stopped making sense here.
    Failed(WireError),
}

/// Everything in a client's stream, in order.
pub fn decode_client_stream(stream: &[u8]) -> Vec<Seen<ClientFrame>> {
    decode(std::iter::once(stream))
}

/// Everything in a server's stream, in order.
pub fn decode_server_stream(stream: &[u8]) -> Vec<Seen<ServerFrame>> {
    decode(std::iter::once(stream))
}

/// The same for a stream that comes in pieces. Body pieces are joined.
pub(super) fn decode<'a, F: Frame>(pieces: impl Iterator<Item = &'a [u8]>) -> Vec<Seen<F>> {
    let mut decoder = Decoder::new();
    let mut seen = Vec::new();
    for mut piece in pieces {
        while !piece.is_empty() {
            match decoder.step(&mut piece) {
                Ok(Step::More) => {}
                Ok(Step::Frame(frame)) => {
                    seen.push(Seen::Frame(frame));
                    if decoder.body_left() > 0 {
                        seen.push(Seen::Body(Vec::new()));
                    }
                }
                Ok(Step::Body(_)) => {
                    let taken = decoder.take_body(&mut piece);
                    if let Some(Seen::Body(body)) = seen.last_mut() {
                        body.extend_from_slice(taken);
                    }
                }
                Err(failed) => {
                    seen.push(Seen::Failed(failed));
                    return seen;
                }
            }
        }
    }
    if !decoder.is_between_frames() {
        seen.push(Seen::Cut);
    }
    seen
}
