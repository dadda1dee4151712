//! Byte strings that every sample of a group has and no goodware has.
//!
//! 1. Every literal was found in every sample that was looked at, byte for byte.
//! 2. Every literal has a gram that goodware has not for certain, so no file of the corpus holds it.
//! 3. Two samples that differ are the least: what one sample holds may be its host.

mod score;

use super::goodware::Goodware;
use super::limits;
use super::lines::Lines;
use super::literal::Literal;
use super::name::SignatureName;
use super::shared::shared_parts;
use score::{Candidate, best_of_cells};
use std::ops::Range;

/// What a signature may look like. Values beyond the bounds of [`limits`] count as those.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExtractOptions {
    /// The most literals, at least 1.
    pub literals_max: usize,
    /// The most samples that are looked at, at least 2. They are spread evenly over all, the first among them.
    pub samples_max: usize,
    /// The fewest grams of a literal that goodware has not, at least 1.
    pub unknown_grams_min: usize,
}

/// A signature for a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extracted {
    /// 1 to 3, the best first; at least 64 bytes apart in the first sample.
    pub literals: Vec<Literal>,
}

impl Default for ExtractOptions {
    fn default() -> ExtractOptions {
        ExtractOptions {
            literals_max: limits::LITERALS_MAX,
            samples_max: limits::EXTRACT_SAMPLES_MAX,
            unknown_grams_min: 1,
        }
    }
}

impl Extracted {
    /// The literals as the scanner searches for them.
    #[must_use]
    pub fn needles(&self) -> Vec<&[u8]> {
        self.literals.iter().map(|literal| &*literal.bytes).collect()
    }

    /// The signature as lines of definitions.
    #[must_use]
    pub fn lines(&self, name: &SignatureName) -> Lines {
        Lines::of_literals(name, &self.literals)
    }
}

/// Extracts a signature; none if fewer than two samples differ, one is longer than [`limits::SAMPLE_BYTES_MAX`], or
/// they have nothing in common that goodware has not. [`Lines::of_digests`] is what remains then.
///
/// `preferred` are ranges of the first sample, such as its code and what stands at its entry point: a literal in one of
/// them comes before all others. Literals of 64 bytes come before shorter ones, then those from longer
/// shared parts, then those with more different bytes.
///
/// O(n) for all samples looked at together, with 48 searches through each at most; memory is three bytes for each
/// byte of the first and the longest other sample.
#[must_use]
pub fn extract(
    samples: &[&[u8]],
    goodware: &Goodware,
    preferred: &[Range<usize>],
    options: &ExtractOptions,
) -> Option<Extracted> {
    let samples = looked_at(samples, options.samples_max.clamp(2, limits::EXTRACT_SAMPLES_MAX));
    let (first, others) = samples.split_first()?;
    if others.is_empty() || samples.iter().any(|sample| sample.len() > limits::SAMPLE_BYTES_MAX) {
        return None;
    }
    let parts = shared_parts(first, others);
    let unknown_min = options.unknown_grams_min.max(1);
    let mut candidates = best_of_cells(first, &parts, goodware, &merged(preferred), unknown_min);
    candidates.sort_unstable_by_key(|candidate| std::cmp::Reverse(candidate.rank()));
    let literals = chosen(&candidates, &samples, options.literals_max.clamp(1, limits::LITERALS_MAX));
    (!literals.is_empty()).then_some(Extracted { literals })
}

/// The first sample and others that differ from it, evenly spread.
fn looked_at<'a>(samples: &[&'a [u8]], max: usize) -> Vec<&'a [u8]> {
    let Some((first, others)) = samples.split_first() else { return Vec::new() };
    let differing: Vec<&[u8]> = others.iter().copied().filter(|other| other != first).collect();
    let taken = differing.len().min(max - 1);
    let spread = (0..taken).map(|index| differing[index * differing.len() / taken]);
    std::iter::once(*first).chain(spread).collect()
}

/// The best candidates that all samples have and that keep their distance from each other.
fn chosen(candidates: &[Candidate], samples: &[&[u8]], max: usize) -> Vec<Literal> {
    let mut taken: Vec<Range<usize>> = Vec::new();
    let mut literals: Vec<Literal> = Vec::new();
    let mut tries = 0;
    for candidate in candidates {
        let range = candidate.range();
        let is_apart = |other: &Range<usize>| {
            range.start >= other.end + limits::LITERAL_DISTANCE_MIN
                || other.start >= range.end + limits::LITERAL_DISTANCE_MIN
        };
        if literals.len() == max || tries == limits::EXTRACT_TRIES_MAX {
            break;
        }
        if !taken.iter().all(is_apart) {
            continue;
        }
        tries += 1;
        if let Some(literal) = Literal::located(&samples[0][range.clone()], candidate.unknown_grams, samples) {
            taken.push(range);
            literals.push(literal);
        }
    }
    literals
}

/// Ranges in order, none touching another.
fn merged(ranges: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut sorted: Vec<Range<usize>> = ranges.iter().filter(|range| range.start < range.end).cloned().collect();
    sorted.sort_unstable_by_key(|range| range.start);
    let mut merged: Vec<Range<usize>> = Vec::new();
    for range in sorted {
        match merged.last_mut().filter(|last| range.start <= last.end) {
            Some(last) => last.end = last.end.max(range.end),
            None => merged.push(range),
        }
    }
    merged
}

#[cfg(test)]
mod tests;
