//! Which of many shared byte strings makes the better signature.

use super::super::goodware::Goodware;
use super::super::gram::{GRAM_BYTES, grams};
use super::super::limits;
use std::cmp::Reverse;
use std::ops::Range;

/// One candidate for each so many bytes is kept: two that are nearer could not both be chosen.
const CELL_BYTES: usize = limits::LITERAL_DISTANCE_MIN;
/// As many bytes at each end of a long shared part are left out: there bytes of hosts are equal by chance in the
/// samples at hand.
const MARGIN_BYTES: usize = 8;
/// A literal must be as varied as one of eight equally frequent bytes. Padding and tables are not.
const VARIETY_MIN: usize = 8;

/// A range of the first sample that may become a literal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Candidate {
    at: usize,
    bytes: usize,
    is_preferred: bool,
    /// The length of the shared part it was cut from, as a power of two: what is shared by chance is shorter than the
    /// core of a family.
    part_bits: u32,
    distinct: usize,
    pub unknown_grams: usize,
}

impl Candidate {
    pub fn range(&self) -> Range<usize> {
        self.at..self.at + self.bytes
    }

    /// What is better compares greater; no two are equal, so the order is one.
    pub fn rank(&self) -> (bool, usize, u32, usize, usize, Reverse<usize>) {
        (self.is_preferred, self.bytes, self.part_bits, self.distinct, self.unknown_grams, Reverse(self.at))
    }
}

/// The best candidate of each cell. O(n); memory is a number for each byte of the longest part, and one candidate for
/// each cell of shared bytes.
pub(super) fn best_of_cells(
    first: &[u8],
    parts: &[Range<usize>],
    goodware: &Goodware,
    preferred: &[Range<usize>],
    unknown_min: usize,
) -> Vec<Candidate> {
    let mut best: Vec<Candidate> = Vec::new();
    for part in parts {
        let part_bits = part.len().ilog2();
        let part = inner(part);
        let unknown = unknown_before(&first[part.clone()], goodware);
        let mut window = Window::default();
        for at in part.start..=part.end - limits::LITERAL_BYTES_MIN {
            let end = (at + limits::LITERAL_BYTES_MAX).min(part.end);
            window.move_to(first, at..end);
            let grams = at - part.start..end - part.start + 1 - GRAM_BYTES;
            let unknown_grams = (unknown[grams.end] - unknown[grams.start]) as usize;
            if unknown_grams < unknown_min || !window.is_varied() {
                continue;
            }
            let is_preferred = lies_in(preferred, &(at..end));
            let distinct = window.distinct;
            keep(&mut best, Candidate { at, bytes: end - at, is_preferred, part_bits, distinct, unknown_grams });
        }
    }
    best
}

/// A part without its margins, if it is long enough to spare them.
fn inner(part: &Range<usize>) -> Range<usize> {
    let spare = part.len() >= limits::LITERAL_BYTES_MAX + 2 * MARGIN_BYTES;
    let margin = if spare { MARGIN_BYTES } else { 0 };
    part.start + margin..part.end - margin
}

/// For each gram of a part, how many before it goodware has not.
fn unknown_before(part: &[u8], goodware: &Goodware) -> Vec<u32> {
    let mut sum = 0;
    let sums = grams(part).map(|gram| {
        sum += u32::from(!goodware.holds(&gram));
        sum
    });
    std::iter::once(0).chain(sums).collect()
}

/// Candidates come in ascending order, so those of a cell follow each other.
fn keep(best: &mut Vec<Candidate>, candidate: Candidate) {
    let cell = |candidate: &Candidate| candidate.at / CELL_BYTES;
    match best.last_mut().filter(|last| cell(last) == cell(&candidate)) {
        Some(last) if candidate.rank() > last.rank() => *last = candidate,
        Some(_) => {}
        None => best.push(candidate),
    }
}

/// Whether one of some ranges in order contains another range.
fn lies_in(ranges: &[Range<usize>], range: &Range<usize>) -> bool {
    let before = ranges.partition_point(|other| other.start <= range.start);
    before > 0 && ranges[before - 1].end >= range.end
}

/// How often each byte is in a window that moves forward.
struct Window {
    range: Range<usize>,
    counts: [usize; 256],
    distinct: usize,
    /// The sum of the squared counts.
    squares: usize,
}

impl Default for Window {
    fn default() -> Window {
        Window { range: 0..0, counts: [0; 256], distinct: 0, squares: 0 }
    }
}

impl Window {
    /// Moves forward. O(1) for each byte that comes or goes.
    fn move_to(&mut self, bytes: &[u8], range: Range<usize>) {
        if self.range.is_empty() {
            self.range = range.start..range.start;
        }
        for byte in &bytes[self.range.end..range.end] {
            let count = &mut self.counts[usize::from(*byte)];
            self.squares += 2 * *count + 1;
            self.distinct += usize::from(*count == 0);
            *count += 1;
        }
        for byte in &bytes[self.range.start..range.start] {
            let count = &mut self.counts[usize::from(*byte)];
            self.squares -= 2 * *count - 1;
            self.distinct -= usize::from(*count == 1);
            *count -= 1;
        }
        self.range = range;
    }

    /// Whether two bytes drawn from the window differ as often as two of eight.
    fn is_varied(&self) -> bool {
        self.range.len() * self.range.len() >= VARIETY_MIN * self.squares
    }
}
