//! The target description block: comma-separated `Name:Value` conditions on the file.

use super::{Range, TargetBlock};
use crate::definitions::fault::{Fault, LineError};
use crate::definitions::field::Field;
use crate::definitions::limits;
use crate::definitions::outcome::Reason;
use crate::definitions::target::{FILE_TYPES, Target};

/// A block, and why its signature cannot be used although the block is well formed.
pub(super) struct Block {
    pub block: TargetBlock,
    pub unusable: Option<LineError>,
}

/// Reads a block.
///
/// # Errors
/// What ClamAV refuses. What it skips is in `unusable`: the signature's expression has still to be well formed.
pub(super) fn read(text: Field<'_>, level: u32) -> Result<Block, LineError> {
    let mut target = None;
    let mut unusable: Option<LineError> = None;
    let mut block = TargetBlock::of(Target::Any);
    let mut icons = false;
    let mut seen: Vec<&[u8]> = Vec::new();
    for (index, attribute) in text.split(b',').enumerate() {
        let (name, value) = attribute.split_once(b':').ok_or_else(|| attribute.error(Fault::Attribute))?;
        if seen.contains(&name.bytes) {
            unusable.get_or_insert(attribute.error(Reason::RepeatedAttribute));
        }
        seen.push(name.bytes);
        match name.bytes {
            b"Engine" if index > 0 => return Err(attribute.error(Fault::EnginePlace)),
            b"Engine" => block.engine = Some(range(value)?),
            b"Target" => match value.number_or_zero(Fault::AttributeValue) {
                Ok(number) => {
                    target = Some(Target::from_number(number));
                    if target == Some(None) {
                        unusable.get_or_insert(value.error(Reason::UnknownTarget));
                    }
                }
                Err(error) => return Err(LineError { why: Fault::AttributeValue.into(), ..error }),
            },
            b"FileSize" => block.file_size = Some(range(value)?),
            b"EntryPoint" => block.entry_point = Some(range(value)?),
            b"NumberOfSections" => block.sections = Some(range(value)?),
            b"Container" => match file_type(value) {
                Ok(name) => block.container = Some(name),
                Err(error) => drop(unusable.get_or_insert(error)),
            },
            b"Intermediates" => {
                let types: Result<Box<[_]>, LineError> = value.split(b'>').map(file_type).collect();
                match types {
                    Ok(types) if types.len() > limits::INTERMEDIATES_MAX => {
                        return Err(value.error(Fault::ManyIntermediates));
                    }
                    Ok(types) => block.intermediates = types,
                    Err(error) => drop(unusable.get_or_insert(error)),
                }
            }
            b"IconGroup1" | b"IconGroup2" => {
                icons = true;
                unusable.get_or_insert(attribute.error(Reason::IconGroup));
            }
            b"HandlerType" => drop(unusable.get_or_insert(attribute.error(Reason::HandlerType))),
            _ => drop(unusable.get_or_insert(attribute.error(Reason::UnknownAttribute))),
        }
    }
    if unusable.is_some_and(|error| skips_at_once(&error)) {
        return Ok(Block { block, unusable });
    }
    let later = seen.iter().any(|name| !matches!(*name, b"Engine" | b"Target"));
    if later && block.engine.is_none_or(|engine| engine.min < limits::ATTRIBUTE_LEVEL_MIN) {
        return Err(text.error(Fault::AttributeLevel));
    }
    let target = target.ok_or_else(|| text.error(Fault::NoTarget))?;
    if let Some(target) = target {
        block.target = target;
        let executable = block.entry_point.is_some() || block.sections.is_some();
        if (executable && !target.is_executable()) || (icons && target != Target::Pe) {
            return Err(text.error(Fault::AttributeTarget));
        }
    }
    if block.engine.is_some_and(|engine| !engine.contains(level)) {
        unusable = Some(text.error(Reason::FunctionalityLevel));
    }
    Ok(Block { block, unusable })
}

/// Whether ClamAV stops reading the block there, so that what else is wrong with it does not matter.
fn skips_at_once(error: &LineError) -> bool {
    let skipping = [Reason::UnknownAttribute, Reason::UnknownFileType];
    skipping.into_iter().any(|reason| error.why == reason.into())
}

/// `min-max`; nothing is zero.
fn range(value: Field<'_>) -> Result<Range, LineError> {
    let (min, max) = value.split_once(b'-').ok_or_else(|| value.error(Fault::AttributeValue))?;
    let number = |field: Field<'_>| match field.number_or_zero(Fault::AttributeValue) {
        Err(error) if field.bytes.iter().any(|byte| !byte.is_ascii_digit()) => {
            Err(LineError { why: Fault::AttributeValue.into(), ..error })
        }
        number => number,
    };
    Ok(Range { min: number(min)?, max: number(max)? })
}

fn file_type(value: Field<'_>) -> Result<Box<str>, LineError> {
    let name = value.bytes.strip_prefix(b"CL_TYPE_").and_then(|name| std::str::from_utf8(name).ok());
    let known = name.filter(|name| FILE_TYPES.binary_search(name).is_ok());
    known.map(Box::from).ok_or_else(|| value.error(Reason::UnknownFileType))
}

impl Range {
    /// Whether a number is in it.
    #[must_use]
    pub fn contains(self, number: u32) -> bool {
        self.min <= number && number <= self.max
    }
}

impl TargetBlock {
    /// A block without conditions but the target.
    #[must_use]
    pub fn of(target: Target) -> TargetBlock {
        TargetBlock {
            target,
            engine: None,
            file_size: None,
            entry_point: None,
            sections: None,
            container: None,
            intermediates: Box::default(),
        }
    }

    /// Appends the canonical text.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let later = [self.file_size, self.entry_point, self.sections].iter().any(Option::is_some);
        debug_assert!(!later || self.engine.is_some(), "the reader demands an engine for these");
        let range =
            |name: &str, range: Option<Range>| range.map(|range| format!("{name}:{}-{},", range.min, range.max));
        let mut text = range("Engine", self.engine).unwrap_or_default();
        text += &format!("Target:{},", self.target.number());
        text.extend(range("FileSize", self.file_size));
        text.extend(range("EntryPoint", self.entry_point));
        text.extend(range("NumberOfSections", self.sections));
        text.extend(self.container.iter().map(|name| format!("Container:CL_TYPE_{name},")));
        if !self.intermediates.is_empty() {
            let names: Vec<String> = self.intermediates.iter().map(|name| format!("CL_TYPE_{name}")).collect();
            text += &format!("Intermediates:{},", names.join(">"));
        }
        out.extend_from_slice(text.trim_end_matches(',').as_bytes());
    }
}
