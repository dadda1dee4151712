//! Why nothing of a sample may leave.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::MATCH_BYTES_MAX;

/// The reason. Whoever submits tells it to a person, who may send the sample as it is on their own responsibility.
#[derive(Clone, Debug, PartialEq, Eq, Error, Serialize, Deserialize)]
pub enum NotStripped {
    /// The sample is larger than any that is opened.
    #[error("it has more than {bytes_max} bytes")]
    TooLarge {
        /// How many are taken.
        bytes_max: u64,
    },
    /// What would be kept is too much.
    #[error("its parts that can be infected are more than may be sent: {parts_max} parts, {bytes_max} bytes together")]
    TooMuch {
        /// How many parts may be sent.
        parts_max: usize,
        /// How many bytes together.
        bytes_max: u64,
    },
    /// The caller said that time is up. Parts found until then are dropped: another time they would be others.
    #[error("time was up before it was wholly opened")]
    Time,
    /// A limit of unpacking was reached first.
    #[error("it was opened up to a limit, and nothing that can be infected was found until there: {0}")]
    Limit(String),
    /// What could be infected is locked.
    #[error("it is encrypted, or what it holds is")]
    Encrypted,
    /// What could be infected is in a form that is not opened.
    #[error("it cannot be opened: {0} is not supported")]
    Unsupported(String),
    /// Its container is not what it says.
    #[error("it is broken, and nothing that can be infected was found in what is whole: {0}")]
    Broken(String),
    /// A program that is none to the readers.
    #[error("it is a program whose layout cannot be read, so resources and code cannot be told apart")]
    Layout,
    /// Text, scripts among it.
    #[error("it is text, and no signature says which part of it is infected")]
    Text,
    /// Some other file.
    #[error("it is a file of kind {0}, and no signature says which part of it is infected")]
    Plain(String),
    /// A document without code.
    #[error("the document holds no macros and no embedded executable")]
    NoMacros,
    /// A page without code.
    #[error("the page holds no script")]
    NoScript,
    /// Mail without code.
    #[error("the mail has no attachment that can be infected")]
    NoAttachment,
    /// An archive without code.
    #[error("the archive holds nothing that can be infected")]
    NoMember,
    /// A signature matched in a mail's body.
    #[error("the infected part is the body of a mail, which never leaves")]
    MailBody,
    /// A path that names several members.
    #[error("several members have the name of the infected one")]
    Ambiguous,
    /// A path or range that names nothing.
    #[error("the place that the signature was found in is not there")]
    NotThere,
    /// A digest, as a rule.
    #[error("the signature names a file as a whole, more than {MATCH_BYTES_MAX} bytes, and no part of it")]
    NamesWhole,
}
