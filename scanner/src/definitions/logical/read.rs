//! A line of `.ldb`: `name;block;expression;subsignature;...`.

use super::subsignature::read as read_subsignature;
use super::{Expression, Logical, block};
use crate::definitions::fault::{Fault, LineError, Why};
use crate::definitions::field::Field;
use crate::definitions::limits;
use crate::definitions::outcome::Reason;

/// Reads a line.
///
/// What ClamAV skips a signature for is reported only once its expression is known to be well formed, and before its
/// sub-signatures are read: so does ClamAV. What only this scanner lacks is reported after all of the line was read.
pub(crate) fn read_logical(line: Field<'_>, level: u32) -> Result<(Box<str>, Logical), LineError> {
    let fields: Vec<Field<'_>> = line.split(b';').collect();
    let [name, block, expression, subsignatures @ ..] = &*fields else {
        return Err(line.error(Fault::Fields { found: fields.len(), min: 4, max: limits::SUBSIGNATURES_MAX + 3 }));
    };
    if subsignatures.is_empty() {
        return Err(line.error(Fault::Fields { found: 3, min: 4, max: limits::SUBSIGNATURES_MAX + 3 }));
    }
    if let Some(field) = subsignatures.get(limits::SUBSIGNATURES_MAX) {
        return Err(field.error(Fault::ManySubsignatures));
    }
    let name = name.name()?;
    let block::Block { block, unusable } = block::read(*block, level)?;
    let parsed = Expression::read(*expression)?;
    let (named, written) = (parsed.subsignatures(), subsignatures.len());
    if named != written {
        return Err(expression.error(Fault::SubsignatureCount { named, written }));
    }
    let ours = |error: &LineError| {
        [Reason::IconGroup, Reason::HandlerType, Reason::RepeatedAttribute].iter().any(|own| error.why == (*own).into())
    };
    if let Some(error) = unusable.filter(|error| !ours(error)) {
        return Err(error);
    }
    let mut unsupported = unusable;
    let mut read = Vec::with_capacity(written);
    for (index, field) in subsignatures.iter().enumerate() {
        match read_subsignature(*field, index, written, block.target) {
            Ok(subsignature) => read.push(subsignature),
            Err(error) if matches!(error.why, Why::Unsupported(_)) => {
                unsupported.get_or_insert(error);
            }
            Err(error) => return Err(error),
        }
    }
    unsupported.map_or_else(|| Ok((name, Logical { block, expression: parsed, subsignatures: read.into() })), Err)
}
