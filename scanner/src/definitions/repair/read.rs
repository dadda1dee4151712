//! A line of `.repair`: `signature;step;step`, words of a step separated by single blanks.

use super::{Base, Position, Recipe, Step};
use crate::definitions::fault::{Fault, LineError};
use crate::definitions::field::{Field, nibble, write_hexadecimal};
use crate::definitions::limits;
use crate::definitions::signature::Origin;

/// What is wrong with a recipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum RepairFault {
    /// No step, or more than the bound.
    #[error("a recipe has 1 to 64 steps")]
    Steps,
    /// An unknown step, or too few or too many words.
    #[error("a step is truncate AT, drop BYTES, cut FROM TO, write AT HEX or copy FROM BYTES TO")]
    Step,
    /// Not a position.
    #[error(
        "a position is start, end, entry, match or behind, the last two with the number of a sub-signature, and +n or -n"
    )]
    Position,
    /// Not a number of bytes.
    #[error("a number of bytes from 1 is expected")]
    Bytes,
    /// Not what is to be written.
    #[error("1 to 4095 bytes in hexadecimal digits are expected")]
    Write,
}

impl Recipe {
    /// Reads a line.
    pub(crate) fn read(line: Field<'_>, origin: Origin) -> Result<Recipe, LineError> {
        let (name, rest) = line.split_once(b';').ok_or_else(|| line.error(Fault::Repair(RepairFault::Steps)))?;
        let signature = name.name()?;
        let mut steps = Vec::new();
        for step in rest.split(b';') {
            if steps.len() == limits::REPAIR_STEPS_MAX {
                return Err(step.error(Fault::Repair(RepairFault::Steps)));
            }
            steps.push(Step::read(step)?);
        }
        Ok(Recipe { signature, steps: steps.into(), origin })
    }

    /// The canonical line, which reads as an equal recipe.
    #[must_use]
    pub fn line(&self) -> String {
        let mut line = self.signature.to_string();
        for step in &self.steps {
            line += &match step {
                Step::Truncate { at } => format!(";truncate {at}"),
                Step::Drop { bytes } => format!(";drop {bytes}"),
                Step::Cut { from, to } => format!(";cut {from} {to}"),
                Step::Copy { from, bytes, to } => format!(";copy {from} {bytes} {to}"),
                Step::Write { at, bytes } => {
                    let mut digits = Vec::new();
                    write_hexadecimal(&mut digits, bytes);
                    format!(";write {at} {}", String::from_utf8_lossy(&digits))
                }
            };
        }
        line
    }
}

impl Step {
    fn read(text: Field<'_>) -> Result<Step, LineError> {
        let words: Vec<Field<'_>> = text.split(b' ').take(5).collect();
        let verb = words.first().map_or(&[][..], |word| word.bytes);
        match (verb, words.get(1..).unwrap_or(&[])) {
            (b"truncate", [at]) => Ok(Step::Truncate { at: Position::read(*at)? }),
            (b"drop", [bytes]) => Ok(Step::Drop { bytes: byte_count(*bytes)? }),
            (b"cut", [from, to]) => Ok(Step::Cut { from: Position::read(*from)?, to: Position::read(*to)? }),
            (b"write", [at, bytes]) => Ok(Step::Write { at: Position::read(*at)?, bytes: content(*bytes)? }),
            (b"copy", [from, bytes, to]) => {
                let (from, bytes) = (Position::read(*from)?, byte_count(*bytes)?);
                Ok(Step::Copy { from, bytes, to: Position::read(*to)? })
            }
            _ => Err(text.error(Fault::Repair(RepairFault::Step))),
        }
    }
}

fn byte_count(text: Field<'_>) -> Result<u64, LineError> {
    match text.number(Fault::Repair(RepairFault::Bytes)) {
        Ok(0) | Err(_) => Err(text.error(Fault::Repair(RepairFault::Bytes))),
        Ok(bytes) => Ok(bytes.into()),
    }
}

fn content(text: Field<'_>) -> Result<Box<[u8]>, LineError> {
    let wrong = |index| text.error_at(index, Fault::Repair(RepairFault::Write));
    if text.bytes.is_empty() || text.bytes.len() % 2 == 1 || text.bytes.len() > 2 * limits::REPAIR_WRITE_BYTES_MAX {
        return Err(wrong(0));
    }
    if let Some(at) = text.bytes.iter().position(|digit| nibble(*digit).is_none()) {
        return Err(wrong(at));
    }
    let digits = |pair: &[u8]| pair.iter().fold(0, |byte, digit| byte << 4 | nibble(*digit).unwrap_or(0));
    Ok(text.bytes.chunks_exact(2).map(digits).collect())
}

impl Position {
    fn read(text: Field<'_>) -> Result<Position, LineError> {
        let wrong = || text.error(Fault::Repair(RepairFault::Position));
        let sign = text.bytes.iter().position(|byte| matches!(byte, b'+' | b'-'));
        let (base, plus) = match sign {
            None => (text, 0),
            Some(at) => {
                let distance = text.part(at + 1, text.bytes.len());
                let bytes = distance.number(Fault::Repair(RepairFault::Position)).map_err(|_| wrong())?;
                (text.part(0, at), if text.bytes[at] == b'-' { -i64::from(bytes) } else { i64::from(bytes) })
            }
        };
        let numbered = |digits: &[u8]| match digits {
            [] => Some(0),
            [b'1'..=b'9'] | [b'1'..=b'9', b'0'..=b'9'] => {
                let number = digits.iter().fold(0, |number, digit| number * 10 + (digit - b'0'));
                Some(number).filter(|number| usize::from(*number) < limits::SUBSIGNATURES_MAX)
            }
            _ => None,
        };
        let base = match base.bytes {
            b"start" => Some(Base::Start),
            b"end" => Some(Base::End),
            b"entry" => Some(Base::Entry),
            other => match (other.strip_prefix(b"match"), other.strip_prefix(b"behind")) {
                (Some(digits), _) => numbered(digits).map(Base::Match),
                (_, Some(digits)) => numbered(digits).map(Base::Behind),
                _ => None,
            },
        };
        base.map(|base| Position { base, plus }).ok_or_else(wrong)
    }
}

impl std::fmt::Display for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.base {
            Base::Start => write!(f, "start")?,
            Base::End => write!(f, "end")?,
            Base::Entry => write!(f, "entry")?,
            Base::Match(0) => write!(f, "match")?,
            Base::Match(number) => write!(f, "match{number}")?,
            Base::Behind(0) => write!(f, "behind")?,
            Base::Behind(number) => write!(f, "behind{number}")?,
        }
        if self.plus == 0 { Ok(()) } else { write!(f, "{:+}", self.plus) }
    }
}
