//! What can be changed while the server runs. A stored setting wins over the configuration file.

use crate::config::keys::{self, Effect};
use crate::config::shape::Value;
use crate::config::{Misfit, Origin, Settings as Configured, policy};
use crate::daemon::policy::Policy;
use engine::Engine;
use std::collections::BTreeMap;

/// Why a change is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RefusedSetting {
    /// No such key.
    #[error("there is no setting {name}{}", near.as_ref().map(|near| format!(", did you mean {near}?")).unwrap_or_default())]
    Unknown {
        /// What was asked for.
        name: String,
        /// The nearest known one.
        near: Option<String>,
    },
    /// Only the configuration file sets it, or nothing acts on it.
    #[error("{name} cannot be changed while the server runs: {why}")]
    Fixed {
        /// Which.
        name: String,
        /// Why.
        why: String,
    },
    /// The value does not fit its key.
    #[error("{0}")]
    Value(String),
}

/// The values that hold, with where each comes from.
#[derive(Debug, Clone)]
pub struct Settings {
    values: Configured,
    /// Who stored a setting, by its name.
    stored_by: BTreeMap<String, String>,
}

impl Settings {
    /// What the configuration says.
    pub fn new(values: Configured) -> Self {
        Self { values, stored_by: BTreeMap::new() }
    }

    /// Each that can be changed, with its value as programs read it and its origin.
    pub fn each(&self) -> impl Iterator<Item = (String, serde_json::Value, String)> {
        self.values.iter().filter_map(|(name, setting)| {
            let key = keys::find(&name).filter(|key| key.effect == Effect::Stored)?;
            let origin = match self.stored_by.get(&name) {
                Some(who) => format!("stored by {who}"),
                None if setting.origin == Origin::Default => "default".to_owned(),
                None => "configuration".to_owned(),
            };
            Some((name, key.shape.json(&setting.value), origin))
        })
    }

    /// A value out of JSON, for the key of this name.
    ///
    /// # Errors
    /// No such key, one that cannot be changed, or a value of another shape.
    pub fn read(name: &str, json: &serde_json::Value) -> Result<Value, RefusedSetting> {
        let shown = || name.chars().take(80).collect::<String>();
        let Some(key) = keys::find(name) else {
            return Err(RefusedSetting::Unknown { name: shown(), near: keys::nearest(name) });
        };
        match key.effect {
            Effect::Stored => {}
            Effect::Now => {
                return Err(RefusedSetting::Fixed {
                    name: shown(),
                    why: "it is read when the server starts".to_owned(),
                });
            }
            Effect::Later(what) => {
                return Err(RefusedSetting::Fixed { name: shown(), why: format!("it waits for {what}") });
            }
        }
        let toml =
            toml::Value::try_from(json).map_err(|_| RefusedSetting::Value(format!("{name} cannot be nothing")))?;
        key.shape.read(&toml).map_err(|error| RefusedSetting::Value(format!("{name} {error}")))
    }

    /// These settings with others over them, and the policy that they make together.
    ///
    /// # Errors
    /// A value that does not fit, alone or with the others.
    pub fn with(&self, changes: &[(String, Value)], who: &str) -> Result<(Self, Policy), RefusedSetting> {
        let mut changed = self.clone();
        for (name, value) in changes {
            changed.values.put(name, value.clone(), Origin::Stored);
            changed.stored_by.insert(name.clone(), who.to_owned());
        }
        let policy = policy(&changed.values).map_err(|misfits| RefusedSetting::Value(sentences(&misfits)))?;
        Ok((changed, policy))
    }

    /// Lays what an earlier run stored over these; what this version does not know, or cannot use, is left and said.
    pub fn restore(&mut self, name: &str, json: &str, who: &str) {
        let value = serde_json::from_str(json).unwrap_or(serde_json::Value::Null);
        let restored = Self::read(name, &value).and_then(|value| self.with(&[(name.to_owned(), value)], who));
        match restored {
            Ok((settings, _)) => *self = settings,
            Err(error) => tracing::warn!(%error, "a stored setting is left aside"),
        }
    }

    /// The policy.
    ///
    /// # Errors
    /// What does not fit, as sentences.
    pub fn policy(&self) -> Result<Policy, RefusedSetting> {
        policy(&self.values).map_err(|misfits| RefusedSetting::Value(sentences(&misfits)))
    }

    /// Tells the engine its limits.
    pub fn apply(&self, engine: &Engine) {
        // Percentages are at most 100 by their shape.
        let percent = |name: &str| u8::try_from(self.values.number(name)).unwrap_or(100);
        engine.change_limits(
            self.values.number("general.max_bytes"),
            self.values.number("general.max_samples"),
            percent("general.low_percent"),
            percent("general.high_percent"),
        );
    }
}

fn sentences(misfits: &[Misfit]) -> String {
    misfits.iter().map(|misfit| misfit.message.as_str()).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn told(settings: &Settings, name: &str) -> (serde_json::Value, String) {
        let found = settings.each().find(|(known, _, _)| known == name).expect("it can be changed");
        (found.1, found.2)
    }

    #[test]
    fn a_stored_setting_wins_and_a_useless_one_is_left_aside() {
        let mut settings = Settings::new(Configured::default());
        settings.restore("general.max_samples", "99", "ann");
        settings.restore("general.max_bytes", "\"much\"", "ann");
        settings.restore("general.low_percent", "95", "ann");
        settings.restore("general.colour", "1", "ann");
        assert_eq!(told(&settings, "general.max_samples"), (json!(99), "stored by ann".to_owned()));
        assert_eq!(told(&settings, "general.max_bytes"), (json!(16_u64 << 30), "default".to_owned()));
        assert_eq!(told(&settings, "general.low_percent").0, json!(80), "not above the high one");
    }

    #[test]
    fn a_duration_is_told_and_taken_in_the_unit_of_its_name() {
        let settings = Settings::new(Configured::default());
        assert_eq!(told(&settings, "definition_policy.certified_interval_min").0, json!(1440));
        for value in [json!(90), json!("90 s")] {
            let name = "sample_policy.queue_check_interval_s";
            let value = Settings::read(name, &value).expect("it fits");
            let (settings, policy) = settings.with(&[(name.to_owned(), value)], "ann").expect("it fits the others");
            assert_eq!(told(&settings, name).0, json!(90));
            assert_eq!(policy.queue_check_interval.as_secs(), 90);
        }
    }

    #[test]
    fn a_value_that_does_not_fit_is_refused_by_name() {
        let settings = Settings::new(Configured::default());
        let small = Settings::read("general.max_bytes", &json!(5)).expect("a number");
        let refused = settings.with(&[("general.max_bytes".to_owned(), small)], "ann").expect_err("too small");
        assert_eq!(refused.to_string(), "general.max_bytes is 5: at least 1048576 bytes are needed");
        assert!(Settings::read("general.max_samples", &json!(-1)).is_err());
        assert!(Settings::read("general.max_samples", &json!(null)).is_err());
        let fixed = Settings::read("general.data", &json!("x")).expect_err("only the file");
        assert!(fixed.to_string().contains("cannot be changed while the server runs"), "{fixed}");
        let typo = Settings::read("general.max_byte", &json!(1)).expect_err("unknown");
        assert!(typo.to_string().contains("did you mean general.max_bytes?"), "{typo}");
    }
}
