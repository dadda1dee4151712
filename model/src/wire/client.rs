//! What a client says.

use super::WireError;
use super::frame::{Frame, put_frame, read_frame};
use crate::arrival::Arrival;
use crate::bytes::{DecodeError, Reader, put_text};
use crate::digest::Blake3;
use crate::limits::{CLIENT_BYTES_MAX, TOKEN_BYTES_MAX};
use std::fmt;

/// The first bytes of every hello's payload.
pub const MAGIC: [u8; 8] = *b"lazaret\0";
/// The version of the protocol that this code speaks.
pub const VERSION: u16 = 1;

const HELLO: u8 = 0x01;
const OFFER: u8 = 0x02;
const PUT: u8 = 0x03;
const PING: u8 = 0x04;
const BYE: u8 = 0x05;

/// A bearer token. It never shows in a log.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Token(pub String);

impl fmt::Debug for Token {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Token({} bytes)", self.0.len())
    }
}

/// A frame from a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientFrame {
    /// First on every connection, and only first.
    Hello {
        /// Proof of who speaks; empty where the server asks for none.
        token: Token,
        /// The client's name.
        client: String,
        /// Names the series that `request` counts in. A client that forgot its counter draws a new
        /// one, else an old retry key would swallow a new item.
        epoch: u64,
    },
    /// Have you this digest? An item on it costs no bytes.
    Offer {
        /// The client's own counter; a retry repeats it.
        request: u64,
        /// Digest of the plain bytes.
        blake3: Blake3,
        /// Plain bytes of the sample.
        raw_bytes: u64,
        /// Who, when, why. The server overrides what it knows better.
        arrival: Arrival,
    },
    /// A sample; exactly `raw_bytes` body bytes follow outside of frames.
    Put {
        /// The client's own counter; a retry, and the answer to a `Want`, repeat it.
        request: u64,
        /// Plain bytes that follow.
        raw_bytes: u64,
        /// When given, the server refuses bytes with any other digest.
        expected: Option<Blake3>,
        /// Who, when, why. The server overrides what it knows better.
        arrival: Arrival,
    },
    /// Are you there?
    Ping {
        /// Comes back in the pong.
        nonce: u64,
    },
    /// No further request follows; the server answers what is open, then closes.
    Bye,
}

impl ClientFrame {
    /// Appends the frame. Nothing is appended on an error.
    ///
    /// # Errors
    /// A text over its limit, by name.
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<(), DecodeError> {
        match self {
            Self::Hello { token, client, epoch } => {
                check("token", &token.0, TOKEN_BYTES_MAX)?;
                check("client", client, CLIENT_BYTES_MAX)?;
                put_frame(out, HELLO, |out| {
                    out.extend_from_slice(&MAGIC);
                    out.extend_from_slice(&VERSION.to_le_bytes());
                    out.extend_from_slice(&epoch.to_le_bytes());
                    put_text(out, &token.0);
                    put_text(out, client);
                });
            }
            Self::Offer { request, blake3, raw_bytes, arrival } => {
                arrival.check()?;
                put_frame(out, OFFER, |out| {
                    out.extend_from_slice(&request.to_le_bytes());
                    out.extend_from_slice(&raw_bytes.to_le_bytes());
                    out.extend_from_slice(&blake3.0);
                    arrival.encode(out);
                });
            }
            Self::Put { request, raw_bytes, expected, arrival } => {
                arrival.check()?;
                put_frame(out, PUT, |out| {
                    out.extend_from_slice(&request.to_le_bytes());
                    out.extend_from_slice(&raw_bytes.to_le_bytes());
                    put_digest(out, expected.as_ref());
                    arrival.encode(out);
                });
            }
            Self::Ping { nonce } => put_frame(out, PING, |out| out.extend_from_slice(&nonce.to_le_bytes())),
            Self::Bye => put_frame(out, BYE, |_| {}),
        }
        Ok(())
    }
}

impl Frame for ClientFrame {
    fn name(kind: u8) -> Result<&'static str, WireError> {
        match kind {
            HELLO => Ok("hello"),
            OFFER => Ok("offer"),
            PUT => Ok("put"),
            PING => Ok("ping"),
            BYE => Ok("bye"),
            _ => Err(WireError::UnknownFrame { kind, sender: "client" }),
        }
    }

    fn decode(kind: u8, payload: &[u8]) -> Result<Self, WireError> {
        let frame = Self::name(kind)?;
        if kind == HELLO {
            check_hello(frame, payload)?;
        }
        read_frame(frame, payload, |reader| match kind {
            HELLO => {
                reader.take("magic and version", MAGIC.len() + 2)?;
                Ok(Self::Hello {
                    epoch: reader.u64("epoch")?,
                    token: Token(reader.text("token", TOKEN_BYTES_MAX)?),
                    client: reader.text("client", CLIENT_BYTES_MAX)?,
                })
            }
            OFFER => Ok(Self::Offer {
                request: reader.u64("request")?,
                raw_bytes: reader.u64("raw_bytes")?,
                blake3: Blake3(reader.array("blake3")?),
                arrival: read_arrival(reader)?,
            }),
            PUT => Ok(Self::Put {
                request: reader.u64("request")?,
                raw_bytes: reader.u64("raw_bytes")?,
                expected: read_digest("expected digest", reader)?,
                arrival: read_arrival(reader)?,
            }),
            PING => Ok(Self::Ping { nonce: reader.u64("nonce")? }),
            BYE => Ok(Self::Bye),
            _ => Err(DecodeError::Invalid { field: "type", value: kind.to_string() }),
        })
    }

    fn body_bytes(&self) -> u64 {
        match self {
            Self::Put { raw_bytes, .. } => *raw_bytes,
            Self::Hello { .. } | Self::Offer { .. } | Self::Ping { .. } | Self::Bye => 0,
        }
    }
}

/// Magic and version are read first, so that a newer hello may look different behind them.
fn check_hello(frame: &'static str, payload: &[u8]) -> Result<(), WireError> {
    let field = |cause| WireError::Field { frame, cause };
    let mut reader = Reader::new(payload);
    let found = reader.array("magic").map_err(field)?;
    if found != MAGIC {
        return Err(WireError::Magic { found, expected: MAGIC });
    }
    match reader.u16("version").map_err(field)? {
        VERSION => Ok(()),
        theirs => Err(WireError::Version { theirs, ours: VERSION }),
    }
}

fn check(field: &'static str, text: &str, limit: usize) -> Result<(), DecodeError> {
    if text.len() > limit {
        return Err(DecodeError::TooLong { field, bytes: text.len() as u64, limit: limit as u64 });
    }
    Ok(())
}

/// An arrival is always the last field and fills the rest of the payload.
fn read_arrival(reader: &mut Reader<'_>) -> Result<Arrival, DecodeError> {
    let left = reader.left();
    Arrival::decode(reader.take("arrival", left)?)
}

/// A byte that says whether a digest follows, then the digest.
pub(super) fn put_digest(out: &mut Vec<u8>, digest: Option<&Blake3>) {
    out.push(u8::from(digest.is_some()));
    if let Some(digest) = digest {
        out.extend_from_slice(&digest.0);
    }
}

pub(super) fn read_digest(field: &'static str, reader: &mut Reader<'_>) -> Result<Option<Blake3>, DecodeError> {
    match reader.u8(field)? {
        0 => Ok(None),
        1 => Ok(Some(Blake3(reader.array(field)?))),
        other => Err(DecodeError::Invalid { field, value: format!("presence byte {other}") }),
    }
}
