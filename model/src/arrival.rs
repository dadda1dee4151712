//! One arrival: who sent a sample, when and why. The same encoding serves the wire and the log.

pub use crate::bytes::DecodeError;
use crate::bytes::{Reader, put_text};
use crate::id::Sequence;
use crate::limits;
use serde::{Deserialize, Serialize};

const VERSION: u8 = 1;

/// What was captured (first seed, "Using Internet-based Scan and Deliver": "samples of files or boot sectors").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A file.
    #[default]
    File,
    /// The boot sector of a disk.
    BootSector,
}

/// Whether the client sent the bytes or only named their digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// The bytes came in and were hashed here.
    #[default]
    Proven,
    /// An authenticated forwarder named a digest that was already here.
    Claimed,
}

/// Names one arrival so that a retry is the same item: the first 16 bytes of a BLAKE3 hash over the
/// client and its idempotency key or counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RetryKey(pub [u8; 16]);

/// What is known of an arrival beside its bytes. Texts are hostile: show them escaped.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Arrival {
    /// When it was received, milliseconds since 1970 UTC; the server's clock, never the client's.
    pub received_at_ms: i64,
    /// A file or a boot sector.
    pub kind: Kind,
    /// Bytes sent, or digest claimed.
    pub content: Content,
    /// Whether the client runs the agent and can be given definitions.
    pub managed: bool,
    /// The definitions the client held, as it reported; 0 when unknown.
    pub definitions_sequence: Sequence,
    /// X-Sample-Priority at reception.
    pub sample_priority: u32,
    /// Set when the sender gave a key for retries.
    pub retry_key: Option<RetryKey>,
    /// The client's name.
    pub client: String,
    /// The client's parent server, empty when it has none.
    pub parent_server: String,
    /// The original path.
    pub name: String,
    /// Why it was forwarded.
    pub reason: String,
    /// The client's platform.
    pub platform: String,
}

impl Arrival {
    /// Checks the texts against [`limits`].
    ///
    /// # Errors
    /// The first text that is too long, by name.
    pub fn check(&self) -> Result<(), DecodeError> {
        for (field, text, limit) in self.texts() {
            if text.len() > limit {
                return Err(DecodeError::TooLong { field, bytes: text.len() as u64, limit: limit as u64 });
            }
        }
        Ok(())
    }

    /// Appends the encoding, at most [`limits::ARRIVAL_BYTES_MAX`] bytes for an arrival that passes
    /// [`Arrival::check`]. Layout: `docs/format.md`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let flags = u8::from(self.kind == Kind::BootSector)
            | u8::from(self.content == Content::Claimed) << 1
            | u8::from(self.managed) << 2
            | u8::from(self.retry_key.is_some()) << 3;
        out.push(VERSION);
        out.push(flags);
        out.extend_from_slice(&self.received_at_ms.to_le_bytes());
        out.extend_from_slice(&self.definitions_sequence.0.to_le_bytes());
        out.extend_from_slice(&self.sample_priority.to_le_bytes());
        if let Some(key) = &self.retry_key {
            out.extend_from_slice(&key.0);
        }
        for (_, text, _) in self.texts() {
            put_text(out, text);
        }
    }

    /// Reads an encoding that fills `bytes` exactly.
    ///
    /// # Errors
    /// Truncated or left-over bytes, an unknown version or flag, a text over its limit or not UTF-8.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let version = reader.u8("arrival version")?;
        if version != VERSION {
            return Err(DecodeError::Invalid { field: "arrival version", value: version.to_string() });
        }
        let flags = reader.u8("arrival flags")?;
        if flags & !0b1111 != 0 {
            return Err(DecodeError::Invalid { field: "arrival flags", value: format!("{flags:#010b}") });
        }
        let received_at_ms = reader.i64("received_at")?;
        let definitions_sequence = Sequence(reader.u64("definitions_sequence")?);
        let sample_priority = reader.u32("sample_priority")?;
        let retry_key = if flags & 8 != 0 { Some(RetryKey(reader.array("retry key")?)) } else { None };
        let arrival = Self {
            received_at_ms,
            kind: if flags & 1 != 0 { Kind::BootSector } else { Kind::File },
            content: if flags & 2 != 0 { Content::Claimed } else { Content::Proven },
            managed: flags & 4 != 0,
            definitions_sequence,
            sample_priority,
            retry_key,
            client: reader.text("client", limits::CLIENT_BYTES_MAX)?,
            parent_server: reader.text("parent_server", limits::CLIENT_BYTES_MAX)?,
            name: reader.text("name", limits::NAME_BYTES_MAX)?,
            reason: reader.text("reason", limits::REASON_BYTES_MAX)?,
            platform: reader.text("platform", limits::PLATFORM_BYTES_MAX)?,
        };
        reader.end()?;
        Ok(arrival)
    }

    /// The texts in the order of their encoding.
    fn texts(&self) -> [(&'static str, &str, usize); 5] {
        [
            ("client", &self.client, limits::CLIENT_BYTES_MAX),
            ("parent_server", &self.parent_server, limits::CLIENT_BYTES_MAX),
            ("name", &self.name, limits::NAME_BYTES_MAX),
            ("reason", &self.reason, limits::REASON_BYTES_MAX),
            ("platform", &self.platform, limits::PLATFORM_BYTES_MAX),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    prop_compose! {
        fn arrivals()(
            received_at_ms: i64, boot: bool, claimed: bool, managed: bool, sequence: u64, sample_priority: u32,
            key in proptest::option::of(any::<[u8; 16]>()),
            client in ".{0,40}", parent_server in ".{0,40}", name in ".{0,200}", reason in ".{0,100}", platform in ".{0,16}",
        ) -> Arrival {
            Arrival {
                received_at_ms,
                kind: if boot { Kind::BootSector } else { Kind::File },
                content: if claimed { Content::Claimed } else { Content::Proven },
                managed,
                definitions_sequence: Sequence(sequence),
                sample_priority,
                retry_key: key.map(RetryKey),
                client, parent_server, name, reason, platform,
            }
        }
    }

    proptest! {
        #[test]
        fn an_arrival_reads_back_and_every_truncation_is_refused(arrival in arrivals()) {
            let mut bytes = Vec::new();
            arrival.encode(&mut bytes);
            prop_assert!(bytes.len() <= limits::ARRIVAL_BYTES_MAX || arrival.check().is_err());
            prop_assert_eq!(Arrival::decode(&bytes), Ok(arrival));
            for cut in 0..bytes.len() {
                prop_assert!(Arrival::decode(&bytes[..cut]).is_err());
            }
            bytes.push(0);
            prop_assert_eq!(Arrival::decode(&bytes), Err(DecodeError::Trailing { left: 1 }));
        }

        #[test]
        fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = Arrival::decode(&bytes);
        }
    }

    #[test]
    fn a_text_over_its_limit_is_refused_by_name() {
        let arrival = Arrival { reason: "x".repeat(limits::REASON_BYTES_MAX + 1), ..Arrival::default() };
        assert!(matches!(arrival.check(), Err(DecodeError::TooLong { field: "reason", .. })));
    }
}
