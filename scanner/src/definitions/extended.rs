//! Lines of `.ndb`, `name:target:offset:pattern[:level_min[:level_max]]`, and of `.db`, `name=pattern`.

use super::fault::{Fault, LineError};
use super::field::Field;
use super::offset::{Anchor, Offset, Place};
use super::outcome::Reason;
use super::pattern::{Demands, Negation, Pattern, Spelling, Width};
use super::signature::Body;
use super::target::Target;

/// What an extended line gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Extended {
    /// A signature.
    Body(Box<str>, Body),
    /// A member of a macro group; no signature by itself.
    Member(Box<str>, u8, Pattern),
}

/// Reads a line of `.ndb`. The levels are looked at first: a line for other engines may hold what this one cannot
/// read.
pub(crate) fn read_extended(line: Field<'_>, level: u32) -> Result<Extended, LineError> {
    let fields: Vec<Field<'_>> = line.split(b':').take(7).collect();
    let [name, target, offset, pattern, levels @ ..] = &*fields else {
        return Err(line.error(Fault::Fields { found: fields.len(), min: 4, max: 6 }));
    };
    if levels.len() > 2 {
        return Err(levels[2].error(Fault::Fields { found: fields.len(), min: 4, max: 6 }));
    }
    let name = name.name()?;
    let level_min = levels.first().map_or(Ok(0), |field| field.number_or_zero(Fault::Number))?;
    let level_max = levels.get(1).map_or(Ok(u32::MAX), |field| field.number_or_zero(Fault::Number))?;
    if level < level_min || level > level_max {
        return Err(levels[0].error(Reason::FunctionalityLevel));
    }
    let target = match target.bytes {
        b"*" | b"" => Target::Any,
        digits if !digits.iter().all(u8::is_ascii_digit) => return Err(target.error(Fault::Number)),
        _ => {
            let number = target.number(Fault::Number).unwrap_or(u32::MAX);
            Target::from_number(number).ok_or_else(|| target.error(Reason::UnknownTarget))?
        }
    };
    let place = Place::read(*offset, target)?;
    let plain_bytes_min = match (place, target) {
        (Place::Offset(_), Target::Any) => 3,
        (Place::Offset(Offset { anchor, .. }), Target::Pe) if anchor != Anchor::Any => 3,
        _ => 2,
    };
    let demands = Demands { plain_bytes_min, width: Width::Narrow, negation: Negation::Allowed };
    let pattern = Pattern::read(*pattern, demands)?;
    Ok(match place {
        Place::Offset(offset) => Extended::Body(name, Body { target, offset, pattern }),
        Place::Macro(group) => Extended::Member(name, group, pattern),
    })
}

/// Reads a line of `.db`.
pub(crate) fn read_plain(line: Field<'_>) -> Result<(Box<str>, Body), LineError> {
    let Some((name, pattern)) = line.split_once(b'=') else {
        return Err(line.error(Fault::Fields { found: 1, min: 2, max: 2 }));
    };
    let demands = Demands { plain_bytes_min: 3, width: Width::Narrow, negation: Negation::Allowed };
    let body = Body { target: Target::Any, offset: Offset::ANY, pattern: Pattern::read(pattern, demands)? };
    Ok((name.name()?, body))
}

impl Body {
    /// Appends the canonical line of `.ndb`.
    pub(crate) fn write(&self, out: &mut Vec<u8>, name: &str, spelling: Spelling) {
        out.extend_from_slice(format!("{name}:{}:{}:", self.target.number(), self.offset).as_bytes());
        self.pattern.write(out, spelling);
    }
}
