//! Why a stream cannot be read any further.

use crate::bytes::DecodeError;

/// A stream that is not `lazaret intake/1`. The connection has to be closed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// The header claims more than a control frame may have.
    #[error("a frame of type {kind:#04x} claims {bytes} bytes, over the limit of {limit}")]
    FrameTooLong {
        /// Type byte of the header.
        kind: u8,
        /// Bytes it claims.
        bytes: u32,
        /// Bytes it may have.
        limit: usize,
    },
    /// No frame of this direction has this type.
    #[error("{kind:#04x} is not a frame type of a {sender}")]
    UnknownFrame {
        /// Type byte of the header.
        kind: u8,
        /// Who sends this direction: client or server.
        sender: &'static str,
    },
    /// The stream does not begin as this protocol does.
    #[error("the hello begins with {found:02x?} where {expected:02x?} is expected")]
    Magic {
        /// What came.
        found: [u8; 8],
        /// What every hello begins with.
        expected: [u8; 8],
    },
    /// The other side speaks another version of the protocol.
    #[error("the other side speaks version {theirs} of lazaret intake, this side speaks {ours}")]
    Version {
        /// Their version.
        theirs: u16,
        /// Our version.
        ours: u16,
    },
    /// A field of a frame does not decode.
    #[error("frame {frame}: {cause}")]
    Field {
        /// The frame's name.
        frame: &'static str,
        /// What is wrong with which field.
        cause: DecodeError,
    },
}
