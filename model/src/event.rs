//! The events that people are told about (first seed, "Configuring alerting"): 23, each with its number, its exact
//! name, an id for configuration and metrics, and one line on what it means.

use std::fmt;

/// Something that a person may want to know. The discriminant is its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Event {
    /// The door of the analysis centre does not answer.
    GatewayUnreachable = 1,
    /// The service that delivers definitions to targets met an error.
    DefcastError = 2,
    /// Delivery failed, or the client is nonmanaged and has to fetch the definitions itself.
    CannotInstallOnTargets = 3,
    /// The folder of the definitions cannot be read or written.
    DefinitionDirectoryUnreachable = 4,
    /// Nothing is scanned, so nothing is submitted.
    ScannerUnreachable = 5,
    /// The server's own gateway task has stopped, so nothing goes out and no answer comes in.
    GatewayTaskStopped = 6,
    /// Definitions that are needed have not come from the gateway yet.
    WaitingForDefinitions = 7,
    /// A tested definitions set has arrived.
    CertifiedDefinitionsArrived = 8,
    /// A definitions set made in answer to a sample has arrived.
    NoncertifiedDefinitionsArrived = 9,
    /// The quarantine is nearly full.
    QuotaLow = 10,
    /// The disk has less room left than the quarantine may grow to.
    FreeDiskBelowMaximum = 11,
    /// A repair failed, or was not necessary.
    NotRepaired = 12,
    /// Definitions were delivered and their install failed.
    InstallFailed = 13,
    /// Processing a sample failed.
    ProcessingError = 14,
    /// A person has to look at a sample, no automatic answer was possible.
    NeedsAttention = 15,
    /// A sample waits to be submitted by hand.
    HeldForSubmission = 16,
    /// Definitions have waited too long for somebody to queue their delivery.
    TooLongAvailable = 17,
    /// A client has held definitions too long without confirming their install.
    TooLongDistributed = 18,
    /// Definitions that are needed have been missing too long.
    TooLongNeeded = 19,
    /// The gateway has left a sample without an answer too long.
    TooLongReleased = 20,
    /// The gateway has not accepted a sample for too long.
    TooLongSubmitted = 21,
    /// A sample has waited too long for its first scan.
    TooLongQuarantined = 22,
    /// New definitions are here and are not delivered by themselves.
    HeldForDelivery = 23,
}

impl Event {
    /// How many events there are.
    pub const COUNT: usize = 23;

    /// All of them, in the order of their numbers.
    pub const ALL: [Self; Self::COUNT] = [
        Self::GatewayUnreachable,
        Self::DefcastError,
        Self::CannotInstallOnTargets,
        Self::DefinitionDirectoryUnreachable,
        Self::ScannerUnreachable,
        Self::GatewayTaskStopped,
        Self::WaitingForDefinitions,
        Self::CertifiedDefinitionsArrived,
        Self::NoncertifiedDefinitionsArrived,
        Self::QuotaLow,
        Self::FreeDiskBelowMaximum,
        Self::NotRepaired,
        Self::InstallFailed,
        Self::ProcessingError,
        Self::NeedsAttention,
        Self::HeldForSubmission,
        Self::TooLongAvailable,
        Self::TooLongDistributed,
        Self::TooLongNeeded,
        Self::TooLongReleased,
        Self::TooLongSubmitted,
        Self::TooLongQuarantined,
        Self::HeldForDelivery,
    ];

