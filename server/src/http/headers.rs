//! What a sender says about a sample in headers, turned into an [`Arrival`]. A header that comes twice is
//! refused: two readers could pick different ones.

use crate::http::problem::Problem;
use axum::http::{HeaderMap, header};
use model::limits;
use model::wire::RetryInput;
use model::{Arrival, Blake3, Content, Kind, RetryKey, Sequence, Timestamp};
use percent_encoding::percent_decode;

/// Who sends; empty or absent means the bearer's name, or the address.
pub const CLIENT: &str = "x-client";
/// The original path, percent-encoded.
pub const FILE_NAME: &str = "x-file-name";
/// Why it is forwarded.
pub const REASON: &str = "x-reason";
/// `file` or `boot_sector`.
pub const KIND: &str = "x-kind";
/// The client's platform.
pub const PLATFORM: &str = "x-platform";
/// The definitions the client holds.
pub const DEFINITIONS_SEQUENCE: &str = "x-definitions-sequence";
/// Makes a retry the same item.
pub const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// The digest the body has; checked, and with `Expect: 100-continue` enough where it is already here.
pub const BLAKE3: &str = "x-blake3";

/// What the headers of one upload say.
#[derive(Debug, Clone)]
pub struct Described {
    /// All but the name of a multipart file; `received_at_ms` is 0 until the body is there.
    pub arrival: Arrival,
    /// The digest the sender announces.
    pub blake3: Option<Blake3>,
    /// The sender waits for `100 Continue` before it sends the body.
    pub waits: bool,
    key: Option<Vec<u8>>,
}

impl Described {
    /// Reads the headers; `client` is used where they name none.
    ///
    /// # Errors
    /// The first header that comes twice, is too long, or does not parse, by name.
    pub fn read(headers: &HeaderMap, client: &str, sample_priority: u32) -> Result<Self, Problem> {
        let named = text(headers, CLIENT, limits::CLIENT_BYTES_MAX)?.filter(|name| !name.is_empty());
        let arrival = Arrival {
            kind: kind(text(headers, KIND, 32)?.as_deref())?,
            content: Content::Proven,
            definitions_sequence: Sequence(number(headers, DEFINITIONS_SEQUENCE)?),
            sample_priority,
            client: named.unwrap_or_else(|| client.to_owned()),
            name: decoded(headers, FILE_NAME, limits::NAME_BYTES_MAX)?,
            reason: text(headers, REASON, limits::REASON_BYTES_MAX)?.unwrap_or_default(),
            platform: text(headers, PLATFORM, limits::PLATFORM_BYTES_MAX)?.unwrap_or_default(),
            ..Arrival::default()
        };
        let blake3 = match text(headers, BLAKE3, 64)? {
            None => None,
            Some(hex) => Some(hex.parse().map_err(|error| Problem::invalid(format!("{BLAKE3}: {error}")))?),
        };
        let key = one(headers, IDEMPOTENCY_KEY)?.map(<[u8]>::to_vec);
        match &key {
            Some(key) if key.is_empty() || key.len() > limits::IDEMPOTENCY_KEY_BYTES_MAX => {
                return Err(Problem::invalid(format!(
                    "{IDEMPOTENCY_KEY} has {} bytes, between 1 and {} are allowed",
                    key.len(),
                    limits::IDEMPOTENCY_KEY_BYTES_MAX
                )));
            }
            Some(_) | None => {}
        }
        let expect = text(headers, header::EXPECT.as_str(), 64)?;
        let waits = expect.is_some_and(|expect| expect.eq_ignore_ascii_case("100-continue"));
        Ok(Self { arrival, blake3, waits, key })
    }

    /// The arrival of the file with this index (0 for a raw body), received now. Each file of a multipart
    /// upload has a retry key of its own: a header cannot hold the zero byte that separates the index.
    pub fn arrival(&self, index: u32, received_at: Timestamp) -> Arrival {
        let retry_key = self.key.as_deref().map(|key| {
            let mut key = key.to_vec();
            if index > 0 {
                key.push(0);
                key.extend_from_slice(&index.to_le_bytes());
            }
            retry_key(&RetryInput::Http { client: &self.arrival.client, key: &key })
        });
        Arrival { received_at_ms: received_at.0, retry_key, ..self.arrival.clone() }
    }
}

/// The first 16 bytes of the hash that `docs/wire.md` defines.
pub fn retry_key(input: &RetryInput<'_>) -> RetryKey {
    let hash = blake3::hash(&input.to_bytes());
    let mut key = [0; 16];
    key.copy_from_slice(&hash.as_bytes()[..16]);
    RetryKey(key)
}

