//! Which files a signature is looked for in.

/// A target type of the signature languages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Target {
    /// Every buffer.
    Any = 0,
    /// Portable executables.
    Pe = 1,
    /// OLE2 containers and the macros in them.
    Ole2 = 2,
    /// Normalised HTML.
    Html = 3,
    /// Mail.
    Mail = 4,
    /// Pictures.
    Graphics = 5,
    /// ELF executables.
    Elf = 6,
    /// Normalised text.
    Text = 7,
    /// Unused by the language's own documentation; accepted, and nothing has this type.
    Unused = 8,
    /// Mach-O executables.
    MachO = 9,
    /// PDF documents.
    Pdf = 10,
    /// Flash.
    Flash = 11,
    /// Java classes.
    Java = 12,
    /// What the engine itself describes in words (metadata in JSON).
    Internal = 13,
    /// Files of a known type that has no number of its own.
    Other = 14,
}

impl Target {
    /// Every target, by its number.
    pub const ALL: [Target; 15] = [
        Target::Any,
        Target::Pe,
        Target::Ole2,
        Target::Html,
        Target::Mail,
        Target::Graphics,
        Target::Elf,
        Target::Text,
        Target::Unused,
        Target::MachO,
        Target::Pdf,
        Target::Flash,
        Target::Java,
        Target::Internal,
        Target::Other,
    ];

    /// The target with this number.
    #[must_use]
    pub fn from_number(number: u32) -> Option<Target> {
        Target::ALL.get(usize::try_from(number).ok()?).copied()
    }

    /// Its number.
    #[must_use]
    pub fn number(self) -> u8 {
        self as u8
    }

    /// Whether files of this target have an entry point and sections.
    #[must_use]
    pub fn is_executable(self) -> bool {
        matches!(self, Target::Pe | Target::Elf | Target::MachO)
    }
}
