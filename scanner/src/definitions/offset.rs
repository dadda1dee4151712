//! Where in a buffer a pattern may start.

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