    /// 1 to 23.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The event with this number.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number).checked_sub(1)?).copied()
    }

    /// The event with this id.
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|event| event.id() == id)
    }

    /// The exact name that people see.
    pub const fn name(self) -> &'static str {
        match self {
            Self::GatewayUnreachable => "Unable to connect to the Gateway",
            Self::DefcastError => "Defcast error",
            Self::CannotInstallOnTargets => "Cannot install definitions on target machines",
            Self::DefinitionDirectoryUnreachable => "Unable to access definition directory",
            Self::ScannerUnreachable => "Cannot connect to Quarantine Scanner svc",
            Self::GatewayTaskStopped => "The Quarantine Agent service has stopped",
            Self::WaitingForDefinitions => "Waiting for needed definitions",
            Self::CertifiedDefinitionsArrived => "New Certified definitions arrived",
            Self::NoncertifiedDefinitionsArrived => "New non-certified definitions arrived",
            Self::QuotaLow => "Disk quota remaining is low for Quarantine dir",
            Self::FreeDiskBelowMaximum => "Disk free space is less than Quarantine max size",
            Self::NotRepaired => "Sample: was not repaired",
            Self::InstallFailed => "Sample: unable to install definitions",
            Self::ProcessingError => "Sample: processing error",
            Self::NeedsAttention => "Sample: needs attention from Tech Support",
            Self::HeldForSubmission => "Sample: held for manual submission",
            Self::TooLongAvailable => "Sample: too long without installing new defs",
            Self::TooLongDistributed => "Sample: too long with Distributed Status",
            Self::TooLongNeeded => "Sample: too long with Needed status",
            Self::TooLongReleased => "Sample: too long with Released status",
            Self::TooLongSubmitted => "Sample: too long with Submitted status",
            Self::TooLongQuarantined => "Sample: too long with Quarantined status",
            Self::HeldForDelivery => "Sample: new definitions held for delivery",
        }
    }

    /// The name that programs use: in the configuration, in metrics, in the API.
    pub const fn id(self) -> &'static str {
        match self {
            Self::GatewayUnreachable => "gateway_unreachable",
            Self::DefcastError => "defcast_error",
            Self::CannotInstallOnTargets => "cannot_install_on_targets",
            Self::DefinitionDirectoryUnreachable => "definition_directory_unreachable",
            Self::ScannerUnreachable => "scanner_unreachable",
            Self::GatewayTaskStopped => "gateway_task_stopped",
            Self::WaitingForDefinitions => "waiting_for_definitions",
            Self::CertifiedDefinitionsArrived => "certified_definitions_arrived",
            Self::NoncertifiedDefinitionsArrived => "noncertified_definitions_arrived",
            Self::QuotaLow => "quota_low",
            Self::FreeDiskBelowMaximum => "free_disk_below_maximum",
            Self::NotRepaired => "not_repaired",
            Self::InstallFailed => "install_failed",
            Self::ProcessingError => "processing_error",
            Self::NeedsAttention => "needs_attention",
            Self::HeldForSubmission => "held_for_submission",
            Self::TooLongAvailable => "too_long_available",
            Self::TooLongDistributed => "too_long_distributed",
            Self::TooLongNeeded => "too_long_needed",
            Self::TooLongReleased => "too_long_released",
            Self::TooLongSubmitted => "too_long_submitted",
            Self::TooLongQuarantined => "too_long_quarantined",
            Self::HeldForDelivery => "held_for_delivery",
        }
    }

    /// What it means, in one line.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::GatewayUnreachable => "the door of the analysis centre does not answer",
            Self::DefcastError => "the service that delivers definitions to targets met an error",
            Self::CannotInstallOnTargets => {
                "delivery failed, or the client is nonmanaged and has to fetch the definitions itself"
            }
            Self::DefinitionDirectoryUnreachable => "the folder of the definitions cannot be read or written",
            Self::ScannerUnreachable => "nothing is scanned, so nothing is submitted",
            Self::GatewayTaskStopped => {
                "the server's own gateway task has stopped, so nothing goes out and no answer comes in"
            }
            Self::WaitingForDefinitions => "definitions that are needed have not come from the gateway yet",
            Self::CertifiedDefinitionsArrived => "a tested definitions set has arrived",
            Self::NoncertifiedDefinitionsArrived => "a definitions set made in answer to a sample has arrived",
            Self::QuotaLow => "the quarantine is nearly full",
            Self::FreeDiskBelowMaximum => "the disk has less room left than the quarantine may grow to",
            Self::NotRepaired => "a repair failed, or was not necessary",
            Self::InstallFailed => "definitions were delivered and their install failed",
            Self::ProcessingError => "processing a sample failed",
            Self::NeedsAttention => "a person has to look at a sample, no automatic answer was possible",
            Self::HeldForSubmission => "a sample waits to be submitted by hand",
            Self::TooLongAvailable => "definitions have waited too long for somebody to queue their delivery",
            Self::TooLongDistributed => "a client has held definitions too long without confirming their install",
            Self::TooLongNeeded => "definitions that are needed have been missing too long",
            Self::TooLongReleased => "the gateway has left a sample without an answer too long",
            Self::TooLongSubmitted => "the gateway has not accepted a sample for too long",
            Self::TooLongQuarantined => "a sample has waited too long for its first scan",
            Self::HeldForDelivery => "new definitions are here and are not delivered by themselves",
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_is_found_by_its_number_and_its_id() {
        for (at, event) in Event::ALL.into_iter().enumerate() {
            assert_eq!(usize::from(event.number()), at + 1);
            assert_eq!(Event::from_number(event.number()), Some(event));
            assert_eq!(Event::from_id(event.id()), Some(event));
        }
        assert_eq!(Event::from_number(0), None);
        assert_eq!(Event::from_number(24), None);
    }

    #[test]
    fn names_ids_and_meanings_are_one_line_each_and_differ() {
        for (at, event) in Event::ALL.into_iter().enumerate() {
            assert!(event.id().chars().all(|c| c.is_ascii_lowercase() || c == '_'), "{}", event.id());
            assert!(!event.meaning().contains('\n') && !event.name().contains('\n'));
            for other in &Event::ALL[..at] {
                assert_ne!(event.name(), other.name());
                assert_ne!(event.id(), other.id());
                assert_ne!(event.meaning(), other.meaning());
            }
        }
    }
}
