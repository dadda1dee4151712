//! Which parts of one sample all others have too.

use super::gram::{GRAM_BYTES, grams, mix, number};
use super::gram_set::GramSet;
use super::limits;
use std::ops::Range;

/// The windows that are compared have the length of the shortest literal.
const WINDOW_BYTES: usize = limits::LITERAL_BYTES_MIN;

/// The parts of `first` whose windows of 16 bytes are all in each of `others` somewhere, in order; each is a range
/// of at least 16 bytes.
///
/// A filter says what the others have, so a window in thirty passes one of them by mistake, and windows that pass need
/// not follow each other there: what is made from a part has to be searched for. O(n) for all samples together; memory
/// is a byte for each byte of `first` and one for each of the longest other.
pub(super) fn shared_parts(first: &[u8], others: &[&[u8]]) -> Vec<Range<usize>> {
    let mut is_shared: Vec<bool> = vec![true; first.len().saturating_sub(WINDOW_BYTES - 1)];
    for other in others {
        let mut set = GramSet::sized_for(other.len() as u64);
        windows(other).for_each(|number| set.add(number));
        let both = is_shared.iter_mut().zip(windows(first));
        both.filter(|(is_shared, _)| **is_shared).for_each(|(is_shared, number)| *is_shared = set.holds(number));
    }
    runs(&is_shared).into_iter().map(|run| run.start..run.end + WINDOW_BYTES - 1).collect()
}

/// The numbers of all windows of 16 bytes, in order.
fn windows(bytes: &[u8]) -> impl Iterator<Item = u64> + '_ {
    let behind = bytes.get(GRAM_BYTES..).unwrap_or(&[]);
    grams(bytes).zip(grams(behind)).map(|(gram, next)| mix(number(next) ^ u64::from_le_bytes(gram)))
}

/// The ranges of indices where a flag is set.
fn runs(flags: &[bool]) -> Vec<Range<usize>> {
    let mut runs = Vec::new();
    let mut at = 0;
    for run in flags.chunk_by(|a, b| a == b) {
        if run[0] {
            runs.push(at..at + run.len());
        }
        at += run.len();
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::super::families::noise;
    use super::*;

    #[test]
    fn what_all_have_is_one_part_and_no_more_than_a_few_windows_are_by_mistake() {
        let body = noise("body", 300);
        let sample =
            |name: &str, host: usize| [&*noise(name, host), &body, &noise(&format!("{name} end"), 40)].concat();
        let (first, second, third) = (sample("a", 5000), sample("b", 400), sample("c", 9000));
        let parts = shared_parts(&first, &[&second, &third]);
        assert!(parts.iter().any(|part| part.start <= 5000 && part.end >= 5300));
        assert!(parts.iter().map(Range::len).sum::<usize>() < 1000, "{parts:?}");
    }

    #[test]
    fn samples_shorter_than_a_window_share_nothing() {
        assert_eq!(shared_parts(b"fifteen bytes..", &[b"fifteen bytes.."]), []);
        assert_eq!(shared_parts(b"sixteen bytes...", &[b"sixteen bytes..."]).len(), 1);
    }
}
