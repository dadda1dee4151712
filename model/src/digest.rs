//! Digests of a sample's plain bytes, written as lower-case hexadecimal.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

macro_rules! digest {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; 32]);

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_hex(&self.0, out)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(out, concat!(stringify!($name), "({})"), self)
            }
        }

        impl FromStr for $name {
            type Err = ParseDigestError;

            fn from_str(text: &str) -> Result<Self, ParseDigestError> {
                read_hex(text).map($name)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

digest!(
    /// BLAKE3-256 of a sample's plain bytes: its address.
    Blake3
);
digest!(
    /// SHA-256 of a sample's plain bytes: the digest that the field exchanges.
    Sha256
);

/// A text that is not 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseDigestError {
    /// Wrong number of characters.
    #[error("a digest has 64 hexadecimal digits, this text has {0} characters")]
    Length(usize),
    /// A character that is no hexadecimal digit.
    #[error("'{0}' at position {1} is not a hexadecimal digit")]
    Digit(char, usize),
}

fn write_hex(bytes: &[u8], out: &mut fmt::Formatter<'_>) -> fmt::Result {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = [0; 64];
    for (pair, byte) in text.chunks_exact_mut(2).zip(bytes) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
    out.pad(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
}

fn read_hex(text: &str) -> Result<[u8; 32], ParseDigestError> {
    if text.len() != 64 {
        return Err(ParseDigestError::Length(text.chars().count()));
    }
    let mut out = [0; 32];
    for (at, digit) in text.char_indices() {
        let value = digit.to_digit(16).ok_or(ParseDigestError::Digit(digit, at))? as u8;
        // A multi-byte character was refused above, so `at` counts digits.
        out[at / 2] = out[at / 2] << 4 | value;
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_reads_back_from_its_text_in_either_case() {
        let digest = Blake3(std::array::from_fn(|at| (at * 7) as u8));
        assert_eq!(digest.to_string().parse(), Ok(digest));
        assert_eq!(digest.to_string().to_uppercase().parse(), Ok(digest));
    }

    #[test]
    fn a_text_that_is_no_digest_is_refused_with_the_place() {
        assert_eq!("12".parse::<Sha256>(), Err(ParseDigestError::Length(2)));
        let wrong = format!("{}g{}", "0".repeat(10), "0".repeat(53));
        assert_eq!(wrong.parse::<Sha256>(), Err(ParseDigestError::Digit('g', 10)));
        let wide = format!("é{}", "0".repeat(62));
        assert_eq!(wide.parse::<Sha256>(), Err(ParseDigestError::Digit('é', 0)));
    }
}
