//! What a request says about a sample: X- attributes as HTTP headers, texts percent-encoded.

use crate::customer::Customer;
use model::{Blake3, Kind, Sequence, Sha256};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use std::fmt::Write as _;

/// Names of headers. Those that are attributes of an item are defined in `model`; the rest is the envelope.
pub mod names {
    /// Company that asks.
    pub const COMPANY: &str = "x-customer-company";
    /// Its account.
    pub const ACCOUNT: &str = "x-customer-account";
    /// Person to talk to.
    pub const CONTACT: &str = "x-customer-contact";
    /// That person's telephone.
    pub const TELEPHONE: &str = "x-customer-telephone";
    /// That person's mail address.
    pub const EMAIL: &str = "x-customer-email";
    /// Digest of the sample as it is in the quarantine.
    pub const BLAKE3: &str = "x-sample-blake3";
    /// Its other name.
    pub const SHA256: &str = "x-sample-sha256";
    /// Its length.
    pub const BYTES: &str = "x-sample-bytes";
    /// What was kept when user data was stripped; missing when nothing was.
    pub const STRIPPED: &str = "x-sample-stripped";
    /// Digest of the bytes that are sent.
    pub const SENT_BLAKE3: &str = "x-sent-blake3";
    /// How many those are.
    pub const SENT_BYTES: &str = "x-sent-bytes";
    /// Where the file was.
    pub const FILE_NAME: &str = "x-file-name";
    /// File or boot sector.
    pub const KIND: &str = "x-kind";
    /// Who found it.
    pub const CLIENT: &str = "x-client";
    /// Operating system and processor of that computer.
    pub const PLATFORM: &str = "x-platform";
    /// Why it was forwarded.
    pub const REASON: &str = "x-reason";
    /// What definitions that computer had.
    pub const DEFINITIONS: &str = "x-definitions-sequence";
    /// Place in the queue.
    pub const PRIORITY: &str = "x-sample-priority";
    /// A number that the reply has to repeat.
    pub const NONCE: &str = "x-request-nonce";
    /// First byte of a part.
    pub const OFFSET: &str = "x-sent-offset";
    /// Who signed a reply, and how.
    pub const SIGNATURE: &str = "x-reply-signature";
}

/// Bytes of a header's text, a path at most.
const TEXT_BYTES_MAX: usize = 4096;
/// Bytes of a submission's key.
const KEY_BYTES_MAX: usize = 64;

/// A request that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadMessage {
    /// A header is not there.
    #[error("the header {0} is missing")]
    Missing(&'static str),
    /// A header says nothing that fits.
    #[error("the header {0} cannot be read: {1}")]
    Field(&'static str, &'static str),
}

/// How a header is looked up.
pub type Fields<'a> = dyn Fn(&str) -> Option<&'a str> + 'a;

/// One submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    /// Its name, the same at each attempt, another at each submission.
    pub key: String,
    /// The sample in the quarantine.
    pub blake3: Blake3,
    /// Its other name.
    pub sha256: Sha256,
    /// Its length.
    pub bytes: u64,
    /// Digest of what is sent.
    pub sent_blake3: Blake3,
    /// Length of what is sent.
    pub sent_bytes: u64,
    /// What was kept of it; empty when it is whole.
    pub stripped: String,
    /// Where the file was.
    pub file_name: String,
    /// What it is.
    pub kind: Kind,
    /// Who found it.
    pub client: String,
    /// Operating system and processor there.
    pub platform: String,
    /// Why it was forwarded.
    pub reason: String,
    /// Definitions there.
    pub definitions_sequence: Sequence,
    /// X-Sample-Priority.
    pub priority: u32,
}

impl Submission {
    /// As headers of a request; the key is in its path.
    pub fn headers(&self, customer: &Customer) -> Vec<(&'static str, String)> {
        let mut headers = customer.headers();
        for (name, value) in [
            (names::BLAKE3, self.blake3.to_string()),
            (names::SHA256, self.sha256.to_string()),
            (names::BYTES, self.bytes.to_string()),
            (names::SENT_BLAKE3, self.sent_blake3.to_string()),
            (names::SENT_BYTES, self.sent_bytes.to_string()),
            (names::STRIPPED, self.stripped.clone()),
            (names::FILE_NAME, self.file_name.clone()),
            (names::KIND, kind_word(self.kind).to_owned()),
            (names::CLIENT, self.client.clone()),
            (names::PLATFORM, self.platform.clone()),
            (names::REASON, self.reason.clone()),
            (names::DEFINITIONS, self.definitions_sequence.0.to_string()),
            (names::PRIORITY, self.priority.to_string()),
        ] {
            put(&mut headers, name, &value);
        }
        headers
    }

    /// Out of a request.
    ///
    /// # Errors
    /// A header that is needed is missing, or one does not fit.
    pub fn read(key: &str, fields: &Fields<'_>) -> Result<Self, BadMessage> {
        let key_fits = (8..=KEY_BYTES_MAX).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !key_fits {
            return Err(BadMessage::Field("key", "8 to 64 letters and digits are expected"));
        }
        Ok(Self {
            key: key.to_owned(),
            blake3: digest(fields, names::BLAKE3)?.map(Blake3).ok_or(BadMessage::Missing(names::BLAKE3))?,
            sha256: digest(fields, names::SHA256)?.map(Sha256).ok_or(BadMessage::Missing(names::SHA256))?,
            bytes: number(fields, names::BYTES)?,
            sent_blake3: digest(fields, names::SENT_BLAKE3)?
                .map(Blake3)
                .ok_or(BadMessage::Missing(names::SENT_BLAKE3))?,
            sent_bytes: number(fields, names::SENT_BYTES)?,
            stripped: text(fields, names::STRIPPED, TEXT_BYTES_MAX)?,
            file_name: text(fields, names::FILE_NAME, TEXT_BYTES_MAX)?,
            kind: match text(fields, names::KIND, 16)?.as_str() {
                "" | "file" => Kind::File,
                "boot_sector" => Kind::BootSector,
                _ => return Err(BadMessage::Field(names::KIND, "file or boot_sector is expected")),
            },
            client: text(fields, names::CLIENT, TEXT_BYTES_MAX)?,
            platform: text(fields, names::PLATFORM, TEXT_BYTES_MAX)?,
            reason: text(fields, names::REASON, TEXT_BYTES_MAX)?,
            definitions_sequence: Sequence(number(fields, names::DEFINITIONS)?),
            priority: u32::try_from(number(fields, names::PRIORITY)?).unwrap_or(u32::MAX),
        })
    }
}

