//! The bytes whose hash names an arrival, so that sending it twice makes one item.

/// What makes two requests the same arrival. The retry key is the first 16 bytes of the BLAKE3
/// hash of [`RetryInput::to_bytes`]; the server hashes, with the client's name as it established
/// it (from the token where the token names one, else from the hello or header).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryInput<'a> {
    /// A request on the native protocol.
    Native {
        /// The client's name.
        client: &'a str,
        /// Epoch of its hello.
        epoch: u64,
        /// The request's number.
        request: u64,
    },
    /// An `Idempotency-Key` over HTTP.
    Http {
        /// The client's name.
        client: &'a str,
        /// The header's value.
        key: &'a [u8],
    },
}

impl RetryInput<'_> {
    /// The bytes to hash. Each way in has its own first line and the client's name carries its
    /// length, so no two different inputs make the same bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        match self {
            Self::Native { client, epoch, request } => {
                out.extend_from_slice(b"lazaret retry/1 native\n");
                put_client(&mut out, client);
                out.extend_from_slice(&epoch.to_le_bytes());
                out.extend_from_slice(&request.to_le_bytes());
            }
            Self::Http { client, key } => {
                out.extend_from_slice(b"lazaret retry/1 http\n");
                put_client(&mut out, client);
                out.extend_from_slice(key);
            }
        }
        out
    }
}

/// A 64-bit length, because this text may come from places that bound it differently.
fn put_client(out: &mut Vec<u8>, client: &str) {
    out.extend_from_slice(&(client.len() as u64).to_le_bytes());
    out.extend_from_slice(client.as_bytes());
}
