//! How far a sample's submission to the analysis centre has come.
//!
//! 1. A submission belongs to a sample, however many items share it: bytes leave the house once.
//! 2. A stage has one code, which storage keeps; it never changes once given.

use crate::id::Sequence;
use crate::lifecycle::Answer;

/// The stages of a submission, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// It has its key, and the gateway may have some of its bytes.
    Sending,
    /// The gateway has taken it; the centre is asked about it from time to time.
    Accepted,
    /// The gateway refused it for good; its items are to be told.
    Refused,
    /// The centre answered; its items are to be told.
    Answered(Answer),
}

impl Stage {
    /// Whether the gateway or the centre has still to say what becomes of it.
    pub fn is_open(self) -> bool {
        match self {
            Self::Sending | Self::Accepted => true,
            Self::Refused | Self::Answered(_) => false,
        }
    }

    /// Its code, and the number of the set that an answer names.
    pub fn code(self) -> (u8, Sequence) {
        let none = Sequence(0);
        match self {
            Self::Sending => (0, none),
            Self::Accepted => (1, none),
            Self::Refused => (2, none),
            Self::Answered(Answer::NotInfected) => (3, none),
            Self::Answered(Answer::Definitions(sequence)) => (4, sequence),
            Self::Answered(Answer::NeedsPerson) => (5, none),
            Self::Answered(Answer::Failed) => (6, none),
            Self::Answered(Answer::SendAgain) => (7, none),
            Self::Answered(Answer::NotKnown) => (8, none),
        }
    }

    /// The stage of a stored code.
    pub fn from_code(code: u8, sequence: Sequence) -> Option<Self> {
        Some(match code {
            0 => Self::Sending,
            1 => Self::Accepted,
            2 => Self::Refused,
            3 => Self::Answered(Answer::NotInfected),
            4 => Self::Answered(Answer::Definitions(sequence)),
            5 => Self::Answered(Answer::NeedsPerson),
            6 => Self::Answered(Answer::Failed),
            7 => Self::Answered(Answer::SendAgain),
            8 => Self::Answered(Answer::NotKnown),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_of_one_stage_and_back() {
        for code in 0..=u8::MAX {
            match Stage::from_code(code, Sequence(7)) {
                Some(stage) => assert_eq!(stage.code().0, code),
                None => assert!(code > 8),
            }
        }
        assert_eq!(Stage::Answered(Answer::Definitions(Sequence(7))).code(), (4, Sequence(7)));
    }
}
