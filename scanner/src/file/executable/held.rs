//! Which bytes of an executable its own headers account for: what a loader maps, and the headers themselves.
//!
//! 1. Bytes that no header names are in none of the ranges, wherever in the file they lie.
//! 2. Ranges are as the headers state them, not rounded as [`Section`](super::Section) is: an alignment that a stranger
//!    wrote would let a section swallow all that is appended to the file.
//! 3. Ranges may overlap and reach behind the file's end; whoever copies cuts them.

use std::ops::Range;

use super::read::Bytes;
use super::{Executable, elf, macho, pe};
use crate::file::Kind;

/// Places in a file.
pub(crate) type Place = Range<u64>;

/// The accounted bytes of an executable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Held {
    /// What the layout is read from.
    pub(crate) headers: Vec<Place>,
    /// Sections and segments, resources among them.
    pub(crate) content: Vec<Place>,
    /// Resources of Windows programs.
    pub(crate) resources: Vec<Place>,
}

impl Held {
    /// The accounted bytes of a file whose layout was read; `None` where headers that are needed are not there, where
    /// resources and entry point are the same bytes, and for core dumps.
    pub(crate) fn read(kind: Kind, file: &[u8], executable: &Executable) -> Option<Self> {
        match kind {
            Kind::Pe => pe::held(Bytes::little(file), executable),
            Kind::Elf => elf::held(file, executable),
            Kind::MachO => macho::held(file),
            _ => None,
        }
    }
}

/// A range of so many bytes.
pub(super) fn place(from: u64, bytes: u64) -> Place {
    from..from.saturating_add(bytes)
}
