//! What a server answers.

use super::client::{put_digest, read_digest};
use super::frame::{Frame, put_frame, read_frame};
use super::{VERSION, WireError};
use crate::bytes::{DecodeError, Reader, put_text};
use crate::digest::Blake3;
use crate::id::ItemId;
use crate::limits::{WIRE_FRAME_BYTES_MAX, WIRE_TEXT_BYTES_MAX};

const WELCOME: u8 = 0x81;
const ACKS: u8 = 0x82;
const WANT: u8 = 0x83;
const REFUSED: u8 = 0x84;
const CREDIT: u8 = 0x85;
const PONG: u8 = 0x86;
const FAULT: u8 = 0x87;

/// Acks in one frame; longer lists take several frames.
const ACKS_MAX: usize = 256;
/// Requests in one `Want`; longer lists take several frames.
const WANT_MAX: usize = 1024;
/// request, outcome, item, presence byte, digest.
const ACK_BYTES_MAX: usize = 8 + 1 + 8 + 1 + 32;
const _: () = assert!(2 + ACKS_MAX * ACK_BYTES_MAX <= WIRE_FRAME_BYTES_MAX);
const _: () = assert!(2 + WANT_MAX * 8 <= WIRE_FRAME_BYTES_MAX);

macro_rules! codes {
    ($(#[$doc:meta])* $name:ident, $field:literal { $($(#[$vdoc:meta])* $variant:ident = $code:literal $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$vdoc])* $variant,)+
        }

        impl $name {
            /// Every code, in the order of its number.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The word used in metrics, JSON and messages.
            pub fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }

            fn code(self) -> u8 {
                match self {
                    $(Self::$variant => $code,)+
                }
            }

            fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
                match reader.u8($field)? {
                    $($code => Ok(Self::$variant),)+
                    other => Err(DecodeError::Invalid { field: $field, value: other.to_string() }),
                }
            }
        }
    };
}

codes! {
    /// How an arrival became an item.
    Outcome, "outcome" {
        /// The bytes were new.
        Stored = 1 "stored",
        /// The bytes were here; the item is new.
        Duplicate = 2 "duplicate",
        /// This very arrival was here: a retry, the same item as before.
        Repeated = 3 "repeated",
    }
}

codes! {
    /// Why a request made no item.
    RefusedCode, "refusal code" {
        /// Over the largest sample this server takes; never retry.
        TooLarge = 1 "too_large",
        /// Busy; retry after the time given.
        SlowDown = 2 "slow_down",
        /// No bytes left in the quota.
        FullBytes = 3 "full_bytes",
        /// No samples left in the quota.
        FullSamples = 4 "full_samples",
        /// This client holds its whole share of the quota.
        ClientShare = 5 "client_share",
        /// The bytes do not have the digest that was announced.
        DigestMismatch = 6 "digest_mismatch",
        /// The request contradicts itself; never retry.
        Malformed = 7 "malformed",
        /// The store takes nothing until an operator acts.
        Stopped = 8 "stopped",
        /// The token may not do this.
        NotAllowed = 9 "not_allowed",
    }
}

codes! {
    /// Why the server closes the connection.
    FaultCode, "fault code" {
        /// The client speaks another version.
        Version = 1 "version",
        /// The token is unknown, or its role may not forward.
        Unauthorised = 2 "unauthorised",
        /// The stream could not be read, or a frame came out of turn.
        Malformed = 3 "malformed",
        /// More body bytes than credit.
        OverCredit = 4 "over_credit",
        /// More open requests than the window.
        OverWindow = 5 "over_window",
        /// Nothing came for too long.
        Idle = 6 "idle",
        /// The server is at its limit of connections.
        TooMany = 7 "too_many",
        /// The server drains or has stopped; come back later.
        Stopped = 8 "stopped",
    }
}

/// What the server allows on this connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Welcome {
    /// Plain bytes of the largest sample it takes.
    pub sample_bytes_max: u64,
    /// Body bytes the client may send before the first `Credit`.
    pub credit_bytes: u64,
    /// Requests that may be open: offered or put, neither acked nor refused.
    pub window: u32,
}

/// One request that is now an item, durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ack {
    /// The client's counter.
    pub request: u64,
    /// How it became an item.
    pub outcome: Outcome,
    /// The item.
    pub item: ItemId,
    /// Digest of the plain bytes, where the client did not name it.
    pub blake3: Option<Blake3>,
}

/// A frame from a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerFrame {
    /// The answer to a hello.
    Welcome(Welcome),
    /// Requests that are durable. Never empty on the wire.
    Acks(Vec<Ack>),
    /// Offered digests that are not here: put these. Never empty on the wire.
    Want(Vec<u64>),
    /// A request that made no item.
    Refused {
        /// The client's counter.
        request: u64,
        /// Why.
        code: RefusedCode,
        /// When to try again, milliseconds from now; 0 where no retry helps by itself.
        retry_after_ms: u64,
        /// The same for a person; cut to [`WIRE_TEXT_BYTES_MAX`] bytes.
        text: String,
    },
    /// The client may send this many body bytes more.
    Credit {
        /// Plain bytes, added to what is left.
        bytes: u64,
    },
    /// The answer to a ping.
    Pong {
        /// The ping's.
        nonce: u64,
    },
    /// The server closes after this.
    Fault {
        /// Why.
        code: FaultCode,
        /// The same for a person; cut to [`WIRE_TEXT_BYTES_MAX`] bytes.
        text: String,
    },
}

