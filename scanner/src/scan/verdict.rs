//! What was found in a sample.

use crate::file::Outcome;

/// A signature found in a sample.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// Its index in the definitions; behind them the rules that were tried beside them.
    pub signature: u32,
    /// Where first: names from the sample inwards, empty for the sample itself. Hostile text.
    pub path: Vec<String>,
    /// Everywhere it was found, an allowance names the file or one that holds it.
    pub allowed: bool,
}

/// A sample's verdict.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Each signature once, in the order they were met.
    pub matches: Vec<Match>,
    /// How far the sample could be opened.
    pub outcome: Outcome,
    /// Buffers on which the bound on work was reached.
    pub buffers_cut_short: u32,
}

impl Verdict {
    /// The matches that count.
    pub fn detections(&self) -> impl Iterator<Item = &Match> {
        self.matches.iter().filter(|found| !found.allowed)
    }

    /// Whether anything was found that counts.
    #[must_use]
    pub fn is_infected(&self) -> bool {
        self.detections().next().is_some()
    }

    pub(super) fn add(&mut self, signature: u32, path: &[String], allowed: bool) {
        match self.matches.iter_mut().find(|found| found.signature == signature) {
            Some(found) => found.allowed &= allowed,
            None => self.matches.push(Match { signature, path: path.to_vec(), allowed }),
        }
    }
}
