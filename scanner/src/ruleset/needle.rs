//! One pattern that is looked for: whose it is, where it may stand, and how its places are found.

use super::spans::Spans;
use super::verify;
use crate::definitions::logical::Neighbours;
use crate::definitions::{Offset, Pattern};

/// A match can be verified around one hit when it has at most so many bytes.
const LOCAL_BYTES_MAX: u64 = 64 << 10;

/// A pattern of a signature.
#[derive(Clone, Debug)]
pub(crate) struct Needle {
    /// The signature.
    pub signature: u32,
    /// Where the tallies of its sub-signature are; `None` for a signature that is one pattern.
    pub tally: Option<u32>,
    /// The number of the target whose buffers it is looked for in.
    pub target: u8,
    /// Where it may start.
    pub offset: Offset,
    /// What stands there.
    pub pattern: Pattern,
    /// What must not stand beside it.
    pub neighbours: Neighbours,
    /// Every match counts, not only the first.
    pub counted: bool,
}

impl Needle {
    /// Whether matches can be verified one by one around the hits of a literal.
    pub fn is_local(&self) -> bool {
        self.pattern.length().max.is_some_and(|max| max <= LOCAL_BYTES_MAX)
    }

    /// The places of its matches that start at one of `starts`, ascending; only that there are any unless it is
    /// counted. `None` when `work` does not suffice.
    pub fn find(&self, bytes: &[u8], starts: Spans, work: &mut u64) -> Option<Vec<usize>> {
        if self.neighbours == Neighbours::Free {
            if self.counted {
                return verify::matches(&self.pattern, bytes, starts, work);
            }
            let ends = verify::ends(&self.pattern, bytes, starts, work)?;
            return Some(ends.ranges().first().map(|(end, _)| *end).into_iter().collect());
        }
        let mut found = Vec::new();
        for start in verify::begins(&self.pattern, bytes, starts, work)? {
            if self.is_word_at(bytes.get(..start), Side::Before) {
                continue;
            }
            let ends = verify::ends(&self.pattern, bytes, Spans::one(start, start), work)?;
            let mut ends = ends.ranges().iter().flat_map(|(from, to)| *from..=*to);
            if ends.any(|end| !self.is_word_at(bytes.get(end..), Side::Behind)) {
                found.push(start);
            }
        }
        Some(found)
    }

    /// Whether a letter or digit stands beside a match.
    fn is_word_at(&self, beside: Option<&[u8]>, side: Side) -> bool {
        let beside = beside.unwrap_or_default();
        let nearest = match side {
            Side::Before => beside.last_chunk::<1>(),
            Side::Behind => beside.first_chunk::<1>(),
        };
        let pair = match side {
            Side::Before => beside.last_chunk::<2>(),
            Side::Behind => beside.first_chunk::<2>(),
        };
        match self.neighbours {
            Neighbours::Free => false,
            Neighbours::NoWordByte => nearest.is_some_and(|[byte]| byte.is_ascii_alphanumeric()),
            Neighbours::NoWideWordByte => pair.is_some_and(|[byte, zero]| byte.is_ascii_alphanumeric() && *zero == 0),
        }
    }
}

/// On which side of a match.
#[derive(Clone, Copy)]
enum Side {
    Before,
    Behind,
}
