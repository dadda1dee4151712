//! What came of sources, without what runs: all that a caller outside of the cage needs.

use serde::{Deserialize, Serialize};

use crate::atoms::Atom;
use crate::complaint::Complaint;
use crate::limits::COMPLAINTS_MAX;
use crate::meaning::Meaning;

/// A rule that compiled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// `YARA.` and the rule's name, as other scanners call it. Two sources may have one of the same name.
    pub signature: String,
    /// Index of its source.
    pub source: u32,
    /// Where its name stands, from 1.
    pub line: u32,
    /// It is for other rules to refer to and never found itself.
    pub is_private: bool,
    /// The rules of its source hold only in buffers in which it holds.
    pub is_global: bool,
    /// A buffer in which it holds has at least one of these. `None`: nothing is known, every buffer must be tried.
    pub atoms: Option<Vec<Atom>>,
    /// Rules of one meaning hold in the same buffers.
    pub meaning: Meaning,
}

/// All rules, in the order of sources and lines, and what gave none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// A rule's index here is its number in [`crate::Found`].
    pub rules: Vec<Rule>,
    /// In the order of sources and lines.
    pub complaints: Vec<Complaint>,
    /// Complaints beyond those kept.
    pub complaints_beyond: u64,
}

impl Report {
    pub(crate) fn complain(&mut self, complaint: Complaint) {
        if self.complaints.len() < COMPLAINTS_MAX {
            self.complaints.push(complaint);
        } else {
            self.complaints_beyond += 1;
        }
    }
}
