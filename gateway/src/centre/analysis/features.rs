//! What is kept of a sample so that it can be compared with others: four kilobytes at most.
//!
//! 1. A sketch is sorted, without repetition, and holds the lowest gram numbers of its part of the sample.
//! 2. Grams that goodware has, and those without variety, are in no sketch: two samples are not similar because both
//!    were linked against the same library.

use super::goodware::Goodware;
use super::gram::{GRAM_BYTES, Gram, grams, is_varied, number};
use super::limits;
use super::similarity::Sketch;

/// The text form of a TLSH digest with its version.
pub(super) const TLSH_BYTES: usize = 72;

/// What is known of one sample.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Features {
    pub(super) bytes: u64,
    pub(super) tlsh: Option<Box<[u8; TLSH_BYTES]>>,
    /// Of the whole sample: who shares a large part of it.
    pub(super) whole: Sketch,
    /// Of its first [`limits::EDGE_BYTES`]: who has the same code put in front.
    pub(super) head: Sketch,
    /// Of its last [`limits::EDGE_BYTES`]: who has the same code appended.
    pub(super) tail: Sketch,
}

impl Features {
    /// The features of a sample when no goodware is known. O(n).
    #[must_use]
    pub fn of(sample: &[u8]) -> Features {
        features(sample, |gram| !is_varied(gram))
    }

    /// The features of what a sample has beyond goodware. O(n).
    ///
    /// An infected file whose host is in goodware has the features of the virus alone, so this is the one to use.
    #[must_use]
    pub fn beyond(sample: &[u8], goodware: &Goodware) -> Features {
        features(sample, |gram| goodware.holds(&gram))
    }

    /// The length of the sample in bytes.
    #[must_use]
    pub fn sample_bytes(&self) -> u64 {
        self.bytes
    }

    /// The TLSH digest of what is varied and beyond goodware, if that is [`limits::TLSH_BYTES_MIN`] and more.
    #[must_use]
    pub fn tlsh(&self) -> Option<&str> {
        self.tlsh.as_ref().and_then(|text| std::str::from_utf8(&**text).ok())
    }

    /// Whether there is nothing to compare: too short, without variety, or all of it goodware.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.tlsh.is_none() && self.whole.is_empty() && self.tail.is_empty()
    }
}

fn features(sample: &[u8], is_known: impl Fn(Gram) -> bool) -> Features {
    let start = &sample[..sample.len().min(limits::FEATURE_BYTES_MAX)];
    let head = &sample[..sample.len().min(limits::EDGE_BYTES)];
    let tail = &sample[sample.len().saturating_sub(limits::EDGE_BYTES)..];
    let sketch = |part: &[u8], max| Sketch::lowest(grams(part).filter(|gram| !is_known(*gram)).map(number), max);
    Features {
        bytes: sample.len() as u64,
        tlsh: tlsh(start, &is_known),
        whole: sketch(start, limits::WHOLE_SKETCH_MAX),
        head: sketch(head, limits::EDGE_SKETCH_MAX),
        tail: sketch(tail, limits::EDGE_SKETCH_MAX),
    }
}

/// The digest of the bytes that no known gram covers.
fn tlsh(bytes: &[u8], is_known: impl Fn(Gram) -> bool) -> Option<Box<[u8; TLSH_BYTES]>> {
    let mut builder = tlsh2::TlshDefaultBuilder::new();
    let (mut fed, mut known_until) = (0, 0);
    let mut ahead = grams(bytes).enumerate();
    for (at, byte) in bytes.iter().enumerate() {
        if ahead.next().is_some_and(|(_, gram)| is_known(gram)) {
            known_until = at + GRAM_BYTES;
        }
        if at >= known_until {
            builder.update(&[*byte]);
            fed += 1;
        }
    }
    (fed >= limits::TLSH_BYTES_MIN).then(|| builder.build()).flatten().map(|digest| Box::new(digest.hash()))
}

#[cfg(test)]
mod tests {
    use super::super::families::noise;
    use super::*;

    #[test]
    fn short_or_empty_samples_are_blank() {
        assert!(Features::of(b"").is_blank());
        assert!(Features::of(b"seven b").is_blank());
        assert!(Features::of(&[0; 100_000]).is_blank());
        assert!(!Features::of(&noise("sample", 100)).is_blank());
    }

    #[test]
    fn a_file_of_goodware_is_blank_and_what_is_appended_to_it_is_not() {
        let (clean, body) = (noise("clean", 20_000), noise("body", 1000));
        let mut goodware = Goodware::sized_for(20_000);
        goodware.add(&clean);
        assert!(Features::beyond(&clean, &goodware).is_blank());
        let features = Features::beyond(&[clean, body].concat(), &goodware);
        assert_eq!(features.whole.hashes().len(), limits::WHOLE_SKETCH_MAX);
        assert!(features.tlsh().is_some_and(|text| text.starts_with("T1")));
    }
}
