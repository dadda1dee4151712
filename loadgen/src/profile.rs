//! A profile: what an estate does, as versioned TOML. Unknown keys are refused.

use crate::draw::BLOCK;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The version of the profile format that this code reads.
pub const VERSION: u32 = 1;

/// The profiles that are built in, in the order of `loadgen list`.
const BUILT_IN: [(&str, &str); 3] = [
    ("steady", include_str!("../profiles/steady.toml")),
    ("quota-cliff", include_str!("../profiles/quota-cliff.toml")),
    ("retest", include_str!("../profiles/retest.toml")),
];

/// Which door of the server is knocked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// The native protocol, many requests in flight on each connection.
    Native,
    /// HTTP `PUT /v1/samples`, one request in flight on each connection.
    Http,
}

/// How arrivals are spaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Spacing {
    /// Equal gaps.
    Constant,
    /// Exponential gaps: clients that know nothing of one another.
    Poisson,
}

/// What an estate does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Version of this format.
    pub version: u32,
    /// The profile's name.
    pub name: String,
    /// One line for `loadgen list`.
    pub about: String,
    /// Which door.
    pub protocol: Protocol,
    /// Arrivals in a second, over all clients.
    pub rate_per_s: f64,
    /// How they are spaced.
    pub arrivals: Spacing,
    /// Time of arrivals, warm-up included, in seconds.
    pub duration_s: f64,
    /// Arrivals before this are sent and conserved, but no latency of theirs is recorded.
    pub warm_up_s: f64,
    /// How long answers are awaited after the last arrival, in seconds.
    pub drain_s: f64,
    /// Simulated clients, each with a name of its own.
    pub clients: u64,
    /// Connections that the clients share.
    pub connections: usize,
    /// Samples of at least this many bytes are offered by digest before their bytes are sent.
    pub offer_bytes_min: u64,
    /// Over HTTP: wait for `100 Continue` before the body is sent.
    #[serde(default)]
    pub expect_continue: bool,
    /// Accepted items that are read back and compared at the end.
    pub read_back: u64,
    /// A run whose p99 lag is over this measured itself, not the server: it is marked invalid.
    pub lag_p99_us_max: u64,
    /// What is sent.
    pub corpus: CorpusShape,
    /// What makes the run fail.
    pub thresholds: Thresholds,
}

/// What samples look like. Every list of shares adds up to 1000.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CorpusShape {
    /// Arrivals in a thousand whose content another arrival of the run brings.
    pub duplicates_per_mille: u64,
    /// Sizes of distinct contents.
    pub sizes: Vec<SizeShare>,
    /// What the contents are like.
    pub kinds: KindShares,
}

/// Contents in a thousand that have a size in this range, drawn evenly over its logarithm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SizeShare {
    /// Contents in a thousand.
    pub per_mille: u64,
    /// Smallest size.
    pub bytes_min: u64,
    /// Largest size.
    pub bytes_max: u64,
}

/// Contents in a thousand of each kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KindShares {
    /// Programs: compress about 2:1.
    pub binary: u64,
    /// Scripts and mail: compress better.
    pub text: u64,
    /// Packed or encrypted: do not compress.
    pub incompressible: u64,
}

/// Limits of a run; absent means unlimited.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Thresholds {
    /// Arrivals in a thousand that may end in an error.
    pub errors_per_mille_max: Option<f64>,
    /// Arrivals in a thousand that may be refused.
    pub refused_per_mille_max: Option<f64>,
    /// 99th percentile of the response time, microseconds.
    pub response_p99_us_max: Option<u64>,
    /// Refusals for a full store that must be seen.
    pub full_refusals_min: Option<u64>,
    /// Refusals in a thousand that may come only after body bytes were sent.
    pub late_refusals_per_mille_max: Option<f64>,
}

/// Why a profile cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// No profile has this name.
    #[error("no profile is named '{name}'; there are: {known}")]
    Unknown {
        /// What was asked for.
        name: String,
        /// The names there are.
        known: String,
    },
    /// The text is not a profile.
    #[error("profile '{name}' cannot be read: {cause}")]
    Toml {
        /// The profile's name or path.
        name: String,
        /// What is wrong, with line and column.
        cause: Box<toml::de::Error>,
    },
    /// A value makes no sense.
    #[error("profile '{name}': {what}")]
    Value {
        /// The profile's name.
        name: String,
        /// Which value and why.
        what: String,
    },
}

/// Every built-in profile.
///
/// # Errors
/// A built-in profile is broken; a test keeps that from happening.
pub fn built_in() -> Result<Vec<Profile>, ProfileError> {
    BUILT_IN.iter().map(|(name, text)| Profile::parse(name, text)).collect()
}

