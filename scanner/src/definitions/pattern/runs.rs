//! What every match of a pattern contains, and how long a match can be.

use super::{Part, Pattern, Polarity, Run};

/// The fewest and the most bytes of something; no most when it is unbounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Length {
    /// The fewest.
    pub min: u64,
    /// The most.
    pub max: Option<u64>,
}

impl Length {
    const ZERO: Length = Length { min: 0, max: Some(0) };

    fn exactly(count: usize) -> Length {
        Length { min: count as u64, max: Some(count as u64) }
    }

    fn and(self, other: Length) -> Length {
        let max = self.max.zip(other.max).map(|(one, other)| one.saturating_add(other));
        Length { min: self.min.saturating_add(other.min), max }
    }

    fn or(self, other: Length) -> Length {
        Length { min: self.min.min(other.min), max: self.max.zip(other.max).map(|(one, other)| one.max(other)) }
    }
}

impl Part {
    /// How many bytes a match of it has. A boundary within a segment takes a byte or two, at its ends none.
    #[must_use]
    pub fn length(&self) -> Length {
        match self {
            Part::Bytes(bytes) => Length::exactly(bytes.len()),
            Part::Masked(bytes) => Length::exactly(bytes.len()),
            Part::Gap(gap) => Length { min: gap.min.into(), max: gap.max.map(u64::from) },
            Part::Alternates(alternates) => {
                alternates.choices.iter().map(Pattern::length).reduce(Length::or).unwrap_or(Length::ZERO)
            }
            Part::Boundary(_) => Length { min: 0, max: Some(2) },
        }
    }
}

impl Pattern {
    /// How many bytes a match of it has.
    #[must_use]
    pub fn length(&self) -> Length {
        self.parts.iter().map(Part::length).fold(Length::ZERO, Length::and)
    }

    /// The runs of known bytes that every match contains, in order. A choice is in none: not every match contains it.
    pub fn required_runs(&self) -> impl Iterator<Item = Run<'_>> {
        let mut before = Length::ZERO;
        self.parts.iter().enumerate().filter_map(move |(index, part)| {
            let here = before;
            before = before.and(part.length());
            match part {
                Part::Bytes(bytes) => Some(Run { bytes, before_min: here.min, before_max: here.max, part: index }),
                _ => None,
            }
        })
    }

    /// Bytes on the heap, allocators' own left aside.
    #[must_use]
    pub fn heap_bytes(&self) -> u64 {
        let within = |part: &Part| match part {
            Part::Bytes(bytes) => bytes.len(),
            Part::Masked(bytes) => size_of_val::<[super::MaskedByte]>(bytes),
            Part::Gap(_) | Part::Boundary(_) => 0,
            Part::Alternates(alternates) => {
                let choices = alternates.choices.iter().map(|choice| choice.heap_bytes() as usize).sum::<usize>();
                size_of::<super::Alternates>() + size_of_val::<[Pattern]>(&alternates.choices) + choices
            }
        };
        (size_of_val::<[Part]>(&self.parts) + self.parts.iter().map(within).sum::<usize>()) as u64
    }

    /// The bytes, when it is one plain string.
    #[must_use]
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match &*self.parts {
            [Part::Bytes(bytes)] => Some(bytes),
            _ => None,
        }
    }
}

impl super::Alternates {
    /// The length of its choices when all are plain strings of that one length.
    #[must_use]
    pub fn plain_len(&self) -> Option<usize> {
        let mut lens = self.choices.iter().map(|choice| choice.as_bytes().map(<[u8]>::len));
        let first = lens.next()??;
        lens.all(|len| len == Some(first)).then_some(first)
    }

    /// Whether a match may hold a choice: false for a negation.
    #[must_use]
    pub fn is_positive(&self) -> bool {
        self.polarity == Polarity::Positive
    }
}
