//! The canonical text of a pattern: [`Pattern::read`] gives an equal pattern for it.

use super::{Alternates, BoundaryKind, Gap, MaskedByte, Part, Pattern, Polarity};
use crate::definitions::field::write_hexadecimal;
use crate::definitions::limits;

/// What the text is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spelling {
    /// To be read again.
    Text,
    /// To be hashed: a gap takes the same room whatever its length.
    Key,
}

/// A fixed gap up to here can have been written in pieces within a line, five characters for 127 bytes.
const PIECES_MAX: u32 = (limits::LOGICAL_LINE_BYTES_MAX / 5) as u32 * (limits::FIXED_GAP_MAX - 1);

/// How a gap stands in the text.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Bracket {
    Braces,
    /// Beside a single byte, which a range in braces must not separate from its neighbour.
    Square,
}

impl Pattern {
    /// Appends the canonical text.
    pub(crate) fn write(&self, out: &mut Vec<u8>, spelling: Spelling) {
        let brackets = brackets(&self.parts);
        for (index, part) in self.parts.iter().enumerate() {
            match part {
                Part::Bytes(bytes) => write_hexadecimal(out, bytes),
                Part::Masked(bytes) => bytes.iter().for_each(|byte| write_masked(out, *byte)),
                Part::Gap(gap) => write_gap(out, *gap, brackets[index], spelling),
                Part::Alternates(alternates) => write_alternates(out, alternates, spelling),
                Part::Boundary(boundary) => {
                    out.extend((boundary.polarity == Polarity::Negative).then_some(b'!'));
                    out.extend_from_slice(match boundary.kind {
                        BoundaryKind::Word => b"(B)",
                        BoundaryKind::Line => b"(L)",
                        BoundaryKind::NonAlphanumeric => b"(W)",
                    });
                }
            }
        }
    }
}

fn write_masked(out: &mut Vec<u8>, byte: MaskedByte) {
    for shift in [4, 0] {
        let known = (byte.mask >> shift) & 15 == 15;
        out.push(if known { b"0123456789abcdef"[usize::from((byte.value >> shift) & 15)] } else { b'?' });
    }
}

fn write_alternates(out: &mut Vec<u8>, alternates: &Alternates, spelling: Spelling) {
    out.extend((alternates.polarity == Polarity::Negative).then_some(b'!'));
    out.push(b'(');
    for (index, choice) in alternates.choices.iter().enumerate() {
        out.extend((index > 0).then_some(b'|'));
        choice.write(out, spelling);
    }
    out.push(b')');
}

/// A fixed gap never splits a segment, so that what was one segment stays one: it is written in pieces below 128.
fn write_gap(out: &mut Vec<u8>, gap: Gap, bracket: Bracket, spelling: Spelling) {
    match gap {
        Gap { min: 0, max: None } => out.push(b'*'),
        Gap { min, max: None } => out.extend_from_slice(format!("{{{min}-}}").as_bytes()),
        Gap { min, max: Some(max) } if min == max => write_fixed(out, min, spelling),
        Gap { min, max: Some(max) } if bracket == Bracket::Square => {
            let fixed = max.saturating_sub(limits::ANCHORED_GAP_MAX);
            write_fixed(out, fixed, spelling);
            out.extend_from_slice(format!("[{}-{}]", min - fixed, max - fixed).as_bytes());
        }
        Gap { min, max: Some(max) } => out.extend_from_slice(format!("{{{min}-{max}}}").as_bytes()),
    }
}

fn write_fixed(out: &mut Vec<u8>, count: u32, spelling: Spelling) {
    // Beyond a line's worth of pieces it was a range that splits.
    if count > PIECES_MAX || (spelling == Spelling::Key && count > 0) {
        out.extend_from_slice(format!("{{{count}}}").as_bytes());
        return;
    }
    let whole = limits::FIXED_GAP_MAX - 1;
    for piece in std::iter::repeat_n(whole, (count / whole) as usize).chain(Some(count % whole)) {
        if piece > 0 {
            out.extend_from_slice(format!("{{{piece}}}").as_bytes());
        }
    }
}

/// For each part that is a gap, how it must stand. Between variable gaps lie the segments; a segment of one single
/// byte is tied to a neighbour by `[]`, to the one before it where that can be.
fn brackets(parts: &[Part]) -> Vec<Bracket> {
    let mut brackets = vec![Bracket::Braces; parts.len()];
    let splits = |part: &Part| matches!(part, Part::Gap(gap) if gap.max != Some(gap.min) || gap.min > PIECES_MAX);
    let single = |segment: &[Part]| matches!(segment, [Part::Bytes(bytes)] if bytes.len() == 1);
    let tieable = |part: &Part| matches!(part, Part::Gap(Gap { min, max: Some(max) }) if min < max && max - min <= limits::ANCHORED_GAP_MAX);
    let segments: Vec<&[Part]> = parts.split(splits).collect();
    let mut gap = 0;
    for (index, segment) in segments.iter().enumerate() {
        let before = gap + segment.len();
        if single(segment) {
            let left = index > 0 && !single(segments[index - 1]) && tieable(&parts[gap - 1]);
            let tied = if left { Some(gap - 1) } else { Some(before).filter(|at| *at < parts.len()) };
            tied.into_iter().for_each(|at| brackets[at] = Bracket::Square);
        }
        gap = before + 1;
    }
    brackets
}