impl Profile {
    /// The built-in profile of this name.
    ///
    /// # Errors
    /// No such name.
    pub fn named(name: &str) -> Result<Self, ProfileError> {
        match BUILT_IN.iter().find(|(known, _)| *known == name) {
            Some((name, text)) => Self::parse(name, text),
            None => {
                let known: Vec<&str> = BUILT_IN.iter().map(|(known, _)| *known).collect();
                Err(ProfileError::Unknown { name: name.to_owned(), known: known.join(", ") })
            }
        }
    }

    /// Reads a profile and checks it.
    ///
    /// # Errors
    /// The key or value that is wrong.
    pub fn parse(name: &str, text: &str) -> Result<Self, ProfileError> {
        let profile: Self = toml::from_str(text)
            .map_err(|cause| ProfileError::Toml { name: name.to_owned(), cause: Box::new(cause) })?;
        profile.check()?;
        Ok(profile)
    }

    /// Changes the time of arrivals; the warm-up keeps its share of it.
    pub fn last_for(&mut self, duration: Duration) {
        let duration_s = duration.as_secs_f64();
        self.warm_up_s *= duration_s / self.duration_s;
        self.duration_s = duration_s;
    }

    /// Checks values against one another; run again after command-line options changed some.
    ///
    /// # Errors
    /// The value that makes no sense.
    pub fn check(&self) -> Result<(), ProfileError> {
        let rules = [
            (self.version == VERSION, format!("version is {}, this loadgen reads {VERSION}", self.version)),
            (positive(self.rate_per_s), format!("rate_per_s is {}, it must be above 0", self.rate_per_s)),
            (positive(self.duration_s), format!("duration_s is {}, it must be above 0", self.duration_s)),
            (
                (0.0..self.duration_s).contains(&self.warm_up_s),
                format!("warm_up_s is {}, it must lie below duration_s = {}", self.warm_up_s, self.duration_s),
            ),
            (self.drain_s.is_finite() && self.drain_s >= 0.0, format!("drain_s is {}", self.drain_s)),
            (self.clients > 0, "clients is 0".to_owned()),
            (self.connections > 0, "connections is 0".to_owned()),
            (
                self.rate_per_s * self.duration_s <= crate::limits::ARRIVALS_MAX as f64,
                format!("more than {} arrivals in one run", crate::limits::ARRIVALS_MAX),
            ),
        ];
        match rules.into_iter().find(|(holds, _)| !holds) {
            Some((_, what)) => Err(ProfileError::Value { name: self.name.clone(), what }),
            None => self.corpus.check(&self.name),
        }
    }
}

impl CorpusShape {
    fn check(&self, name: &str) -> Result<(), ProfileError> {
        let kinds = self.kinds.binary + self.kinds.text + self.kinds.incompressible;
        let sizes: u64 = self.sizes.iter().map(|share| share.per_mille).sum();
        let rules = [
            (self.duplicates_per_mille < BLOCK, format!("duplicates_per_mille is {}", self.duplicates_per_mille)),
            (sizes == BLOCK, format!("the sizes add up to {sizes} in {BLOCK}")),
            (kinds == BLOCK, format!("the kinds add up to {kinds} in {BLOCK}")),
            (
                self.sizes.iter().all(|share| 16 <= share.bytes_min && share.bytes_min <= share.bytes_max),
                "a size share needs 16 <= bytes_min <= bytes_max (16 bytes make contents distinct)".to_owned(),
            ),
        ];
        match rules.into_iter().find(|(holds, _)| !holds) {
            Some((_, what)) => Err(ProfileError::Value { name: name.to_owned(), what }),
            None => Ok(()),
        }
    }
}

fn positive(value: f64) -> bool {
    value.is_finite() && value > 0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_profile_reads_and_bears_its_name() {
        let names: Vec<String> = built_in().unwrap().into_iter().map(|profile| profile.name).collect();
        assert_eq!(names, BUILT_IN.map(|(name, _)| name));
    }

    #[test]
    fn an_unknown_key_is_refused_by_name() {
        let text = BUILT_IN[0].1.replace("rate_per_s", "rate_per_sec");
        let error = Profile::parse("steady", &text).unwrap_err().to_string();
        assert!(error.contains("rate_per_sec"), "{error}");
    }

    #[test]
    fn shares_that_do_not_add_up_are_refused() {
        let mut profile = Profile::named("steady").unwrap();
        profile.corpus.kinds.text += 1;
        assert!(profile.check().unwrap_err().to_string().contains("1001 in 1000"));
    }

    #[test]
    fn an_unknown_profile_is_answered_with_the_known_ones() {
        let error = Profile::named("stedy").unwrap_err().to_string();
        assert!(error.contains("steady, quota-cliff"), "{error}");
    }
}
