//! Parts put together so that equal patterns have one form.

use super::{Gap, MaskedByte, Part, Pattern};

/// Joins neighbours of one kind as they come.
#[derive(Default)]
pub(crate) struct Builder {
    parts: Vec<Part>,
    bytes: Vec<u8>,
    masked: Vec<MaskedByte>,
    gap: Option<Gap>,
}

impl Builder {
    /// A byte, known or half known.
    pub(crate) fn byte(&mut self, byte: MaskedByte) {
        self.close_gap();
        if byte.mask == 0xff {
            self.close_masked();
            self.bytes.push(byte.value);
        } else {
            self.close_bytes();
            self.masked.push(byte);
        }
    }

    /// Arbitrary bytes; false when they no longer fit 32 bits. A gap of none is no part at all.
    pub(crate) fn gap(&mut self, gap: Gap) -> bool {
        if gap == (Gap { min: 0, max: Some(0) }) {
            return true;
        }
        self.close_bytes();
        self.close_masked();
        let before = self.gap.unwrap_or(Gap { min: 0, max: Some(0) });
        let Some(min) = before.min.checked_add(gap.min) else { return false };
        let max = match (before.max, gap.max) {
            (Some(before), Some(more)) => match before.checked_add(more) {
                Some(max) => Some(max),
                None => return false,
            },
            _ => None,
        };
        self.gap = Some(Gap { min, max });
        true
    }

    /// Alternates or a boundary.
    pub(crate) fn part(&mut self, part: Part) {
        self.close_bytes();
        self.close_masked();
        self.close_gap();
        self.parts.push(part);
    }

    /// The pattern.
    pub(crate) fn finish(mut self) -> Pattern {
        self.close_bytes();
        self.close_masked();
        self.close_gap();
        Pattern { parts: self.parts.into() }
    }

    fn close_bytes(&mut self) {
        if !self.bytes.is_empty() {
            self.parts.push(Part::Bytes(std::mem::take(&mut self.bytes).into()));
        }
    }

    fn close_masked(&mut self) {
        if !self.masked.is_empty() {
            self.parts.push(Part::Masked(std::mem::take(&mut self.masked).into()));
        }
    }

    fn close_gap(&mut self) {
        self.parts.extend(self.gap.take().map(Part::Gap));
    }
}
