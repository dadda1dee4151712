//! Literals too short for a window, one to three bytes, by the automaton of the `aho-corasick` crate.

use super::texts::{Place, Texts};
use aho_corasick::{AhoCorasick, MatchKind};

/// The short literals of one case.
pub(super) struct Short {
    automaton: AhoCorasick,
    texts: Vec<Place>,
}

impl Short {
    /// Nothing where there are none.
    pub(super) fn new(short: Vec<Place>, texts: &Texts, folded: bool) -> Option<Self> {
        if short.is_empty() {
            return None;
        }
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .ascii_case_insensitive(folded)
            .build(short.iter().map(|&place| texts.get(place)))
            // It fails beyond 2^31 states; distinct strings of up to three bytes make 2^24 and some.
            .expect("few enough states");
        Some(Self { automaton, texts: short })
    }

    /// Memory for so many: an estimate, generous for a few states a literal and a fixed part for the first levels.
    pub(super) fn bytes_for(count: usize) -> usize {
        if count == 0 { 0 } else { (1 << 20) + 256 * count }
    }

    pub(super) fn find(&self, haystack: &[u8], mut found: impl FnMut(Place, usize)) {
        for hit in self.automaton.find_overlapping_iter(haystack) {
            found(self.texts[hit.pattern().as_usize()], hit.start());
        }
    }

    pub(super) fn len(&self) -> usize {
        self.texts.len()
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.automaton.memory_usage() + 4 * self.texts.capacity()
    }
}
