//! One literal in one buffer (Horspool 1980).

/// A literal with the distances that a search may skip.
pub(super) struct Needle<'a> {
    literal: &'a [u8],
    skips: [usize; 256],
}

impl<'a> Needle<'a> {
    /// Prepares a search. O(m).
    pub fn new(literal: &'a [u8]) -> Needle<'a> {
        let mut skips = [literal.len().max(1); 256];
        for (at, byte) in literal.iter().enumerate().take(literal.len().saturating_sub(1)) {
            skips[usize::from(*byte)] = literal.len() - 1 - at;
        }
        Needle { literal, skips }
    }

    /// Where the literal is first found; an empty one nowhere. About n / m steps, at worst n * m with m at most 64.
    pub fn first_in(&self, bytes: &[u8]) -> Option<usize> {
        let last = self.literal.len().checked_sub(1)?;
        let mut at = 0;
        while let Some(window) = bytes.get(at..at + self.literal.len()) {
            if window == self.literal {
                return Some(at);
            }
            at += self.skips[usize::from(window[last])];
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_search_finds_what_a_plain_look_at_every_place_finds(
            bytes in prop::collection::vec(0u8..3, 0..200), literal in prop::collection::vec(0u8..3, 1..6),
        ) {
            let plain = bytes.windows(literal.len()).position(|window| window == literal);
            prop_assert_eq!(Needle::new(&literal).first_in(&bytes), plain);
        }
    }

    #[test]
    fn an_empty_literal_is_nowhere() {
        assert_eq!(Needle::new(b"").first_in(b"bytes"), None);
    }
}
