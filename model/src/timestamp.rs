//! A moment in time: milliseconds inside, RFC 3339 UTC at every border.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Milliseconds since 1970 UTC. 0 means "never", as a missing attribute does (first seed, "Submitting files manually").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(pub i64);

/// 0000-01-01T00:00:00.000Z, the earliest moment that RFC 3339 can write.
const MS_MIN: i64 = -62_167_219_200_000;
/// 9999-12-31T23:59:59.999Z, the latest.
const MS_MAX: i64 = 253_402_300_799_999;

impl Timestamp {
    /// No date.
    pub const NEVER: Self = Self(0);

    /// Whether this stands for no date.
    pub const fn is_never(&self) -> bool {
        self.0 == 0
    }
}

impl fmt::Display for Timestamp {
    /// `2026-01-02T03:04:05.678Z`; a moment outside the years 0 to 9999 is written as the nearest one inside.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = self.0.clamp(MS_MIN, MS_MAX);
        let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(ms) * 1_000_000).map_err(|_| fmt::Error)?;
        let (hour, minute, second, milli) = at.to_hms_milli();
        write!(
            out,
            "{:04}-{:02}-{:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z",
            at.year(),
            u8::from(at.month()),
            at.day()
        )
    }
}

impl FromStr for Timestamp {
    type Err = ParseTimestampError;

    /// Reads RFC 3339 with any offset; digits below a millisecond are dropped.
    fn from_str(text: &str) -> Result<Self, ParseTimestampError> {
        let at = OffsetDateTime::parse(text, &Rfc3339)
            .map_err(|_| ParseTimestampError { text: text.chars().take(40).collect() })?;
        Ok(Self(at.unix_timestamp_nanos().div_euclid(1_000_000) as i64))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A text that is not a moment in time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{text}' is not a time: RFC 3339 is expected, as in 2026-01-02T03:04:05.678Z")]
pub struct ParseTimestampError {
    text: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_time_is_written_with_its_milliseconds_in_utc() {
        assert_eq!(Timestamp(1_767_323_045_678).to_string(), "2026-01-02T03:04:05.678Z");
        assert_eq!(Timestamp(-1).to_string(), "1969-12-31T23:59:59.999Z");
        assert_eq!("2026-01-02T05:04:05.6789+02:00".parse(), Ok(Timestamp(1_767_323_045_678)));
    }

    #[test]
    fn a_time_beyond_the_calendar_is_written_as_the_nearest_inside() {
        assert_eq!(Timestamp(i64::MAX).to_string(), "9999-12-31T23:59:59.999Z");
        assert_eq!(Timestamp(i64::MIN).to_string(), "0000-01-01T00:00:00.000Z");
    }

    #[test]
    fn a_text_that_is_no_time_is_refused() {
        for text in ["", "yesterday", "2026-13-01T00:00:00Z", "2026-01-02"] {
            assert!(text.parse::<Timestamp>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_time_of_the_calendar_reads_back(ms in MS_MIN..=MS_MAX) {
            prop_assert_eq!(Timestamp(ms).to_string().parse(), Ok(Timestamp(ms)));
        }
    }
}