/// The only value of a header.
fn one<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a [u8]>, Problem> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    match values.count() {
        0 => Ok(first.map(|value| value.as_bytes().trim_ascii())),
        more => Err(Problem::invalid(format!("{name} comes {} times, once is allowed", more + 1))),
    }
}

fn text(headers: &HeaderMap, name: &str, bytes_max: usize) -> Result<Option<String>, Problem> {
    one(headers, name)?.map(|value| bounded(name, value.to_vec(), bytes_max)).transpose()
}

fn decoded(headers: &HeaderMap, name: &str, bytes_max: usize) -> Result<String, Problem> {
    let value = one(headers, name)?.unwrap_or_default();
    bounded(name, percent_decode(value).collect(), bytes_max)
}

fn bounded(name: &str, value: Vec<u8>, bytes_max: usize) -> Result<String, Problem> {
    if value.len() > bytes_max {
        return Err(Problem::invalid(format!("{name} has {} bytes, {bytes_max} are allowed", value.len())));
    }
    String::from_utf8(value).map_err(|_| Problem::invalid(format!("{name} is not UTF-8")))
}

fn number(headers: &HeaderMap, name: &str) -> Result<u64, Problem> {
    match text(headers, name, 20)? {
        None => Ok(0),
        Some(digits) => {
            digits.parse().map_err(|_| Problem::invalid(format!("{name} holds '{digits}', a whole number is expected")))
        }
    }
}

fn kind(word: Option<&str>) -> Result<Kind, Problem> {
    match word {
        None | Some("file") => Ok(Kind::File),
        Some("boot_sector") => Ok(Kind::BootSector),
        Some(other) => Err(Problem::invalid(format!("{KIND} holds '{other}', file or boot_sector is expected"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{HeaderName, HeaderValue};

    fn read(pairs: &[(&'static str, &str)]) -> Result<Described, Problem> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            let value = HeaderValue::from_bytes(value.as_bytes()).expect("a header value");
            headers.append(HeaderName::from_static(name), value);
        }
        Described::read(&headers, "10.0.0.1", 1)
    }

    #[test]
    fn headers_describe_an_arrival() {
        let described = read(&[
            (CLIENT, "pc-7"),
            (FILE_NAME, "C%3A%5Cb%C3%B6se.exe"),
            (KIND, "boot_sector"),
            (DEFINITIONS_SEQUENCE, "42"),
            ("expect", "100-Continue"),
        ])
        .expect("valid headers");
        let arrival = described.arrival(0, Timestamp(5));
        assert_eq!((arrival.client.as_str(), arrival.name.as_str()), ("pc-7", "C:\\böse.exe"));
        assert_eq!((arrival.kind, arrival.definitions_sequence), (Kind::BootSector, Sequence(42)));
        assert_eq!((arrival.received_at_ms, arrival.sample_priority, arrival.retry_key), (5, 1, None));
        assert!(described.waits);
    }

    #[test]
    fn a_header_that_comes_twice_is_refused_by_name() {
        for name in [CLIENT, FILE_NAME, REASON, KIND, PLATFORM, DEFINITIONS_SEQUENCE, IDEMPOTENCY_KEY, BLAKE3] {
            let problem = read(&[(name, "1"), (name, "1")]).expect_err(name);
            assert!(problem.detail().starts_with(name), "{}", problem.detail());
        }
    }

    #[test]
    fn headers_out_of_their_limits_are_refused() {
        let long = "x".repeat(5000);
        for (name, value) in [
            (CLIENT, long.as_str()),
            (FILE_NAME, &long),
            (FILE_NAME, "%ff"),
            (IDEMPOTENCY_KEY, ""),
            (IDEMPOTENCY_KEY, &long),
            (DEFINITIONS_SEQUENCE, "-1"),
            (KIND, "folder"),
            (BLAKE3, "12"),
        ] {
            assert!(read(&[(name, value)]).is_err(), "{name}: {value}");
        }
    }

    #[test]
    fn retry_keys_differ_by_client_key_and_file() {
        let key = |client, key, index| {
            read(&[(CLIENT, client), (IDEMPOTENCY_KEY, key)]).map(|d| d.arrival(index, Timestamp(0)).retry_key)
        };
        let all: Vec<_> = [("a", "1", 0), ("a", "2", 0), ("b", "1", 0), ("a", "1", 1)]
            .into_iter()
            .map(|(client, text, index)| key(client, text, index).expect("valid headers"))
            .collect();
        for (at, one) in all.iter().enumerate() {
            assert!(one.is_some() && all.iter().skip(at + 1).all(|other| other != one));
        }
    }
}
