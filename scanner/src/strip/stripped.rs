//! What leaves the house, and how it is told to people.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::archive;

/// Parts of one sample. A page can have any number of scripts; a ZIP has 65,535 members.
pub const PARTS_MAX: usize = 10_000;
/// Bytes of all parts, whatever the limits say: sizes and places in a ZIP have 32 bits, and each part has its headers.
pub(super) const PARTS_BYTES_MAX: u64 = u32::MAX as u64 - 256 * PARTS_MAX as u64;

const _: () = assert!(PARTS_MAX < u16::MAX as usize, "a ZIP counts its members in 16 bits");

/// How a part was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Kept {
    /// Source text of a macro module, or a macro sheet.
    Macros,
    /// Headers and sections of a program.
    Program,
    /// A script that came as an attachment or a member, whole.
    Script,
    /// A script that stood in a page.
    PageScript,
    /// A boot sector.
    BootSector,
    /// What lies around a match.
    Window,
}

impl Kept {
    /// In words.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Macros => "macros",
            Self::Program => "executable without resources and overlay",
            Self::Script => "script",
            Self::PageScript => "script of a page",
            Self::BootSector => "boot sector without names and partitions",
            Self::Window => "window around the match",
        }
    }
}

/// One part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Where it was: names from the sample inwards. For people in the house; it does not leave.
    pub path: Vec<String>,
    /// How it was made.
    pub what: Kept,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// A sample without user data. It has at least one part, and no two of the same bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stripped {
    /// What is left, in the order of the walk.
    pub parts: Vec<Part>,
    /// Bytes of the sample.
    pub sample_bytes: u64,
}

impl Stripped {
    /// What is sent: the one part, or all of them in a ZIP.
    #[must_use]
    pub fn into_bytes(mut self) -> Vec<u8> {
        match self.parts.len() {
            1 => self.parts.remove(0).bytes,
            _ => archive::zip(&self.parts),
        }
    }

    /// Bytes of all parts.
    #[must_use]
    pub fn kept_bytes(&self) -> u64 {
        self.parts.iter().map(|part| part.bytes.len() as u64).sum()
    }

    /// How much shorter the parts are than the sample. 0 where they were compressed in it and are longer; zeroes in place
    /// of resources count as kept.
    #[must_use]
    pub fn removed_bytes(&self) -> u64 {
        self.sample_bytes.saturating_sub(self.kept_bytes())
    }
}

/// `macros (2 parts), script; 1234 bytes of a sample of 99999`.
impl fmt::Display for Stripped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut kinds: Vec<Kept> = self.parts.iter().map(|part| part.what).collect();
        kinds.sort_unstable();
        for (n, same) in kinds.chunk_by(|a, b| a == b).enumerate() {
            let comma = if n == 0 { "" } else { ", " };
            write!(f, "{comma}{}", same[0].label())?;
            if same.len() > 1 {
                write!(f, " ({} parts)", same.len())?;
            }
        }
        write!(f, "; {} bytes of a sample of {}", self.kept_bytes(), self.sample_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::{Flow, Limits, walk};

    fn stripped(parts: &[(Kept, &[u8])]) -> Stripped {
        let part = |(what, bytes): &(Kept, &[u8])| Part {
            path: vec!["private.doc".to_owned()],
            what: *what,
            bytes: bytes.to_vec(),
        };
        Stripped { parts: parts.iter().map(part).collect(), sample_bytes: 100 }
    }

    #[test]
    fn one_part_is_its_bytes() {
        assert_eq!(stripped(&[(Kept::Macros, b"Sub x()")]).into_bytes(), b"Sub x()");
    }

    #[test]
    fn several_are_a_zip_that_opens_and_names_nobody() {
        let several = stripped(&[(Kept::Macros, b"Sub x()"), (Kept::Program, b"MZ and more"), (Kept::Macros, b"")]);
        let bytes = several.clone().into_bytes();
        assert_eq!(bytes, several.into_bytes(), "the same parts are the same bytes");
        assert!(memchr::memmem::find(&bytes, b"private").is_none());
        let mut members = Vec::new();
        let outcome = walk(&bytes, &Limits::default(), &|| false, &mut |member| {
            if member.depth == 1 {
                members.push((member.path[0].clone(), member.bytes.to_vec()));
            }
            Flow::On
        });
        assert!(outcome.troubles.is_empty(), "{outcome:?}");
        let raw = [("part-1", &b"Sub x()"[..]), ("part-2", b"MZ and more"), ("part-3", b"")];
        for (name, content) in raw {
            assert!(members.contains(&(name.to_owned(), content.to_vec())), "{members:?}");
        }
    }

    #[test]
    fn a_person_reads_what_was_kept() {
        let several = stripped(&[(Kept::Program, b"1234"), (Kept::Macros, b"12"), (Kept::Macros, b"34")]);
        let words = "macros (2 parts), executable without resources and overlay; 8 bytes of a sample of 100";
        assert_eq!(several.to_string(), words);
        assert_eq!(several.removed_bytes(), 92);
    }
}
