//! What comes back: JSON, signed as a whole.
//!
//! 1. A reply repeats the number that its request drew, so that an old one is not taken for a new one.
//! 2. What it says about a submission names the submission and the sample, so that it is not taken for another's.

use model::lifecycle::Answer;
use model::{Blake3, Sequence};
use serde::{Deserialize, Serialize};

/// Bytes of a reply at most: 1,000 answers are 200 KiB.
pub const REPLY_BYTES_MAX: usize = 1 << 20;
/// Submissions that one request asks about.
pub const ASKED_MAX: usize = 1000;
/// Characters of what a reply says to a person.
pub const SAID_CHARS_MAX: usize = 500;

/// A reply to an attempt to submit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// As in the request.
    pub nonce: String,
    /// The submission.
    pub submission: String,
    /// The sample.
    pub blake3: Blake3,
    /// What became of it.
    #[serde(flatten)]
    pub taken: Taken,
}

/// What became of an attempt to submit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "taken", rename_all = "snake_case")]
pub enum Taken {
    /// It is there, durable; an answer will follow.
    Accepted,
    /// So many bytes are there; more are expected.
    Partly {
        /// From the first on.
        bytes: u64,
    },
    /// It is not taken, and no attempt will change that.
    Refused {
        /// For a person.
        why: String,
    },
}

/// A question about submissions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// Drawn for this request.
    pub nonce: String,
    /// What is asked about.
    pub submissions: Vec<Asked>,
}

/// One submission that is asked about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// The submission.
    pub submission: String,
    /// The sample.
    pub blake3: Blake3,
}

/// Answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answers {
    /// As in the question.
    pub nonce: String,
    /// In any order; what has no answer yet may be missing.
    pub answers: Vec<Answered>,
}

/// What the centre says about one submission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    /// The submission.
    pub submission: String,
    /// The sample.
    pub blake3: Blake3,
    /// The answer.
    #[serde(flatten)]
    pub said: Said,
    /// For a person; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
}

/// An answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Said {
    /// None yet.
    Pending,
    /// Nothing is needed.
    NotInfected,
    /// These definitions deal with it.
    Definitions {
        /// Their number.
        sequence: Sequence,
    },
    /// A person looks at it.
    NeedsPerson,
    /// The analysis failed.
    Failed,
    /// It did not arrive as it was sent.
    SendAgain,
    /// There is no such submission.
    NotKnown,
}

impl Said {
    /// As a cause; `None` while there is no answer.
    pub fn answer(self) -> Option<Answer> {
        match self {
            Self::Pending => None,
            Self::NotInfected => Some(Answer::NotInfected),
            Self::Definitions { sequence } => Some(Answer::Definitions(sequence)),
            Self::NeedsPerson => Some(Answer::NeedsPerson),
            Self::Failed => Some(Answer::Failed),
            Self::SendAgain => Some(Answer::SendAgain),
            Self::NotKnown => Some(Answer::NotKnown),
        }
    }
}

/// Which definitions there are for a customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sets {
    /// As in the request.
    pub nonce: String,
    /// The newest certified set; 0 for none.
    pub certified: Sequence,
    /// The newest set that this customer may have; 0 for none.
    pub newest: Sequence,
}

/// A text for a person, cut and without what a terminal would obey.
pub fn cleaned(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(SAID_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_look_as_the_document_shows_them() {
        let receipt = Receipt {
            nonce: "n".to_owned(),
            submission: "key".to_owned(),
            blake3: Blake3([0; 32]),
            taken: Taken::Partly { bytes: 5 },
        };
        let json = serde_json::to_value(&receipt).unwrap();
        assert_eq!((json["taken"].as_str(), json["bytes"].as_u64()), (Some("partly"), Some(5)));
        assert_eq!(serde_json::from_value::<Receipt>(json).unwrap(), receipt);
        let answered = Answered {
            submission: "key".to_owned(),
            blake3: Blake3([0; 32]),
            said: Said::Definitions { sequence: Sequence(7) },
            why: String::new(),
        };
        let json = serde_json::to_value(&answered).unwrap();
        assert_eq!((json["answer"].as_str(), json["sequence"].as_u64()), (Some("definitions"), Some(7)));
        assert_eq!(serde_json::from_value::<Answered>(json).unwrap(), answered);
    }

    #[test]
    fn what_a_reply_says_to_a_person_is_cut_and_cannot_command_a_terminal() {
        assert_eq!(cleaned("a\u{1b}[2Jb\n"), "a[2Jb");
        assert_eq!(cleaned(&"x".repeat(10_000)).len(), SAID_CHARS_MAX);
    }
}
