//! What can be changed while the server runs. A stored setting wins over the configuration file.

use engine::Engine;
use serde_json::Value;

/// A setting that can be changed at run time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// Bytes on disk at most.
    MaxBytes,
    /// Samples at most.
    MaxSamples,
}

/// Why a change is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RefusedSetting {
    /// No such key, or one that only the configuration file sets.
    #[error("{0} cannot be changed while the server runs: {known} can", known = Key::ALL.map(Key::name).join(", "))]
    Unknown(String),
    /// The value does not fit.
    #[error("{key} = {value}: a whole number of at least {min} is expected")]
    Value {
        /// The key's name.
        key: &'static str,
        /// What was sent.
        value: String,
        /// The least that works.
        min: u64,
    },
}

impl Key {
    /// Every key.
    pub const ALL: [Self; 2] = [Self::MaxBytes, Self::MaxSamples];

    /// Its name, as in the configuration file.
    pub fn name(self) -> &'static str {
        match self {
            Self::MaxBytes => "general.max_bytes",
            Self::MaxSamples => "general.max_samples",
        }
    }

    /// The key of this name.
    ///
    /// # Errors
    /// There is none.
    pub fn named(name: &str) -> Result<Self, RefusedSetting> {
        let found = Self::ALL.into_iter().find(|key| key.name() == name);
        found.ok_or_else(|| RefusedSetting::Unknown(name.chars().take(80).collect()))
    }

    /// A value out of JSON.
    ///
    /// # Errors
    /// No whole number, or one below the least that works: a store of a few megabytes cannot hold a segment.
    pub fn read(self, value: &Value) -> Result<u64, RefusedSetting> {
        let min = match self {
            Self::MaxBytes => 1 << 20,
            Self::MaxSamples => 1,
        };
        let fits = value.as_u64().filter(|number| *number >= min && *number <= i64::MAX as u64);
        fits.ok_or_else(|| RefusedSetting::Value {
            key: self.name(),
            value: value.to_string().chars().take(80).collect(),
            min,
        })
    }
}

/// The values that hold, with where each comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    values: [(Key, u64, String); 2],
}

impl Settings {
    /// What the options say.
    pub fn new(max_bytes: u64, max_samples: u64) -> Self {
        let configured = || "configuration".to_owned();
        Self { values: [(Key::MaxBytes, max_bytes, configured()), (Key::MaxSamples, max_samples, configured())] }
    }

    /// Each with its value and origin.
    pub fn each(&self) -> impl Iterator<Item = (Key, u64, &str)> {
        self.values.iter().map(|(key, value, origin)| (*key, *value, origin.as_str()))
    }

    /// Changes one.
    pub fn put(&mut self, key: Key, value: u64, origin: String) {
        for row in &mut self.values {
            if row.0 == key {
                (row.1, row.2) = (value, origin.clone());
            }
        }
    }

    /// What an earlier run stored; what this version does not know, or cannot use, is left and said.
    pub fn put_stored(&mut self, name: &str, json: &str, who: &str) {
        let value = serde_json::from_str(json).unwrap_or(Value::Null);
        match Key::named(name).and_then(|key| Ok((key, key.read(&value)?))) {
            Ok((key, value)) => self.put(key, value, format!("stored by {who}")),
            Err(error) => tracing::warn!(%error, "a stored setting is left aside"),
        }
    }

    /// Tells the engine.
    pub fn apply(&self, engine: &Engine) {
        let [(_, max_bytes, _), (_, max_samples, _)] = &self.values;
        let at_start = engine.settings();
        engine.change_limits(*max_bytes, *max_samples, at_start.low_percent, at_start.high_percent);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_stored_setting_wins_and_a_useless_one_is_left_aside() {
        let mut settings = Settings::new(1 << 30, 10);
        settings.put_stored("general.max_samples", "99", "ann");
        settings.put_stored("general.max_bytes", "\"much\"", "ann");
        settings.put_stored("general.colour", "1", "ann");
        let told: Vec<_> = settings.each().map(|(key, value, origin)| (key.name(), value, origin.to_owned())).collect();
        assert_eq!(
            told,
            [
                ("general.max_bytes", 1 << 30, "configuration".to_owned()),
                ("general.max_samples", 99, "stored by ann".to_owned())
            ]
        );
    }

    #[test]
    fn a_value_that_does_not_fit_is_refused_by_name() {
        let refused = Key::MaxBytes.read(&json!(5)).expect_err("too small");
        assert_eq!(refused.to_string(), "general.max_bytes = 5: a whole number of at least 1048576 is expected");
        assert!(Key::MaxSamples.read(&json!(-1)).is_err());
        assert!(Key::named("general.data").is_err());
    }
}
