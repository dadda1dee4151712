//! A sub-signature's modifiers applied: the plain patterns that are looked for in its stead.

use super::Modifiers;
use crate::definitions::pattern::{Alternates, Builder, Gap, MaskedByte, Part, Pattern};

/// One pattern to look for, and what must not stand beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    /// The pattern; under `i` a letter is a [`MaskedByte`] of mask 0xdf.
    pub pattern: Pattern,
    /// What full words demand.
    pub neighbours: Neighbours,
}

/// What may stand beside a match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Neighbours {
    /// Anything.
    Free,
    /// No ASCII letter or digit on either side.
    NoWordByte,
    /// No ASCII letter or digit followed by a zero byte on either side.
    NoWideWordByte,
}

impl Modifiers {
    /// The forms of a pattern: one, or two under `wa`, the narrow one first.
    #[must_use]
    pub fn forms(self, pattern: &Pattern) -> Vec<Form> {
        let folded = if self.case_insensitive { fold(pattern) } else { pattern.clone() };
        let mut forms = Vec::new();
        if self.ascii || !self.wide {
            let neighbours = if self.full_word { Neighbours::NoWordByte } else { Neighbours::Free };
            forms.push(Form { pattern: narrow(&folded), neighbours });
        }
        if self.wide {
            let neighbours = if self.full_word { Neighbours::NoWideWordByte } else { Neighbours::Free };
            forms.push(Form { pattern: widen(&folded), neighbours });
        }
        forms
    }
}

/// Known letters become masks that both cases pass. 0xdf is exact for letters: it drops the one bit cases differ in.
fn fold(pattern: &Pattern) -> Pattern {
    rebuild(pattern, fold, |builder, byte| {
        let letter = byte.mask == 0xff && byte.value.is_ascii_alphabetic();
        builder.byte(if letter { MaskedByte { value: byte.value & 0xdf, mask: 0xdf } } else { byte });
    })
}

/// A zero byte behind each byte.
fn widen(pattern: &Pattern) -> Pattern {
    rebuild(pattern, widen, |builder, byte| {
        any_or_byte(builder, byte);
        builder.byte(MaskedByte { value: 0, mask: 0xff });
    })
}

/// `??` of a wide pattern, taken as written.
fn narrow(pattern: &Pattern) -> Pattern {
    rebuild(pattern, narrow, any_or_byte)
}

fn any_or_byte(builder: &mut Builder, byte: MaskedByte) {
    match byte.mask {
        0 => _ = builder.gap(Gap { min: 1, max: Some(1) }),
        _ => builder.byte(byte),
    }
}

/// The pattern with each byte put through `each`, and each choice of alternates through `within`.
fn rebuild(pattern: &Pattern, within: fn(&Pattern) -> Pattern, each: impl Fn(&mut Builder, MaskedByte)) -> Pattern {
    let mut builder = Builder::default();
    for part in &pattern.parts {
        match part {
            Part::Bytes(bytes) => {
                bytes.iter().for_each(|byte| each(&mut builder, MaskedByte { value: *byte, mask: 0xff }))
            }
            Part::Masked(bytes) => bytes.iter().for_each(|byte| each(&mut builder, *byte)),
            // Gaps were below 2^32 in all when they were read, and few single bytes join them.
            Part::Gap(gap) => _ = builder.gap(*gap),
            Part::Boundary(boundary) => builder.part(Part::Boundary(*boundary)),
            Part::Alternates(alternates) => {
                let choices = alternates.choices.iter().map(within).collect();
                let polarity = alternates.polarity;
                builder.part(Part::Alternates(Box::new(Alternates { polarity, choices })));
            }
        }
    }
    builder.finish()
}
