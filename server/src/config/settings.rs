//! Every key with the value that holds and where it came from.
//! 1. Every known key is present, so a look-up of a known name cannot fail.
//! 2. A later layer wins: default, file, command line, stored setting.

use super::keys::{self, Effect};
use super::shape::{ShapeError, Value};
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// Where a value came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Nobody said otherwise.
    Default,
    /// The configuration file, at this line.
    File(usize),
    /// A flag.
    CommandLine,
    /// Changed at run time through the API, and stored.
    Stored,
}

impl fmt::Display for Origin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => out.write_str("default"),
            Self::File(line) => write!(out, "file line {line}"),
            Self::CommandLine => out.write_str("command line"),
            Self::Stored => out.write_str("stored setting"),
        }
    }
}

/// A value and its origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// What holds.
    pub value: Value,
    /// Where it came from.
    pub origin: Origin,
}

/// Every key with the value that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    values: BTreeMap<String, Setting>,
}

impl Default for Settings {
    fn default() -> Self {
        let values = keys::names()
            .map(|name| {
                let value = default_of(&name).expect("a test reads every default");
                (name, Setting { value, origin: Origin::Default })
            })
            .collect();
        Self { values }
    }
}

impl Settings {
    /// The setting of a known key.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Setting> {
        self.values.get(name)
    }

    /// Puts a value over what held before. Callers have read it against the key's shape.
    pub fn put(&mut self, name: &str, value: Value, origin: Origin) {
        debug_assert!(keys::find(name).is_some(), "{name} is a known key");
        self.values.insert(name.to_owned(), Setting { value, origin });
    }

    /// Puts a text from the command line over what held before.
    ///
    /// # Errors
    /// It does not fit the key.
    pub fn put_text(&mut self, name: &str, text: &str, origin: Origin) -> Result<(), ShapeError> {
        let key = keys::find(name).expect("the command line names known keys");
        self.put(name, key.shape.parse(text)?, origin);
        Ok(())
    }

    /// Names and settings in the order in which they are shown.
    pub fn iter(&self) -> impl Iterator<Item = (String, &Setting)> {
        keys::names().map(|name| {
            let setting = &self.values[&name];
            (name, setting)
        })
    }

    /// Keys that somebody set although this version does not act on them, with what they wait for.
    #[must_use]
    pub fn without_effect(&self) -> Vec<(String, Origin, &'static str)> {
        self.iter()
            .filter_map(|(name, setting)| match (setting.origin, keys::find(&name)?.effect) {
                (Origin::Default, _) | (_, Effect::Now | Effect::Stored) => None,
                (origin, Effect::Later(what)) => Some((name, origin, what)),
            })
            .collect()
    }

    /// The text of a key that holds one.
    #[must_use]
    pub fn text(&self, name: &str) -> &str {
        match &self.values[name].value {
            Value::Text(text) => text,
            other => unreachable!("{name} holds {other:?}, not a text"),
        }
    }

    /// The path of a key, unless it is empty.
    #[must_use]
    pub fn path(&self, name: &str) -> Option<PathBuf> {
        let text = self.text(name);
        (!text.is_empty()).then(|| PathBuf::from(text))
    }

    /// The flag of a key that holds one.
    #[must_use]
    pub fn flag(&self, name: &str) -> bool {
        match &self.values[name].value {
            Value::Flag(flag) => *flag,
            other => unreachable!("{name} holds {other:?}, not a flag"),
        }
    }

    /// The texts of a key that holds a list.
    #[must_use]
    pub fn list(&self, name: &str) -> &[String] {
        match &self.values[name].value {
            Value::List(texts) => texts,
            other => unreachable!("{name} holds {other:?}, not a list"),
        }
    }

    /// The number of a key that holds a count, a percentage or bytes.
    #[must_use]
    pub fn number(&self, name: &str) -> u64 {
        match &self.values[name].value {
            Value::Count(number) | Value::Bytes(number) => *number,
            other => unreachable!("{name} holds {other:?}, not a number"),
        }
    }

    /// The duration of a key that holds one.
    #[must_use]
    pub fn span(&self, name: &str) -> Duration {
        match &self.values[name].value {
            Value::Span(span) => *span,
            other => unreachable!("{name} holds {other:?}, not a duration"),
        }
    }
}

/// The default of a known key.
#[must_use]
pub fn default_of(name: &str) -> Option<Value> {
    let key = keys::find(name)?;
    let table: toml::Table = toml::from_str(&format!("v = {}", key.default)).ok()?;
    key.shape.read(&table["v"]).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_layer_wins_and_names_itself() {
        let mut settings = Settings::default();
        assert_eq!(settings.number("general.max_bytes"), 16 << 30);
        settings.put("general.max_bytes", Value::Bytes(1), Origin::File(3));
        settings.put_text("general.max_bytes", "2 KiB", Origin::CommandLine).expect("a size");
        let setting = settings.find("general.max_bytes").expect("known");
        assert_eq!((&setting.value, setting.origin), (&Value::Bytes(2048), Origin::CommandLine));
    }

    #[test]
    fn a_key_that_waits_for_a_later_version_is_named_only_when_somebody_set_it() {
        let mut settings = Settings::default();
        assert_eq!(settings.without_effect(), []);
        settings.put("email.from", Value::Text("a@b.example".to_owned()), Origin::File(9));
        let found = settings.without_effect();
        assert_eq!(found, [("email.from".to_owned(), Origin::File(9), "e-mail-based scan and deliver")]);
    }
}
