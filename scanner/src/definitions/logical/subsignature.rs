//! One sub-signature, of any of its five kinds.

use super::{ByteCompare, Expression, Modifiers, Range, Subsignature};
use crate::definitions::fault::{Fault, LineError};
use crate::definitions::field::{Field, nibble};
use crate::definitions::limits;
use crate::definitions::offset::{Offset, Place};
use crate::definitions::outcome::Reason;
use crate::definitions::pattern::{Demands, Negation, Pattern, Spelling, Width};
use crate::definitions::target::Target;

/// Reads sub-signature `index` of `count`. A macro has no members yet: `.ndb` lines read later may be its group.
pub(super) fn read(text: Field<'_>, index: usize, count: usize, target: Target) -> Result<Subsignature, LineError> {
    if text.bytes.contains(&b'/') {
        return Err(check_pcre(text, index, target).map_or_else(|error| error, |()| text.error(Reason::Pcre)));
    }
    if let Some(hash) = text.strip_prefix(b"fuzzy_img#") {
        return Err(check_fuzzy(hash).map_or_else(|error| error, |()| text.error(Reason::FuzzyImage)));
    }
    if text.bytes.first() == Some(&b'$') {
        return read_macro(text, index);
    }
    if text.bytes.contains(&b'#') {
        return ByteCompare::read(text, count).map(Subsignature::ByteCompare);
    }
    read_body(text, target)
}

fn read_body(text: Field<'_>, target: Target) -> Result<Subsignature, LineError> {
    let (body, modifiers) = match text.bytes.windows(2).position(|pair| pair == b"::") {
        Some(at) => (text.part(0, at), Modifiers::read(text.part(at + 2, text.bytes.len()))?),
        None => (text, Modifiers::default()),
    };
    let (offset, pattern) = match body.split_once(b':') {
        Some((offset, pattern)) => match Place::read(offset, target)? {
            Place::Offset(place) => (place, pattern),
            Place::Macro(_) => return Err(offset.error(Fault::Macro)),
        },
        None => (Offset::ANY, body),
    };
    let width = if modifiers.wide { Width::Wide } else { Width::Narrow };
    let negation = if modifiers == Modifiers::default() { Negation::Allowed } else { Negation::RuledOut };
    let pattern = Pattern::read(pattern, Demands { plain_bytes_min: 0, width, negation })?;
    Ok(Subsignature::Body { offset, pattern, modifiers })
}

impl Modifiers {
    fn read(text: Field<'_>) -> Result<Modifiers, LineError> {
        let mut modifiers = Modifiers::default();
        for (index, letter) in text.bytes.iter().enumerate() {
            match letter {
                b'i' => modifiers.case_insensitive = true,
                b'w' => modifiers.wide = true,
                b'f' => modifiers.full_word = true,
                b'a' => modifiers.ascii = true,
                _ => return Err(text.error_at(index, Fault::Modifier)),
            }
        }
        Ok(modifiers)
    }

    fn write(self, out: &mut Vec<u8>) {
        let set = [(self.case_insensitive, b'i'), (self.wide, b'w'), (self.full_word, b'f'), (self.ascii, b'a')];
        let letters = set.into_iter().filter_map(|(on, letter)| on.then_some(letter));
        if self != Modifiers::default() {
            out.extend_from_slice(b"::");
            out.extend(letters);
        }
    }
}

/// `${min-max}group$`. As the first sub-signature it has nothing to measure from, and ClamAV never finds it.
fn read_macro(text: Field<'_>, index: usize) -> Result<Subsignature, LineError> {
    let wrong = || text.error(Fault::Macro);
    let inner = text.strip_prefix(b"${").ok_or_else(wrong)?;
    let (distance, group) = inner.split_once(b'}').ok_or_else(wrong)?;
    let Some((b'$', digits)) = group.bytes.split_last() else { return Err(group.error(Fault::Macro)) };
    let (min, max) = distance.split_once(b'-').ok_or_else(wrong)?;
    let distance = Range { min: min.number(Fault::Macro)?, max: max.number(Fault::Macro)? };
    let number = group.part(0, digits.len()).number(Fault::Macro)?;
    let number = u8::try_from(number).ok().filter(|number| u32::from(*number) < limits::MACRO_GROUPS_MAX);
    let group = number.ok_or_else(|| group.error(Fault::MacroGroup))?;
    if index == 0 || distance.min > distance.max {
        return Err(text.error(Reason::CannotMatch));
    }
    Ok(Subsignature::Macro { distance, group, members: Box::default() })
}

/// `[offset:]trigger/expression/flags`, as far as can be told without compiling the expression.
fn check_pcre(text: Field<'_>, index: usize, target: Target) -> Result<(), LineError> {
    let wrong = |field: Field<'_>| field.error(Fault::Pcre);
    let (head, rest) = text.split_once(b'/').ok_or_else(|| wrong(text))?;
    let trigger = match head.split_once(b':') {
        Some((offset, trigger)) => Place::read(offset, target).map(|_| trigger)?,
        None => head,
    };
    let end = rest.bytes.iter().rposition(|byte| *byte == b'/').ok_or_else(|| wrong(rest))?;
    if trigger.bytes.is_empty() || end == 0 {
        return Err(wrong(if end == 0 { rest } else { trigger }));
    }
    if Expression::read(trigger)?.subsignatures() > index {
        return Err(trigger.error(Fault::PcreTrigger));
    }
    let flags = rest.part(end + 1, rest.bytes.len());
    match flags.bytes.iter().position(|flag| !b"greismxAEU".contains(flag)) {
        Some(at) => Err(flags.error_at(at, Fault::PcreFlag)),
        None => Ok(()),
    }
}

/// `hash[#distance]`.
fn check_fuzzy(text: Field<'_>) -> Result<(), LineError> {
    let (hash, distance) = text.split_once(b'#').map_or((text, None), |(hash, distance)| (hash, Some(distance)));
    let hash_good = hash.bytes.len() == 16 && hash.bytes.iter().all(|digit| nibble(*digit).is_some());
    let distance_good = distance.is_none_or(|distance| distance.bytes == b"0");
    if hash_good && distance_good { Ok(()) } else { Err(text.error(Fault::FuzzyImage)) }
}

impl Subsignature {
    /// Appends the canonical text. A macro's group is named by its number; its members belong to the key, not the line.
    pub(crate) fn write(&self, out: &mut Vec<u8>, spelling: Spelling) {
        match self {
            Subsignature::Body { offset, pattern, modifiers } => {
                if *offset != Offset::ANY {
                    out.extend_from_slice(format!("{offset}:").as_bytes());
                }
                pattern.write(out, spelling);
                modifiers.write(out);
            }
            Subsignature::Macro { distance, group, members } => {
                out.extend_from_slice(format!("${{{}-{}}}{group}$", distance.min, distance.max).as_bytes());
                if spelling == Spelling::Key {
                    for member in members {
                        out.push(b'\n');
                        member.write(out, spelling);
                    }
                }
            }
            Subsignature::ByteCompare(compare) => compare.write(out),
        }
    }
}
