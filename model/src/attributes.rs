//! The attributes of an item and of the messages about it. Their names always begin with `X-`
//! (first seed, "Interpreting attributes of submissions").
//!
//! 1. A missing attribute equals 0.
//! 2. The six of the seed are kept for every item as numbers; all others are derived when a message is written.

use crate::id::Sequence;
use crate::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

/// The six attributes that rule an item's way through the loop. A date of 0 is left out of JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Attributes {
    /// Above 0: eligible for automatic submission, the higher the sooner.
    #[serde(rename = "X-Sample-Priority", default)]
    pub sample_priority: u32,
    /// When it was queued for the gateway.
    #[serde(rename = "X-Date-Submitted", default, skip_serializing_if = "Timestamp::is_never")]
    pub date_submitted: Timestamp,
    /// When a scan, a re-test or the centre settled what the sample is.
    #[serde(rename = "X-Date-Analysis-Finished", default, skip_serializing_if = "Timestamp::is_never")]
    pub date_analysis_finished: Timestamp,
    /// Above 0: eligible for automatic delivery of definitions, the higher the sooner.
    #[serde(rename = "X-Signatures-Priority", default)]
    pub signatures_priority: u32,
    /// The definitions that the client needs; 0 when it needs none.
    #[serde(rename = "X-Signatures-Sequence", default)]
    pub signatures_sequence: Sequence,
    /// When nothing was left to do.
    #[serde(rename = "X-Date-Sample-Finished", default, skip_serializing_if = "Timestamp::is_never")]
    pub date_sample_finished: Timestamp,
}

/// Where the name of an attribute comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The first seed uses it.
    Seed,
    /// The messages need it and the seed does not name it.
    Ours,
}

/// An attribute as the list in the console shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Definition {
    /// The exact name, beginning with `X-`.
    pub name: &'static str,
    /// One line for a person.
    pub meaning: &'static str,
    /// The seed's, or ours.
    pub origin: Origin,
}

const fn seed(name: &'static str, meaning: &'static str) -> Definition {
    Definition { name, meaning, origin: Origin::Seed }
}

const fn ours(name: &'static str, meaning: &'static str) -> Definition {
    Definition { name, meaning, origin: Origin::Ours }
}

/// Every attribute there is, the seed's first.
pub const DEFINITIONS: [Definition; 22] = [
    seed("X-Sample-Priority", "place in the queue for submission; 0 keeps the sample from being submitted by itself"),
    seed("X-Date-Submitted", "when the sample was queued for the analysis centre; missing while it was not"),
    seed("X-Date-Analysis-Finished", "when a scan or the analysis centre settled what the sample is"),
    seed(
        "X-Signatures-Priority",
        "place in the queue for delivery; 0 keeps definitions from being delivered by themselves",
    ),
    seed("X-Signatures-Sequence", "number of the definitions that the client needs; 0 when it needs none"),
    seed("X-Date-Sample-Finished", "when nothing more was left to do for the sample"),
    ours("X-Customer-Company", "company that submits"),
    ours("X-Customer-Account", "account number under which the centre answers"),
    ours("X-Customer-Contact", "person to talk to about a submission"),
    ours("X-Customer-Telephone", "telephone number of that person"),
    ours("X-Customer-Email", "mail address of that person"),
    ours("X-Sample-Blake3", "BLAKE3-256 of the sample's bytes, its address here"),
    ours("X-Sample-Sha256", "SHA-256 of the sample's bytes, its name in the field"),
    ours("X-Sample-Bytes", "length of the sample in bytes, before anything was stripped"),
    ours("X-Sample-Stripped", "1 when user data was stripped before submission"),
    ours("X-File-Name", "path the file had on the client, percent-encoded"),
    ours("X-Kind", "file or boot_sector"),
    ours("X-Client", "computer that forwarded the sample"),
    ours("X-Platform", "operating system and processor of the client"),
    ours("X-Reason", "why the client forwarded the sample"),
    ours("X-Definitions-Sequence", "number of the definitions that the client held when it forwarded the sample"),
    ours("X-Error", "why a request could not be answered"),
];

/// The definition of an attribute, by its name in any case.
pub fn definition(name: &str) -> Option<&'static Definition> {
    DEFINITIONS.iter().find(|definition| definition.name.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_begins_with_x_and_is_defined_once_in_one_line() {
        for (at, definition) in DEFINITIONS.iter().enumerate() {
            assert!(definition.name.starts_with("X-"), "{}", definition.name);
            assert!(!definition.meaning.is_empty() && !definition.meaning.contains('\n'), "{}", definition.name);
            assert!(DEFINITIONS[..at].iter().all(|other| !other.name.eq_ignore_ascii_case(definition.name)));
        }
    }

    #[test]
    fn the_six_of_the_seed_are_the_ones_an_item_keeps() {
        let kept = Attributes {
            sample_priority: 1,
            date_submitted: Timestamp(1),
            date_analysis_finished: Timestamp(1),
            signatures_priority: 1,
            signatures_sequence: Sequence(1),
            date_sample_finished: Timestamp(1),
        };
        let json = serde_json::to_value(kept).unwrap();
        let mut kept_names: Vec<_> = json.as_object().unwrap().keys().map(String::as_str).collect();
        let mut seed_names: Vec<_> =
            DEFINITIONS.iter().filter(|one| one.origin == Origin::Seed).map(|one| one.name).collect();
        kept_names.sort_unstable();
        seed_names.sort_unstable();
        assert_eq!(kept_names, seed_names);
        assert_eq!(serde_json::from_value::<Attributes>(json).unwrap(), kept);
    }

    #[test]
    fn a_missing_attribute_equals_zero() {
        assert_eq!(serde_json::from_str::<Attributes>("{}").unwrap(), Attributes::default());
        let json = serde_json::to_value(Attributes::default()).unwrap();
        assert!(json.get("X-Date-Submitted").is_none());
        assert_eq!(json["X-Sample-Priority"], 0);
        assert_eq!(definition("x-date-submitted").map(|one| one.name), Some("X-Date-Submitted"));
    }
}