/// The word of a kind.
pub(crate) fn kind_word(kind: Kind) -> &'static str {
    match kind {
        Kind::File => "file",
        Kind::BootSector => "boot_sector",
    }
}

/// Bytes that stand for themselves in a header are printable ASCII but these.
const ENCODED: &AsciiSet = &CONTROLS.add(b'%').add(b' ');

/// Adds a header; an empty text adds none, for a missing attribute says the same.
pub(crate) fn put(headers: &mut Vec<(&'static str, String)>, name: &'static str, value: &str) {
    if !value.is_empty() {
        headers.push((name, utf8_percent_encode(value, ENCODED).to_string()));
    }
}

/// A text; empty when it is missing.
pub(crate) fn text(fields: &Fields<'_>, name: &'static str, bytes_max: usize) -> Result<String, BadMessage> {
    let Some(value) = fields(name) else { return Ok(String::new()) };
    let text = percent_decode_str(value).decode_utf8().map_err(|_| BadMessage::Field(name, "it is not UTF-8"))?;
    if text.len() > bytes_max {
        return Err(BadMessage::Field(name, "it is too long"));
    }
    Ok(text.into_owned())
}

/// A number; 0 when it is missing.
pub(crate) fn number(fields: &Fields<'_>, name: &'static str) -> Result<u64, BadMessage> {
    match fields(name) {
        None => Ok(0),
        Some(text) => text.parse().map_err(|_| BadMessage::Field(name, "a whole number is expected")),
    }
}

fn digest(fields: &Fields<'_>, name: &'static str) -> Result<Option<[u8; 32]>, BadMessage> {
    let Some(text) = fields(name) else { return Ok(None) };
    let parsed: Option<Blake3> = text.parse().ok();
    parsed.map(|digest| Some(digest.0)).ok_or(BadMessage::Field(name, "64 hexadecimal digits are expected"))
}

/// Hexadecimal digits of bytes.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a text does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    fn submission(text: String, number: u64) -> Submission {
        Submission {
            key: "0123456789abcdef".to_owned(),
            blake3: Blake3([1; 32]),
            sha256: Sha256([2; 32]),
            bytes: number,
            sent_blake3: Blake3([3; 32]),
            sent_bytes: number / 2,
            stripped: text.clone(),
            file_name: text.clone(),
            kind: Kind::BootSector,
            client: text.clone(),
            platform: text.clone(),
            reason: text,
            definitions_sequence: Sequence(number),
            priority: 3,
        }
    }

    fn read(headers: &[(&'static str, String)]) -> Result<Submission, BadMessage> {
        let map: HashMap<_, _> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        Submission::read("0123456789abcdef", &|name| map.get(name).copied())
    }

    proptest! {
        #[test]
        fn a_submission_reads_back_whatever_its_texts_are(text in "\\PC{0,40}|[\\x00-\\xff]{0,20}", number: u64) {
            let submission = submission(text.clone(), number);
            let customer = Customer { company: text, ..Customer::default() };
            let headers = submission.headers(&customer);
            prop_assert!(headers.iter().all(|(_, value)| value.bytes().all(|byte| (0x20..0x7f).contains(&byte))));
            prop_assert_eq!(read(&headers), Ok(submission));
            let map: HashMap<_, _> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            prop_assert_eq!(Customer::read(&|name| map.get(name).copied()), Ok(customer));
        }
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let headers = submission(String::new(), 1).headers(&Customer::default());
        for name in [names::BLAKE3, names::SHA256, names::SENT_BLAKE3] {
            let without: Vec<_> = headers.iter().filter(|(known, _)| *known != name).cloned().collect();
            assert_eq!(read(&without), Err(BadMessage::Missing(name)));
            let broken: Vec<_> = headers
                .iter()
                .map(|(known, value)| (*known, if *known == name { "12".to_owned() } else { value.clone() }))
                .collect();
            assert!(matches!(read(&broken), Err(BadMessage::Field(known, _)) if known == name));
        }
        for key in ["", "short", "../../../etc", "0123456789abcde\n"] {
            assert!(matches!(Submission::read(key, &|_| None), Err(BadMessage::Field("key", _))), "{key:?}");
        }
    }

    #[test]
    fn every_attribute_of_an_item_has_its_name_from_the_model() {
        for name in [
            names::COMPANY,
            names::ACCOUNT,
            names::CONTACT,
            names::TELEPHONE,
            names::EMAIL,
            names::BLAKE3,
            names::SHA256,
            names::BYTES,
            names::STRIPPED,
            names::FILE_NAME,
            names::KIND,
            names::CLIENT,
            names::PLATFORM,
            names::REASON,
            names::DEFINITIONS,
            names::PRIORITY,
        ] {
            assert!(model::attributes::definition(name).is_some(), "{name}");
        }
    }
}
