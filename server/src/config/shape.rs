//! What a key may hold, and the reading of one value against it.

use super::amount::{AmountError, exact_bytes, exact_span, parse_bytes, parse_span};
use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

/// What a key may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Any text; empty means not set.
    Text,
    /// A path; relative ones count from the working directory of the server. Empty means not set.
    Path,
    /// `address:port` to listen on; empty means that the door stays shut.
    Address,
    /// true or false.
    Flag,
    /// A whole number within both bounds.
    Count(u64, u64),
    /// A whole number of 0 to 100.
    Percent,
    /// A size: bytes, or a text with a unit.
    Bytes,
    /// A duration: a whole number of the given unit, or a text with a unit.
    Span(Unit),
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Texts.
    List,
}

/// What a bare number of a duration counts; the key's name ends in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// `_s`
    Seconds,
    /// `_min`
    Minutes,
}

impl Unit {
    /// One of this unit.
    #[must_use]
    pub fn span(self) -> Duration {
        match self {
            Self::Seconds => Duration::from_secs(1),
            Self::Minutes => Duration::from_secs(60),
        }
    }
}

/// A value that fits its key's shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Text, path, address or word.
    Text(String),
    /// true or false.
    Flag(bool),
    /// Count or percentage.
    Count(u64),
    /// Bytes.
    Bytes(u64),
    /// Duration.
    Span(Duration),
    /// Texts.
    List(Vec<String>),
}

impl fmt::Display for Value {
    /// As it would be written in the file.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(out, "{}", toml::Value::String(text.clone())),
            Self::Flag(flag) => flag.fmt(out),
            Self::Count(count) => count.fmt(out),
            Self::Bytes(bytes) => write!(out, "\"{}\"", exact_bytes(*bytes)),
            Self::Span(span) => write!(out, "\"{}\"", exact_span(*span)),
            Self::List(texts) => {
                write!(out, "{}", toml::Value::Array(texts.iter().cloned().map(toml::Value::String).collect()))
            }
        }
    }
}

impl Value {
    /// As a program would read it: sizes in bytes, durations in milliseconds.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        match self {
            Self::Text(text) => text.as_str().into(),
            Self::Flag(flag) => (*flag).into(),
            Self::Count(count) | Self::Bytes(count) => (*count).into(),
            Self::Span(span) => u64::try_from(span.as_millis()).unwrap_or(u64::MAX).into(),
            Self::List(texts) => texts.clone().into(),
        }
    }
}

/// A value that does not fit its key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShapeError {
    /// Another type was expected.
    #[error("expects {expected}, found {found}")]
    Type {
        /// In words.
        expected: String,
        /// What was written.
        found: String,
    },
    /// A number outside of its bounds.
    #[error("expects a whole number from {min} to {max}, found {found}")]
    Range {
        /// Lowest allowed.
        min: u64,
        /// Highest allowed.
        max: u64,
        /// What was written.
        found: String,
    },
    /// Not a size or duration.
    #[error(transparent)]
    Amount(#[from] AmountError),
}

impl Shape {
    /// A value of this shape as programs write it: a duration in the unit that its key's name ends in.
    #[must_use]
    pub fn json(self, value: &Value) -> serde_json::Value {
        match (self, value) {
            (Self::Span(unit), Value::Span(span)) if span.as_millis() % unit.span().as_millis() == 0 => {
                u64::try_from(span.as_millis() / unit.span().as_millis()).unwrap_or(u64::MAX).into()
            }
            (Self::Span(_), Value::Span(span)) => exact_span(*span).into(),
            (_, value) => value.json(),
        }
    }

    /// Reads a TOML value.
    ///
    /// # Errors
    /// It is of another type, outside of the bounds, or no amount.
    pub fn read(self, value: &toml::Value) -> Result<Value, ShapeError> {
        use toml::Value as Toml;
        match (self, value) {
            (Self::Flag, Toml::Boolean(flag)) => Ok(Value::Flag(*flag)),
            (Self::Count(min, max), Toml::Integer(count)) => bounded(*count, min, max),
            (Self::Percent, Toml::Integer(count)) => bounded(*count, 0, 100),
            (Self::Bytes, Toml::Integer(count)) => {
                u64::try_from(*count).map(Value::Bytes).map_err(|_| self.mismatch(value))
            }
            (Self::Span(unit), Toml::Integer(count)) => match u32::try_from(*count) {
                Ok(count) => Ok(Value::Span(unit.span() * count)),
                Err(_) => Err(ShapeError::Range { min: 0, max: u64::from(u32::MAX), found: count.to_string() }),
            },
            (Self::List, Toml::Array(values)) => values
                .iter()
                .map(|one| one.as_str().map(str::to_owned))
                .collect::<Option<Vec<_>>>()
                .map(Value::List)
                .ok_or_else(|| self.mismatch(value)),
            (_, Toml::String(text)) => self.parse(text),
            _ => Err(self.mismatch(value)),
        }
    }

