//! Where a known signature matched.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::file::Form;

/// The infected member of a sample, and the place in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// Names from the sample inwards, as `file::Member::path` gives them; empty for the sample itself.
    pub path: Vec<String>,
    /// The place, if it is known. Programs, documents, mail and archives are stripped without it; text and data are not.
    pub place: Option<Match>,
}

/// A match in one buffer of a member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Match {
    /// Which form of the member was matched: bytes are counted in it, and the window is cut from it.
    pub form: Form,
    /// First byte, and the one behind the last.
    pub range: Range<u64>,
}
