//! Where an executable begins and what its sections are: what offsets like `EP+n`, `Sx+n`, `SL+n`, `SEx` and `VI`
//! are counted from, and what section hashes are taken of.
//!
//! These are readers of our own, not of a crate: what counts is which malformed file ClamAV still lays out, and
//! with which rounding, and a general parser refuses or repairs in places of its own choice. They read what they
//! need, check each range, and answer `None` for what ClamAV calls broken; the bytes are matched all the same.

mod elf;
mod held;
mod macho;
mod pe;
mod read;
mod version;

use serde::{Deserialize, Serialize};

use super::Kind;
pub(crate) use held::{Held, Place};

/// Sections read of one file. ClamAV refuses a PE with more than 96 and an ELF with more than 2048.
pub const SECTIONS_MAX: usize = 2048;

/// One section, as its file holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Section {
    /// First byte in the file, rounded as ClamAV rounds.
    pub offset: u64,
    /// Bytes in the file, rounded and cut at the file's end. What `.mdb` sizes name, and hashes are taken of.
    pub bytes: u64,
    /// Address in memory.
    pub address: u64,
    /// Bytes in memory.
    pub memory_bytes: u64,
}

impl Section {
    /// The section's bytes; empty where it lies outside of the file.
    pub fn slice<'a>(&self, file: &'a [u8]) -> &'a [u8] {
        let from = usize::try_from(self.offset).unwrap_or(usize::MAX).min(file.len());
        let to = usize::try_from(self.offset.saturating_add(self.bytes)).unwrap_or(usize::MAX).min(file.len());
        &file[from..to]
    }
}

/// The layout of an executable.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Executable {
    /// File offset of the entry point.
    pub entry: Option<u64>,
    /// Sections in the order of their table.
    pub sections: Vec<Section>,
    /// File offsets at which a `VI` signature may match: each key of the version information. Sorted.
    pub version_keys: Vec<u64>,
    /// Where appended bytes begin, if the file is longer than its sections.
    pub overlay: Option<u64>,
}

impl Executable {
    /// The layout of a file of that kind, or `None` where it has none or is broken.
    pub fn read(kind: Kind, bytes: &[u8]) -> Option<Self> {
        let mut executable = match kind {
            Kind::Pe => pe::read(bytes)?,
            Kind::Elf => elf::read(bytes)?,
            Kind::MachO => macho::read(bytes)?,
            _ => return None,
        };
        let end = executable.sections.iter().filter(|section| section.bytes > 0);
        let end = end.map(|section| section.offset.saturating_add(section.bytes)).max().unwrap_or(0);
        executable.overlay = (end > 0 && end < bytes.len() as u64).then_some(end);
        Some(executable)
    }
}
