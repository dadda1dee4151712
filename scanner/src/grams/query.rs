//! What is asked of an index: literals, as the grams that a block must have.

use super::error::Unindexable;
use super::rule::Rule;

/// A window is at most this long: a block is indexed with the 63 bytes after it.
pub const WINDOW_BYTES_MAX: usize = 64;

/// Positions of a literal are asked for in this order, modulo five: neighbours share bytes, so once one is
/// present the next often is too; grams that lie apart thin the candidates sooner.
const STEPS: [usize; 5] = [0, 3, 1, 4, 2];

/// A literal of at most 64 bytes, all of them fixed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window<'a>(&'a [u8]);

impl<'a> Window<'a> {
    /// The literal, or its first 64 bytes when it is longer: they start where it starts.
    #[must_use]
    pub fn new(literal: &'a [u8]) -> Self {
        Self(&literal[..literal.len().min(WINDOW_BYTES_MAX)])
    }
}

/// Which blocks are meant: those that have all grams of at least one alternative.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    rule: u64,
    alternatives: Vec<Box<[u64]>>,
}

impl Query {
    /// Blocks in which this window can start.
    ///
    /// # Errors
    /// No gram stands wholly inside it: too short, or common to its end. Sweep for it.
    pub fn one(rule: &Rule, window: Window<'_>) -> Result<Self, Unindexable> {
        Self::together(rule, &[window])
    }

    /// Blocks that can hold all of these windows, **each starting in that same block**: fixed parts of a
    /// signature that spans at most 64 bytes. Parts further apart are queries of their own, joined by sample.
    ///
    /// # Errors
    /// None of them has a gram.
    pub fn together(rule: &Rule, windows: &[Window<'_>]) -> Result<Self, Unindexable> {
        let mut tests = Vec::new();
        for Window(literal) in windows {
            let mut grams = Vec::with_capacity(literal.len());
            rule.each(literal, |hash, _| grams.push(hash));
            tests.extend(STEPS.iter().flat_map(|step| grams.iter().skip(*step).step_by(STEPS.len())));
        }
        let mut seen = std::collections::HashSet::with_capacity(tests.len());
        tests.retain(|hash| seen.insert(*hash));
        if tests.is_empty() {
            let literal_bytes = windows.iter().map(|window| window.0.len()).max().unwrap_or(0);
            return Err(Unindexable { literal_bytes, gram_bytes: rule.shortest() });
        }
        Ok(Self { rule: rule.id(), alternatives: vec![tests.into()] })
    }

    /// Blocks of this query or of the other, which must be of the same rule.
    #[must_use]
    pub fn or(mut self, other: Self) -> Self {
        assert_eq!(self.rule, other.rule, "queries of one signature are made by one rule");
        self.alternatives.extend(other.alternatives);
        self
    }

    pub(super) fn rule(&self) -> u64 {
        self.rule
    }

    pub(super) fn alternatives(&self) -> &[Box<[u64]>] {
        &self.alternatives
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_shorter_than_a_gram_cannot_be_asked_for() {
        let rule = Rule::fixed(5);
        assert_eq!(Query::one(&rule, Window::new(b"abcd")), Err(Unindexable { literal_bytes: 4, gram_bytes: 5 }));
        assert!(Query::one(&rule, Window::new(b"abcde")).is_ok());
    }

    #[test]
    fn a_window_that_is_common_to_its_end_cannot_be_asked_for() {
        let rule = Rule::learn(&[b"abcdefgh"], 3, 8, 0);
        assert!(Query::one(&rule, Window::new(b"abcdefg")).is_err());
        assert!(Query::one(&rule, Window::new(b"abcdefgh")).is_ok());
    }

    #[test]
    fn each_gram_is_asked_for_once_and_neighbours_apart() {
        let rule = Rule::fixed(5);
        let zeroes = Query::one(&rule, Window::new(&[0; 64])).expect("longer than a gram");
        assert_eq!(zeroes.alternatives()[0].len(), 1);
        let counted: Vec<u8> = (0..64).collect();
        let counted = Query::one(&rule, Window::new(&counted)).expect("longer than a gram");
        assert_eq!(counted.alternatives()[0].len(), 60);
    }
}
