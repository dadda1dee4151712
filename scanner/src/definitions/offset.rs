//! Where in a buffer a pattern may start.

use super::fault::{Fault, LineError};
use super::field::Field;
use super::limits;
use super::outcome::Reason;
use super::target::Target;

/// An anchor and how far behind it the pattern may still start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Offset {
    /// The first place.
    pub anchor: Anchor,
    /// The pattern may start at any of `place ..= place + shift_max`; 0 for one place. Always 0 with [`Anchor::Any`],
    /// [`Anchor::VersionInfo`] and [`Anchor::WithinSection`], which are not single places.
    pub shift_max: u32,
}

/// A place in a buffer. All but `Any`, `Absolute` and `End` need an executable (PE, ELF, Mach-O) that could be parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Anchor {
    /// `*`: anywhere.
    Any,
    /// `n`: bytes from the start.
    Absolute(u32),
    /// `EOF-n`: bytes before the end.
    End(u32),
    /// `EP+n`, `EP-n`: relative to the file offset of the entry point.
    EntryPoint(i32),
    /// `Sx+n`: bytes behind the start of section `index`, counted from 0.
    Section {
        /// Which section.
        index: u32,
        /// Bytes behind its start.
        plus: u32,
    },
    /// `SL+n`: bytes behind the start of the last section.
    LastSection(u32),
    /// `SEx`: anywhere in section `index`.
    WithinSection(u32),
    /// `VI`: at the start of any key and value pair of a PE file's version information.
    VersionInfo,
}

impl Offset {
    /// Anywhere.
    pub const ANY: Offset = Offset { anchor: Anchor::Any, shift_max: 0 };
}

/// An offset as a line of `.ndb` may have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In files.
    Offset(Offset),
    /// `$n`: in the macro group with this number, below 32.
    Macro(u8),
}

impl Place {
    /// Reads an offset. Nothing at all is the start of the file, and nothing where a number may stand is zero.
    pub(crate) fn read(text: Field<'_>, target: Target) -> Result<Place, LineError> {
        if text.bytes == b"*" {
            return Ok(Place::Offset(Offset::ANY));
        }
        let (place, shift) = match text.split_once(b',') {
            Some((place, shift)) => (place, shift.number_or_zero(Fault::Offset)?),
            None => (text, 0),
        };
        if let Some(group) = place.strip_prefix(b"$") {
            let group = group.number(Fault::MacroGroup)?;
            let group = u8::try_from(group).ok().filter(|group| u32::from(*group) < limits::MACRO_GROUPS_MAX);
            return group.map(Place::Macro).ok_or_else(|| place.error(Fault::MacroGroup));
        }
        let anchor = Anchor::read(place)?;
        let placed = match anchor {
            Anchor::Any | Anchor::Absolute(_) | Anchor::End(_) => true,
            Anchor::EntryPoint(_)
            | Anchor::Section { .. }
            | Anchor::LastSection(_)
            | Anchor::WithinSection(_)
            | Anchor::VersionInfo => target.is_executable(),
        };
        if !placed {
            return Err(place.error(Fault::OffsetTarget));
        }
        // The language reads a shift there and has no use for it.
        let region = matches!(anchor, Anchor::Any | Anchor::VersionInfo | Anchor::WithinSection(_));
        Ok(Place::Offset(Offset { anchor, shift_max: if region { 0 } else { shift } }))
    }
}

impl Anchor {
    fn read(text: Field<'_>) -> Result<Anchor, LineError> {
        let number = |field: Field<'_>| field.number_or_zero(Fault::Offset);
        if let Some(back) = text.strip_prefix(b"EOF-") {
            return Ok(Anchor::End(number(back)?));
        }
        for (prefix, sign) in [(b"EP+", 1i32), (b"EP-", -1)] {
            if let Some(by) = text.strip_prefix(prefix) {
                let distance = i32::try_from(number(by)?).map_err(|_| by.error(Reason::LooseNumber))?;
                return Ok(Anchor::EntryPoint(sign * distance));
            }
        }
        if let Some(plus) = text.strip_prefix(b"SL+") {
            return Ok(Anchor::LastSection(number(plus)?));
        }
        if let Some(index) = text.strip_prefix(b"SE") {
            return Ok(Anchor::WithinSection(number(index)?));
        }
        if let Some(rest) = text.strip_prefix(b"S") {
            let (index, plus) = rest.split_once(b'+').ok_or_else(|| text.error(Fault::Offset))?;
            return Ok(Anchor::Section { index: index.number(Fault::Offset)?, plus: plus.number(Fault::Offset)? });
        }
        if text.bytes.starts_with(b"VI") {
            return Ok(Anchor::VersionInfo);
        }
        match number(text)? {
            // The language's own mark for no offset at all.
            u32::MAX => Ok(Anchor::Any),
            from => Ok(Anchor::Absolute(from)),
        }
    }
}

impl std::fmt::Display for Offset {
    /// The canonical text, which reads as an equal offset.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.anchor {
            Anchor::Any => write!(f, "*")?,
            Anchor::Absolute(from) => write!(f, "{from}")?,
            Anchor::End(back) => write!(f, "EOF-{back}")?,
            Anchor::EntryPoint(by) if by < 0 => write!(f, "EP-{}", by.unsigned_abs())?,
            Anchor::EntryPoint(by) => write!(f, "EP+{by}")?,
            Anchor::Section { index, plus } => write!(f, "S{index}+{plus}")?,
            Anchor::LastSection(plus) => write!(f, "SL+{plus}")?,
            Anchor::WithinSection(index) => write!(f, "SE{index}")?,
            Anchor::VersionInfo => write!(f, "VI")?,
        }
        match self.shift_max {
            0 => Ok(()),
            shift => write!(f, ",{shift}"),
        }
    }
}
