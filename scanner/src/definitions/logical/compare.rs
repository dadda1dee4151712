//! Byte comparisons: `trigger(>>offset#options#comparisons)`.

use super::{ByteCompare, ByteOrder, Compare, Notation};
use crate::definitions::fault::{Fault, LineError};
use crate::definitions::field::{Field, nibble};
use crate::definitions::limits;
use crate::definitions::outcome::Reason;

impl ByteCompare {
    /// Reads a comparison; `subsignatures` is how many the signature has.
    pub(super) fn read(text: Field<'_>, subsignatures: usize) -> Result<ByteCompare, LineError> {
        let (trigger, rest) = text.split_once(b'(').ok_or_else(|| text.error(Fault::ByteCompare))?;
        let Some((b')', inner)) = rest.bytes.split_last() else {
            return Err(rest.error(Fault::OpenParenthesis));
        };
        let fields: Vec<Field<'_>> = rest.part(0, inner.len()).split(b'#').take(4).collect();
        let [offset, options, comparisons] = &*fields else {
            return Err(rest.error(Fault::ByteCompare));
        };
        let trigger_number = trigger.number_or_zero(Fault::ByteCompare)?;
        let offset = read_offset(*offset)?;
        let options = Options::read(*options)?;
        let comparisons = read_comparisons(*comparisons)?;
        let trigger_index = u8::try_from(trigger_number).ok().filter(|index| usize::from(*index) < subsignatures);
        match (trigger_index, options.notation, options.order) {
            (Some(trigger), Some(notation), Some(order)) => {
                let exact = options.exact || notation == Notation::Binary;
                Ok(ByteCompare { trigger, offset, notation, order, exact, length: options.length, comparisons })
            }
            // ClamAV loads a comparison without a notation, an order or an existing trigger, and never finds it.
            _ => Err(trigger.error(Reason::CannotMatch)),
        }
    }

    /// Appends the canonical text.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let way = if self.offset < 0 { "<<" } else { ">>" };
        let notation = match self.notation {
            Notation::Hexadecimal => 'h',
            Notation::Decimal => 'd',
            Notation::Automatic => 'a',
            Notation::Binary => 'i',
        };
        let order = if self.order == ByteOrder::Little { 'l' } else { 'b' };
        let exact = if self.exact && self.notation != Notation::Binary { "e" } else { "" };
        let comparisons: Vec<String> = self
            .comparisons
            .iter()
            .map(|(compare, number)| match compare {
                Compare::Equal => format!("={number}"),
                Compare::Greater => format!(">{number}"),
                Compare::Less => format!("<{number}"),
            })
            .collect();
        let (trigger, offset, length) = (self.trigger, self.offset.unsigned_abs(), self.length);
        let text = format!("{trigger}({way}{offset}#{notation}{order}{exact}{length}#{})", comparisons.join(","));
        out.extend_from_slice(text.as_bytes());
    }
}

fn read_offset(text: Field<'_>) -> Result<i64, LineError> {
    let (rest, sign) = match (text.strip_prefix(b">>"), text.strip_prefix(b"<<")) {
        (Some(rest), _) => (rest, 1),
        (_, Some(rest)) => (rest, -1),
        _ => return Err(text.error(Fault::ByteCompare)),
    };
    if rest.bytes.is_empty() {
        return Ok(0);
    }
    let distance = read_number(rest, Fault::ByteCompare)?;
    // An offset beyond 32 bits cannot be in a buffer.
    u32::try_from(distance).map(|distance| sign * i64::from(distance)).map_err(|_| rest.error(Reason::CannotMatch))
}

/// Decimal digits, or hexadecimal ones behind `0x`.
fn read_number(text: Field<'_>, fault: Fault) -> Result<u64, LineError> {
    let digits = text.strip_prefix(b"0x").or(text.strip_prefix(b"0X"));
    let (digits, radix) = digits.map_or((text, 10), |digits| (digits, 16));
    let trimmed = text.bytes.trim_ascii_start();
    if trimmed.len() < text.bytes.len() || matches!(trimmed.first(), Some(b'+' | b'-')) {
        return Err(text.error(Reason::LooseNumber));
    }
    if digits.bytes.is_empty() {
        return Err(text.error(fault));
    }
    let mut sum = Some(0u64);
    for (index, digit) in digits.bytes.iter().enumerate() {
        let digit = nibble(*digit).filter(|digit| u64::from(*digit) < radix);
        let digit = digit.ok_or_else(|| digits.error_at(index, fault))?;
        sum = sum.and_then(|sum| sum.checked_mul(radix)?.checked_add(digit.into()));
    }
    sum.ok_or_else(|| text.error(Reason::LooseNumber))
}

fn read_comparisons(text: Field<'_>) -> Result<Box<[(Compare, u64)]>, LineError> {
    let mut comparisons = Vec::new();
    for comparison in text.split(b',') {
        if comparisons.len() == 2 {
            return Err(comparison.error(Fault::ByteCompareComparison));
        }
        let compare = match comparison.bytes.first() {
            Some(b'<') => Compare::Less,
            Some(b'>') => Compare::Greater,
            Some(b'=') => Compare::Equal,
            _ => return Err(comparison.error(Fault::ByteCompareComparison)),
        };
        let number = comparison.part(1, comparison.bytes.len());
        comparisons.push((compare, read_number(number, Fault::ByteCompareComparison)?));
    }
    Ok(comparisons.into())
}

struct Options {
    notation: Option<Notation>,
    order: Option<ByteOrder>,
    exact: bool,
    length: u32,
}

impl Options {
    /// Letters in any order, then a length.
    fn read(text: Field<'_>) -> Result<Options, LineError> {
        let mut options = Options { notation: None, order: None, exact: false, length: 0 };
        let letters = text.bytes.iter().position(|byte| !b"hdailbe".contains(byte)).unwrap_or(text.bytes.len());
        for letter in &text.bytes[..letters] {
            match letter {
                b'h' => options.notation = Some(Notation::Hexadecimal),
                b'd' => options.notation = Some(Notation::Decimal),
                b'a' => options.notation = Some(Notation::Automatic),
                b'i' => options.notation = Some(Notation::Binary),
                b'l' => options.order = Some(ByteOrder::Little),
                b'b' => options.order = Some(ByteOrder::Big),
                _ => options.exact = true,
            }
        }
        let length = text.part(letters, text.bytes.len());
        let number = read_number(length, Fault::ByteCompareOptions)?;
        options.length = u32::try_from(number).map_err(|_| length.error(Fault::ByteCompareOptions))?;
        if options.notation == Some(Notation::Decimal) {
            if options.order == Some(ByteOrder::Little) {
                return Err(text.error(Fault::ByteCompareOptions));
            }
            options.order = Some(ByteOrder::Big);
        }
        let fits = match options.notation {
            Some(Notation::Binary) => matches!(options.length, 1 | 2 | 4 | 8),
            Some(Notation::Hexadecimal) => (1..=limits::COMPARED_HEXADECIMAL_BYTES_MAX).contains(&options.length),
            _ => (1..=limits::COMPARED_DECIMAL_BYTES_MAX).contains(&options.length),
        };
        if fits { Ok(options) } else { Err(length.error(Fault::ByteCompareOptions)) }
    }
}