impl ServerFrame {
    /// Appends the frame, or several when a list is longer than one frame holds; an empty list
    /// appends nothing.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Welcome(welcome) => put_frame(out, WELCOME, |out| {
                out.extend_from_slice(&VERSION.to_le_bytes());
                out.extend_from_slice(&welcome.sample_bytes_max.to_le_bytes());
                out.extend_from_slice(&welcome.credit_bytes.to_le_bytes());
                out.extend_from_slice(&welcome.window.to_le_bytes());
            }),
            Self::Acks(acks) => acks.chunks(ACKS_MAX).for_each(|acks| put_acks(out, acks)),
            Self::Want(requests) => requests.chunks(WANT_MAX).for_each(|requests| put_want(out, requests)),
            Self::Refused { request, code, retry_after_ms, text } => put_frame(out, REFUSED, |out| {
                out.extend_from_slice(&request.to_le_bytes());
                out.push(code.code());
                out.extend_from_slice(&retry_after_ms.to_le_bytes());
                put_text(out, cut(text));
            }),
            Self::Credit { bytes } => put_frame(out, CREDIT, |out| out.extend_from_slice(&bytes.to_le_bytes())),
            Self::Pong { nonce } => put_frame(out, PONG, |out| out.extend_from_slice(&nonce.to_le_bytes())),
            Self::Fault { code, text } => put_frame(out, FAULT, |out| {
                out.push(code.code());
                put_text(out, cut(text));
            }),
        }
    }
}

impl Frame for ServerFrame {
    fn name(kind: u8) -> Result<&'static str, WireError> {
        match kind {
            WELCOME => Ok("welcome"),
            ACKS => Ok("acks"),
            WANT => Ok("want"),
            REFUSED => Ok("refused"),
            CREDIT => Ok("credit"),
            PONG => Ok("pong"),
            FAULT => Ok("fault"),
            _ => Err(WireError::UnknownFrame { kind, sender: "server" }),
        }
    }

    fn decode(kind: u8, payload: &[u8]) -> Result<Self, WireError> {
        let frame = Self::name(kind)?;
        if kind == WELCOME {
            check_welcome(frame, payload)?;
        }
        read_frame(frame, payload, |reader| match kind {
            WELCOME => {
                reader.take("version", 2)?;
                Ok(Self::Welcome(Welcome {
                    sample_bytes_max: reader.u64("sample_bytes_max")?,
                    credit_bytes: reader.u64("credit_bytes")?,
                    window: reader.u32("window")?,
                }))
            }
            ACKS => list("acks", ACKS_MAX, reader, read_ack).map(Self::Acks),
            WANT => list("requests", WANT_MAX, reader, |reader| reader.u64("request")).map(Self::Want),
            REFUSED => Ok(Self::Refused {
                request: reader.u64("request")?,
                code: RefusedCode::read(reader)?,
                retry_after_ms: reader.u64("retry_after_ms")?,
                text: reader.text("text", WIRE_TEXT_BYTES_MAX)?,
            }),
            CREDIT => Ok(Self::Credit { bytes: reader.u64("bytes")? }),
            PONG => Ok(Self::Pong { nonce: reader.u64("nonce")? }),
            FAULT => {
                Ok(Self::Fault { code: FaultCode::read(reader)?, text: reader.text("text", WIRE_TEXT_BYTES_MAX)? })
            }
            _ => Err(DecodeError::Invalid { field: "type", value: kind.to_string() }),
        })
    }

    fn body_bytes(&self) -> u64 {
        0
    }
}

fn check_welcome(frame: &'static str, payload: &[u8]) -> Result<(), WireError> {
    match Reader::new(payload).u16("version") {
        Ok(VERSION) => Ok(()),
        Ok(theirs) => Err(WireError::Version { theirs, ours: VERSION }),
        Err(cause) => Err(WireError::Field { frame, cause }),
    }
}

fn put_acks(out: &mut Vec<u8>, acks: &[Ack]) {
    put_frame(out, ACKS, |out| {
        out.extend_from_slice(&(acks.len() as u16).to_le_bytes());
        for ack in acks {
            out.extend_from_slice(&ack.request.to_le_bytes());
            out.push(ack.outcome.code());
            out.extend_from_slice(&ack.item.0.to_le_bytes());
            put_digest(out, ack.blake3.as_ref());
        }
    });
}

fn put_want(out: &mut Vec<u8>, requests: &[u64]) {
    put_frame(out, WANT, |out| {
        out.extend_from_slice(&(requests.len() as u16).to_le_bytes());
        for request in requests {
            out.extend_from_slice(&request.to_le_bytes());
        }
    });
}

fn read_ack(reader: &mut Reader<'_>) -> Result<Ack, DecodeError> {
    Ok(Ack {
        request: reader.u64("request")?,
        outcome: Outcome::read(reader)?,
        item: ItemId(reader.u64("item")?),
        blake3: read_digest("blake3", reader)?,
    })
}

/// A list with a 16-bit count in front. It grows by what is read, not by what is claimed.
fn list<T>(
    field: &'static str,
    limit: usize,
    reader: &mut Reader<'_>,
    read: impl Fn(&mut Reader<'_>) -> Result<T, DecodeError>,
) -> Result<Vec<T>, DecodeError> {
    let count = usize::from(reader.u16(field)?);
    if count == 0 || count > limit {
        return Err(DecodeError::Invalid { field, value: format!("{count} entries (1 to {limit} are allowed)") });
    }
    let mut entries = Vec::new();
    for _ in 0..count {
        entries.push(read(reader)?);
    }
    Ok(entries)
}

/// The longest prefix of whole characters within the limit.
fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(WIRE_TEXT_BYTES_MAX)]
}
