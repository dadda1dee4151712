//! Everything that can change a status. The list is closed: a new cause breaks the build wherever it must be thought of.

use crate::id::Sequence;
use std::fmt;
use std::num::NonZeroU32;

/// What a scan with the current definitions says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Finding {
    /// No signature matched.
    Nothing,
    /// A signature of this definitions set matched.
    Detected(Sequence),
    /// A signature of this set matched, has no repair recipe, and the sample policy says that such a sample is still
    /// unknown; a client that is behind the set needs it all the same.
    Unrepairable(Sequence),
}

/// What the analysis centre says about a submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Answer {
    /// Not infected, nothing is needed.
    NotInfected,
    /// These definitions, or later ones, deal with it.
    Definitions(Sequence),
    /// A person has to look at it; polling goes on.
    NeedsPerson,
    /// The analysis failed.
    Failed,
    /// The submission did not arrive whole.
    SendAgain,
    /// The centre knows nothing of this submission.
    NotKnown,
}

/// Why a status may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    /// The sample came in and is durable.
    Received,
    /// The first scan is done.
    Scanned(Finding),
    /// A person queued it for submission.
    QueuedForSubmission,
    /// A person or a policy raised X-Sample-Priority.
    PriorityRaised(NonZeroU32),
    /// The e-mail wizard advised against submission and was overridden.
    WizardOverridden,
    /// The gateway took the submission.
    GatewayAccepted,
    /// The gateway refused the submission for good.
    GatewayRefused,
    /// User data is to be stripped, and this sample cannot be.
    CannotBeStripped,
    /// The centre answered.
    Answered(Answer),
    /// Definitions arrived, a re-test with this set detects the sample.
    NeededDetected(Sequence),
    /// Definitions arrived, a re-test with this set does not detect the sample.
    NeededNotDetected(Sequence),
    /// A person queued the delivery of definitions.
    QueuedForDelivery,
    /// The install policy selects the client from now on.
    PolicySelects,
    /// The target proved that it holds the verified set.
    TargetHolds,
    /// The time limit of the delivery passed.
    DeliveryTimedOut,
    /// The client turned out to be nonmanaged.
    ClientIsNonmanaged,
    /// The target confirmed the install of what was delivered.
    InstallConfirmed,
    /// The target could not install what was delivered.
    InstallFailed,
    /// The target came back without the set.
    TargetLostSet,
    /// The target came back after its delivery had been given up.
    TargetIsBack,
    /// A newer set can be delivered.
    NewerSetHere,
    /// The target reported that it runs this set, however it came by it.
    SequenceConfirmed(Sequence),
    /// An administrator declared the definitions applied.
    DeclaredApplied,
    /// A re-test with this set detects what was not detected before.
    NewlyDetected(Sequence),
    /// The only signature that detected it was withdrawn.
    SignatureWithdrawn,
    /// A person restarted it.
    RestartedByHand,
    /// A restarted item is taken up again.
    RestartTaken,
    /// Processing failed here.
    ProcessingFault,
}

impl Cause {
    /// The set by which a scan or a re-test found out that it detects the sample.
    pub fn detection(&self) -> Option<Sequence> {
        if let Self::NewlyDetected(sequence)
        | Self::Scanned(Finding::Detected(sequence) | Finding::Unrepairable(sequence)) = self
        {
            return Some(*sequence);
        }
        None
    }

    /// A few words for the item's actions, the audit log and refusals.
    pub const fn words(&self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Scanned(Finding::Nothing) => "scanned, not detected",
            Self::Scanned(Finding::Detected(_)) => "scanned, detected",
            Self::Scanned(Finding::Unrepairable(_)) => "scanned, detected without a repair",
            Self::QueuedForSubmission => "queued for submission by hand",
            Self::PriorityRaised(_) => "submission priority raised",
            Self::WizardOverridden => "e-mail wizard overridden",
            Self::GatewayAccepted => "gateway accepted",
            Self::GatewayRefused => "gateway refused for good",
            Self::CannotBeStripped => "cannot be stripped of user data",
            Self::Answered(Answer::NotInfected) => "answer: not infected",
            Self::Answered(Answer::Definitions(_)) => "answer: definitions",
            Self::Answered(Answer::NeedsPerson) => "answer: needs a person",
            Self::Answered(Answer::Failed) => "answer: failed",
            Self::Answered(Answer::SendAgain) => "answer: send again",
            Self::Answered(Answer::NotKnown) => "answer: not known",
            Self::NeededDetected(_) => "definitions are here and detect it",
            Self::NeededNotDetected(_) => "definitions are here and do not detect it",
            Self::QueuedForDelivery => "queued for delivery by hand",
            Self::PolicySelects => "selected by the install policy",
            Self::TargetHolds => "target holds the verified set",
            Self::DeliveryTimedOut => "delivery time limit passed",
            Self::ClientIsNonmanaged => "client turned out nonmanaged",
            Self::InstallConfirmed => "install confirmed",
            Self::InstallFailed => "install failed",
            Self::TargetLostSet => "target came back without the set",
            Self::TargetIsBack => "target is back",
            Self::NewerSetHere => "a newer set is here",
            Self::SequenceConfirmed(_) => "target confirmed its sequence",
            Self::DeclaredApplied => "declared applied",
            Self::NewlyDetected(_) => "newly detected by a re-test",
            Self::SignatureWithdrawn => "its only detecting signature was withdrawn",
            Self::RestartedByHand => "restarted by hand",
            Self::RestartTaken => "taken up again",
            Self::ProcessingFault => "processing fault",
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.words())
    }
}
