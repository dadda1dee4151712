//! Features as bytes, and as the hexadecimal text of them.
//!
//! | bytes | field, little-endian |
//! |---|---|
//! | 1 | version, 1 |
//! | 8 | bytes of the sample |
//! | 1 | 1 when a TLSH digest follows, else 0 |
//! | 72 | its text |
//! | 2 each | hashes of the sketches of the whole, the head and the tail |
//! | 8 each | those hashes |

use super::features::{Features, TLSH_BYTES};
use super::limits;
use super::similarity::Sketch;
use std::str::FromStr;

const VERSION: u8 = 1;
const SKETCHES_MAX: [usize; 3] = [limits::WHOLE_SKETCH_MAX, limits::EDGE_SKETCH_MAX, limits::EDGE_SKETCH_MAX];

/// Why bytes are no features. They are then taken anew from the sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FeaturesError {
    /// They were written by another version.
    #[error("features of version {found}, not {VERSION}")]
    Version {
        /// What is written there.
        found: u8,
    },
    /// They are cut short, too long, or not ordered.
    #[error("features are damaged")]
    Damaged,
}

impl Features {
    /// The bytes to store: at most 4,184.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![VERSION];
        bytes.extend_from_slice(&self.bytes.to_le_bytes());
        bytes.push(u8::from(self.tlsh.is_some()));
        bytes.extend(self.tlsh.iter().flat_map(|text| text.iter()));
        let sketches = [&self.whole, &self.head, &self.tail].map(Sketch::hashes);
        bytes.extend(sketches.iter().flat_map(|hashes| (hashes.len() as u16).to_le_bytes()));
        bytes.extend(sketches.iter().copied().flatten().flat_map(|hash| hash.to_le_bytes()));
        bytes
    }

    /// Reads what [`Features::encode`] wrote.
    ///
    /// # Errors
    /// Anything else.
    pub fn decode(bytes: &[u8]) -> Result<Features, FeaturesError> {
        match bytes.split_first() {
            Some((&VERSION, rest)) => decode(rest).ok_or(FeaturesError::Damaged),
            Some((&found, _)) => Err(FeaturesError::Version { found }),
            None => Err(FeaturesError::Damaged),
        }
    }
}

fn decode(mut rest: &[u8]) -> Option<Features> {
    let bytes = u64::from_le_bytes(take(&mut rest)?);
    let tlsh = match take::<1>(&mut rest)? {
        [0] => None,
        [1] => Some(Box::new(tlsh(take(&mut rest)?)?)),
        _ => return None,
    };
    let mut counts = [0; SKETCHES_MAX.len()];
    for count in &mut counts {
        *count = usize::from(u16::from_le_bytes(take(&mut rest)?));
    }
    let mut sketch = |index: usize| {
        let hashes: Option<Vec<u64>> = (0..counts[index]).map(|_| take(&mut rest).map(u64::from_le_bytes)).collect();
        Sketch::stored(hashes?, SKETCHES_MAX[index])
    };
    let (whole, head, tail) = (sketch(0)?, sketch(1)?, sketch(2)?);
    rest.is_empty().then_some(Features { bytes, tlsh, whole, head, tail })
}

/// A text that reads as a digest and is written as it is: upper-case digits.
fn tlsh(text: [u8; TLSH_BYTES]) -> Option<[u8; TLSH_BYTES]> {
    let digest = tlsh2::TlshDefault::from_str(std::str::from_utf8(&text).ok()?).ok()?;
    (digest.hash() == text).then_some(text)
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, behind) = rest.split_first_chunk()?;
    *rest = behind;
    Some(*taken)
}

impl From<Features> for String {
    fn from(features: Features) -> String {
        features.encode().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl TryFrom<String> for Features {
    type Error = FeaturesError;

    fn try_from(text: String) -> Result<Features, FeaturesError> {
        let digit = |digit: u8| char::from(digit).to_digit(16).map(|value| value as u8);
        let pairs = text.as_bytes().chunks(2);
        let byte = |pair: &[u8]| match pair {
            [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
            _ => None,
        };
        Features::decode(&pairs.map(byte).collect::<Option<Vec<u8>>>().ok_or(FeaturesError::Damaged)?)
    }
}

#[cfg(test)]
mod tests {
    use super::super::families::noise;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn features_survive_their_bytes_and_their_text_and_no_cut_of_them() {
        let features = Features::of(&noise("sample", 20_000));
        let bytes = features.encode();
        assert!(bytes.len() <= 4184);
        assert_eq!(Features::decode(&bytes), Ok(features.clone()));
        assert!((0..bytes.len()).all(|len| Features::decode(&bytes[..len]).is_err()));
        assert_eq!(Features::try_from(String::from(features.clone())), Ok(features));
    }

    proptest! {
        #[test]
        fn hostile_bytes_decode_to_an_error_or_to_what_wrote_them(
            mut bytes in prop::collection::vec(any::<u8>(), 0..200), at in 0usize..200,
        ) {
            if let Some(first) = bytes.first_mut() {
                *first = VERSION;
            }
            let mut stored = Features::of(&bytes).encode();
            let at = at % stored.len();
            stored[at] ^= bytes.first().copied().unwrap_or(7);
            for bytes in [bytes, stored] {
                if let Ok(features) = Features::decode(&bytes) {
                    prop_assert_eq!(features.encode(), bytes);
                }
            }
        }
    }
}
