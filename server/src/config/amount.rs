//! Sizes and durations as people write them: `4 GiB`, `512 MB`, `90 s`, `7 days`.
//! Whatever is printed by [`exact_bytes`] and [`exact_span`] reads back as the same value.

use std::time::Duration;

/// Units of size, largest first among equals; binary units are powers of 1024, decimal ones of 1000.
const BYTE_UNITS: &[(&str, u64)] = &[
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1_000),
    ("B", 1),
];

/// Units of time in milliseconds, largest first; every spelling that people use.
const SPAN_UNITS: &[(&[&str], u64)] = &[
    (&["d", "day", "days"], 86_400_000),
    (&["h", "hour", "hours"], 3_600_000),
    (&["min", "minute", "minutes"], 60_000),
    (&["s", "second", "seconds"], 1_000),
    (&["ms", "millisecond", "milliseconds"], 1),
];

/// A text that is no size or no duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// The part before the unit is not a number.
    #[error("'{0}' does not start with a number")]
    Number(String),
    /// The unit is unknown.
    #[error("unit '{unit}' is unknown, use one of {known}")]
    Unit {
        /// What was written.
        unit: String,
        /// What may be written.
        known: &'static str,
    },
    /// The value does not fit.
    #[error("'{0}' is too large")]
    TooLarge(String),
    /// A fraction of the smallest unit.
    #[error("'{0}' is not a whole number of the smallest unit")]
    Fraction(String),
}

/// Bytes of a text such as `4 GiB`, `1.5MB` or `1024`.
///
/// # Errors
/// No number, an unknown unit, more than [`u64::MAX`] bytes, a fraction of a byte.
pub fn parse_bytes(text: &str) -> Result<u64, AmountError> {
    let (number, unit) = split(text)?;
    let factor =
        if unit.is_empty() {
            1
        } else {
            BYTE_UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit)).map(|(_, factor)| *factor).ok_or_else(
                || AmountError::Unit { unit: unit.into(), known: "B, kB, MB, GB, TB, KiB, MiB, GiB, TiB" },
            )?
        };
    scale(number, factor, text)
}

/// Duration of a text such as `90 s`, `5min` or `7 days`; a bare number counts `unit`.
///
/// # Errors
/// No number, an unknown unit, more than [`u64::MAX`] milliseconds, a fraction of a millisecond.
pub fn parse_span(text: &str, bare: Duration) -> Result<Duration, AmountError> {
    let (number, unit) = split(text)?;
    let factor = if unit.is_empty() {
        u64::try_from(bare.as_millis()).map_err(|_| AmountError::TooLarge(text.into()))?
    } else {
        SPAN_UNITS
            .iter()
            .find(|(names, _)| names.iter().any(|name| name.eq_ignore_ascii_case(unit)))
            .map(|(_, factor)| *factor)
            .ok_or_else(|| AmountError::Unit { unit: unit.into(), known: "ms, s, min, h, days" })?
    };
    scale(number, factor, text).map(Duration::from_millis)
}

/// `bytes` in the largest unit that divides it, so that it reads back exactly.
#[must_use]
pub fn exact_bytes(bytes: u64) -> String {
    let unit = BYTE_UNITS.iter().take(4).find(|(_, factor)| bytes >= *factor && bytes.is_multiple_of(*factor));
    match unit {
        Some((name, factor)) => format!("{} {name}", bytes / factor),
        None => format!("{bytes} B"),
    }
}

/// `bytes` for people, three figures at most: `1.23 GiB`.
#[must_use]
pub fn short_bytes(bytes: u64) -> String {
    let Some((name, factor)) = BYTE_UNITS.iter().take(4).find(|(_, factor)| bytes >= *factor) else {
        return format!("{bytes} B");
    };
    let value = bytes as f64 / *factor as f64;
    let decimals = if value < 9.995 {
        2
    } else if value < 99.95 {
        1
    } else {
        0
    };
    format!("{value:.decimals$} {name}")
}

/// `span` in the largest unit that divides it, so that it reads back exactly.
#[must_use]
pub fn exact_span(span: Duration) -> String {
    let ms = span.as_millis();
    for (names, factor) in SPAN_UNITS {
        let factor = u128::from(*factor);
        if ms >= factor && ms.is_multiple_of(factor) {
            let count = ms / factor;
            let name = if names[0] == "d" && count != 1 {
                "days"
            } else if names[0] == "d" {
                "day"
            } else {
                names[0]
            };
            return format!("{count} {name}");
        }
    }
    format!("{ms} ms")
}

/// `span` for people: `850 us`, `12.3 ms`, `1.23 s`, `2 min 5 s`, `3 h 7 min`.
#[must_use]
pub fn short_span(span: Duration) -> String {
    let seconds = span.as_secs();
    if span < Duration::from_millis(1) {
        format!("{} us", span.as_micros())
    } else if seconds == 0 {
        format!("{:.1} ms", span.as_secs_f64() * 1000.0)
    } else if seconds < 60 {
        format!("{:.2} s", span.as_secs_f64())
    } else if seconds < 3600 {
        format!("{} min {} s", seconds / 60, seconds % 60)
    } else if seconds < 86_400 {
        format!("{} h {} min", seconds / 3600, seconds % 3600 / 60)
    } else {
        format!("{} d {} h", seconds / 86_400, seconds % 86_400 / 3600)
    }
}

