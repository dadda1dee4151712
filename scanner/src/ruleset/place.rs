//! Where in one buffer a pattern may start.

use super::spans::Spans;
use crate::definitions::{Anchor, Offset};
use crate::file::Executable;

/// The places that an offset allows in a buffer of `len` bytes; none where it needs an executable and there is none.
pub(crate) fn places(offset: Offset, len: usize, executable: Option<&Executable>) -> Spans {
    let shifted = |from: i128| {
        let to = from + i128::from(offset.shift_max);
        match (usize::try_from(from), usize::try_from(to)) {
            (Ok(from), Ok(to)) => Spans::one(from, to.min(len)),
            _ => Spans::default(),
        }
    };
    let section = |index: usize| executable.and_then(|executable| executable.sections.get(index));
    let last = || executable.and_then(|executable| executable.sections.last());
    let place = match offset.anchor {
        Anchor::Any => return Spans::one(0, len),
        Anchor::Absolute(from) => Some(i128::from(from)),
        Anchor::End(back) => Some(len as i128 - i128::from(back)),
        Anchor::EntryPoint(by) => {
            executable.and_then(|executable| executable.entry).map(|entry| i128::from(entry) + i128::from(by))
        }
        Anchor::Section { index, plus } => {
            section(index as usize).map(|section| i128::from(section.offset) + i128::from(plus))
        }
        Anchor::LastSection(plus) => last().map(|section| i128::from(section.offset) + i128::from(plus)),
        Anchor::WithinSection(index) => {
            return section(index as usize).map_or_else(Spans::default, |section| {
                let end = section.offset.saturating_add(section.bytes);
                let bound = |place: u64| usize::try_from(place).unwrap_or(usize::MAX).min(len);
                Spans::one(bound(section.offset), bound(end))
            });
        }
        Anchor::VersionInfo => {
            let keys = executable.map_or(&[][..], |executable| &executable.version_keys);
            let keys = keys.iter().filter_map(|key| usize::try_from(*key).ok());
            return Spans::union(keys.map(|key| (key, key)).collect());
        }
    };
    place.map_or_else(Spans::default, shifted)
}
