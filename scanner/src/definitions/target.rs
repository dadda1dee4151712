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

/// The file types that `Container` and `Intermediates` can name, without their prefix `CL_TYPE_`; ascending. Those that
/// ClamAV 1.4 knows; each was tried.
pub const FILE_TYPES: [&str; 86] = [
    "7Z",
    "7ZSFX",
    "ALZ",
    "ANY",
    "APM",
    "ARJ",
    "ARJSFX",
    "AUTOIT",
    "BINARY_DATA",
    "BINHEX",
    "BZ",
    "CABSFX",
    "CPIO_CRC",
    "CPIO_NEWC",
    "CPIO_ODC",
    "CPIO_OLD",
    "CRYPTFF",
    "DMG",
    "EGG",
    "EGGSFX",
    "ELF",
    "GIF",
    "GPT",
    "GRAPHICS",
    "GZ",
    "HTML",
    "HTML_UTF16",
    "HWP3",
    "HWPOLE2",
    "IGNORED",
    "INTERNAL",
    "ISHIELD_MSI",
    "ISO9660",
    "JAVA",
    "JPEG",
    "LHA_LZH",
    "LNK",
    "MACHO",
    "MACHO_UNIBIN",
    "MAIL",
    "MBR",
    "MHTML",
    "MSCAB",
    "MSCHM",
    "MSEXE",
    "MSOLE2",
    "MSSZDD",
    "NULSFT",
    "OLD_TAR",
    "ONENOTE",
    "OOXML_HWP",
    "OOXML_PPT",
    "OOXML_WORD",
    "OOXML_XL",
    "PART_ANY",
    "PART_HFSPLUS",
    "PDF",
    "PNG",
    "POSIX_TAR",
    "PS",
    "PYTHON_COMPILED",
    "RAR",
    "RARSFX",
    "RIFF",
    "RTF",
    "SCRENC",
    "SCRIPT",
    "SFX",
    "SIS",
    "SWF",
    "TEXT_ASCII",
    "TEXT_UTF16BE",
    "TEXT_UTF16LE",
    "TEXT_UTF8",
    "TIFF",
    "TNEF",
    "UDF",
    "UUENCODED",
    "XAR",
    "XDP",
    "XML_HWP",
    "XML_WORD",
    "XML_XL",
    "XZ",
    "ZIP",
    "ZIPSFX",
];