    /// Reads a text, as on the command line, where everything is a text.
    ///
    /// # Errors
    /// As [`Shape::read`].
    pub fn parse(self, text: &str) -> Result<Value, ShapeError> {
        let mismatch = || self.mismatch(&toml::Value::String(text.to_owned()));
        match self {
            Self::Text | Self::Path => Ok(Value::Text(text.to_owned())),
            Self::Address if text.is_empty() => Ok(Value::Text(String::new())),
            Self::Address => text.parse::<SocketAddr>().map(|_| Value::Text(text.to_owned())).map_err(|_| mismatch()),
            Self::Flag => text.parse().map(Value::Flag).map_err(|_| mismatch()),
            Self::Count(min, max) => text.parse().map_err(|_| mismatch()).and_then(|count| bounded(count, min, max)),
            Self::Percent => text.parse().map_err(|_| mismatch()).and_then(|count| bounded(count, 0, 100)),
            Self::Bytes => Ok(Value::Bytes(parse_bytes(text)?)),
            Self::Span(unit) => Ok(Value::Span(parse_span(text, unit.span())?)),
            Self::Choice(words) if words.contains(&text) => Ok(Value::Text(text.to_owned())),
            Self::Choice(_) => Err(mismatch()),
            Self::List if text.is_empty() => Ok(Value::List(Vec::new())),
            Self::List => Ok(Value::List(text.split(',').map(|one| one.trim().to_owned()).collect())),
        }
    }

    fn mismatch(self, found: &toml::Value) -> ShapeError {
        ShapeError::Type { expected: self.to_string(), found: found.to_string().chars().take(80).collect() }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text => out.write_str("a text"),
            Self::Path => out.write_str("a path"),
            Self::Address => out.write_str("an address with its port such as \"127.0.0.1:8740\""),
            Self::Flag => out.write_str("true or false"),
            Self::Count(min, max) => write!(out, "a whole number from {min} to {max}"),
            Self::Percent => out.write_str("a whole number from 0 to 100"),
            Self::Bytes => out.write_str("a size such as \"4 GiB\" or a number of bytes"),
            Self::Span(Unit::Seconds) => out.write_str("a duration such as \"90 s\" or a number of seconds"),
            Self::Span(Unit::Minutes) => out.write_str("a duration such as \"12 h\" or a number of minutes"),
            Self::Choice(words) => write!(out, "one of \"{}\"", words.join("\", \"")),
            Self::List => out.write_str("a list of texts"),
        }
    }
}

fn bounded(count: i64, min: u64, max: u64) -> Result<Value, ShapeError> {
    match u64::try_from(count) {
        Ok(count) if (min..=max).contains(&count) => Ok(Value::Count(count)),
        Ok(_) | Err(_) => Err(ShapeError::Range { min, max, found: count.to_string() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn toml(text: &str) -> toml::Value {
        toml::from_str::<toml::Table>(&format!("v = {text}")).expect("valid TOML")["v"].clone()
    }

    #[test]
    fn sizes_and_durations_are_whole_numbers_or_texts() {
        assert_eq!(Shape::Bytes.read(&toml("4096")), Ok(Value::Bytes(4096)));
        assert_eq!(Shape::Bytes.read(&toml("'4 KiB'")), Ok(Value::Bytes(4096)));
        let day = Value::Span(Duration::from_secs(86_400));
        assert_eq!(Shape::Span(Unit::Minutes).read(&toml("1440")), Ok(day.clone()));
        assert_eq!(Shape::Span(Unit::Seconds).read(&toml("'1 day'")), Ok(day));
    }

    #[test]
    fn a_value_of_the_wrong_type_says_what_was_expected_and_found() {
        let error = Shape::Flag.read(&toml("'yes'")).expect_err("a text is no flag");
        assert_eq!(error.to_string(), "expects true or false, found \"yes\"");
        let error = Shape::Percent.read(&toml("101")).expect_err("over 100");
        assert_eq!(error.to_string(), "expects a whole number from 0 to 100, found 101");
        let error = Shape::Choice(&["map", "pread"]).read(&toml("'mmap'")).expect_err("unknown word");
        assert_eq!(error.to_string(), "expects one of \"map\", \"pread\", found \"mmap\"");
    }

    #[test]
    fn an_address_needs_a_port() {
        assert!(Shape::Address.parse("127.0.0.1").is_err());
        assert!(Shape::Address.parse("[::1]:0").is_ok());
        assert_eq!(Shape::Address.parse(""), Ok(Value::Text(String::new())));
    }
}
