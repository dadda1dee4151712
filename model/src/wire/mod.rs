//! The native intake protocol, `lazaret intake/1`: frames, their decoder and the client's half of
//! the conversation, without a socket. Every byte is drawn in `docs/wire.md`.
//! 1. A control frame has at most [`limits::WIRE_FRAME_BYTES_MAX`](crate::limits::WIRE_FRAME_BYTES_MAX)
//!    bytes of payload; no more than one is ever held.
//! 2. Body bytes follow a `Put` outside of frames and are never held here: the caller reads them
//!    straight into its own buffer.
//! 3. Nothing is allocated by a number that a stranger sent, only by bytes that arrived.
//! 4. An error ends the connection: a stream that was misread once has no next frame.
//!
//! Reading order: [`ClientFrame`] and [`ServerFrame`] are the words, [`Decoder`] reads them off a
//! stream, [`ClientSession`] keeps count of windows and credits, [`RetryInput`] names an arrival so
//! that sending it twice is one item.

mod client;
mod decoder;
mod error;
mod frame;
mod retry;
mod server;
mod session;
mod stream;
#[cfg(test)]
mod tests;

pub use client::{ClientFrame, MAGIC, Token, VERSION};
pub use decoder::{Decoder, Step};
pub use error::WireError;
pub use frame::{Frame, HEADER_BYTES};
pub use retry::RetryInput;
pub use server::{Ack, FaultCode, Outcome, RefusedCode, ServerFrame, Welcome};
pub use session::{Ask, ClientSession, Event, NotNow};
pub use stream::{Seen, decode_client_stream, decode_server_stream};
