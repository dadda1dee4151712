//! What lies around a match: enough to understand it, little enough to send.

use std::ops::Range;

/// Bytes kept before and behind a match. A function of a script fits, a letter around it does not. A file that is not
/// longer than its window is in it whole.
pub const WINDOW_BYTES: usize = 4096;
/// A longer match names a file, not a part of it: digests match all bytes.
pub const MATCH_BYTES_MAX: usize = 4096;

/// Why there is no window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoWindow {
    /// The match does not lie in these bytes.
    Outside,
    /// The match is longer than [`MATCH_BYTES_MAX`].
    Long,
}

/// The match with what lies around it.
pub(super) fn around<'a>(bytes: &'a [u8], range: &Range<u64>) -> Result<&'a [u8], NoWindow> {
    let (Ok(from), Ok(to)) = (usize::try_from(range.start), usize::try_from(range.end)) else {
        return Err(NoWindow::Outside);
    };
    if from >= to || to > bytes.len() {
        return Err(NoWindow::Outside);
    }
    if to - from > MATCH_BYTES_MAX {
        return Err(NoWindow::Long);
    }
    Ok(&bytes[from.saturating_sub(WINDOW_BYTES)..to.saturating_add(WINDOW_BYTES).min(bytes.len())])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_clipped_at_both_ends() {
        let bytes: Vec<u8> = (0..20_000u32).map(|n| n as u8).collect();
        for (range, window) in
            [(0..1, 0..4097), (10_000..10_010, 5904..14_106), (19_999..20_000, 15_903..20_000), (100..4196, 0..8292)]
        {
            let expected = &bytes[window];
            assert_eq!(around(&bytes, &range), Ok(expected), "{range:?}");
        }
    }

    #[test]
    fn a_range_that_is_none_has_no_window() {
        let backwards = Range { start: 9, end: 5 };
        for range in [5..5, backwards, 99..101, 100..200, u64::MAX - 1..u64::MAX] {
            assert_eq!(around(&[0; 100], &range), Err(NoWindow::Outside), "{range:?}");
        }
        assert_eq!(around(&[0; 5000], &(0..5000)), Err(NoWindow::Long));
    }
}