/// `count` with thin groups of three, so that millions can be told from billions.
#[must_use]
pub fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut out = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `count` of something that is called `one` when it is alone: `1 file`, `1,200 files`.
#[must_use]
pub fn counted(count: u64, one: &str) -> String {
    format!("{} {one}{}", grouped(count), if count == 1 { "" } else { "s" })
}

fn split(text: &str) -> Result<(&str, &str), AmountError> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.' && c != '_').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    if number.is_empty() || number.starts_with(['.', '_']) {
        return Err(AmountError::Number(text.chars().take(40).collect()));
    }
    Ok((number, unit.trim()))
}

/// `number` (digits with at most one point) times `factor`, exactly: no floating point, so that
/// 18446744073709551615 stays itself.
fn scale(number: &str, factor: u64, text: &str) -> Result<u64, AmountError> {
    let shown = || text.chars().take(40).collect::<String>();
    let digits: String = number.chars().filter(|c| *c != '_').collect();
    let (whole, fraction) = digits.split_once('.').unwrap_or((&digits, ""));
    if fraction.contains('.') || whole.is_empty() {
        return Err(AmountError::Number(shown()));
    }
    let fraction = fraction.trim_end_matches('0');
    let too_large = |_| AmountError::TooLarge(shown());
    let whole: u64 = whole.parse().map_err(too_large)?;
    let product = u128::from(whole) * u128::from(factor);
    // 12 decimals of a TiB are already below a byte.
    if fraction.len() > 12 {
        return Err(AmountError::Fraction(shown()));
    }
    let part: u128 = if fraction.is_empty() { 0 } else { fraction.parse().map_err(too_large)? };
    let scaled = part * u128::from(factor);
    let ten = 10_u128.pow(fraction.len() as u32);
    if !scaled.is_multiple_of(ten) {
        return Err(AmountError::Fraction(shown()));
    }
    u64::try_from(product + scaled / ten).map_err(|_| AmountError::TooLarge(shown()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_with_binary_and_decimal_units_and_without() {
        let cases = [
            ("0", 0),
            ("1024", 1024),
            ("4 GiB", 4 << 30),
            ("4gib", 4 << 30),
            ("1.5 MiB", 3 << 19),
            ("10 kB", 10_000),
            ("1_000 B", 1000),
            ("18446744073709551615", u64::MAX),
        ];
        for (text, bytes) in cases {
            assert_eq!(parse_bytes(text), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn texts_that_are_no_size_are_refused_with_the_reason() {
        assert_eq!(parse_bytes("many"), Err(AmountError::Number("many".into())));
        assert_eq!(parse_bytes("-1"), Err(AmountError::Number("-1".into())));
        assert!(matches!(parse_bytes("4 gigs"), Err(AmountError::Unit { .. })));
        assert_eq!(parse_bytes("17000000 TiB"), Err(AmountError::TooLarge("17000000 TiB".into())));
        assert_eq!(parse_bytes("0.5 B"), Err(AmountError::Fraction("0.5 B".into())));
        assert_eq!(parse_bytes("1.2.3 MiB"), Err(AmountError::Number("1.2.3 MiB".into())));
    }

    #[test]
    fn durations_are_read_with_their_unit_or_the_unit_of_the_key() {
        let minute = Duration::from_secs(60);
        assert_eq!(parse_span("1440", minute), Ok(Duration::from_secs(86_400)));
        assert_eq!(parse_span("90 s", minute), Ok(Duration::from_secs(90)));
        assert_eq!(parse_span("7 days", minute), Ok(Duration::from_secs(7 * 86_400)));
        assert_eq!(parse_span("1.5h", minute), Ok(Duration::from_secs(5400)));
        assert!(parse_span("1 fortnight", minute).is_err());
    }

    #[test]
    fn what_is_printed_exactly_reads_back_as_the_same_value() {
        for bytes in [0, 1, 1023, 1024, 1536, 1 << 20, 5 << 30, 3 << 40, u64::MAX] {
            assert_eq!(parse_bytes(&exact_bytes(bytes)), Ok(bytes));
        }
        for ms in [0, 1, 999, 1000, 60_000, 90_000, 3_600_000, 86_400_000, 172_800_001] {
            let span = Duration::from_millis(ms);
            assert_eq!(parse_span(&exact_span(span), Duration::from_secs(1)), Ok(span));
        }
    }

    #[test]
    fn amounts_for_people_have_three_figures() {
        assert_eq!(short_bytes(999), "999 B");
        assert_eq!(short_bytes(1536), "1.50 KiB");
        assert_eq!(short_bytes(123 << 20), "123 MiB");
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(grouped(12), "12");
        assert_eq!((counted(1, "file").as_str(), counted(1200, "file").as_str()), ("1 file", "1,200 files"));
        assert_eq!(short_span(Duration::from_secs(125)), "2 min 5 s");
    }
}
