//! What became of a set: its classes, and what they hold.

use super::Case;
use std::fmt;

/// One class: literals that are looked for in the same way.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassReport {
    /// Which letters count as the same.
    pub case: Case,
    /// Bytes of a window.
    pub width: u8,
    /// Every so many positions of a buffer are looked at.
    pub stride: u8,
    /// Distinct literals.
    pub literals: usize,
    /// Windows, `stride` for each literal.
    pub windows: usize,
    /// Windows that several literals share.
    pub windows_shared: usize,
    /// Literals that share one window at one offset, at most.
    pub run_len_max: usize,
    /// Memory of the filter.
    pub filter_bytes: usize,
    /// Share of the filter's bits that are set.
    pub filter_load: f64,
    /// Memory of the table behind it.
    pub table_bytes: usize,
}

/// A whole set.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// Literals that were compiled.
    pub literals: usize,
    /// Those that equal an earlier one.
    pub copies: usize,
    /// Those of one to three bytes, which the `aho-corasick` crate carries.
    pub short: usize,
    /// All the others.
    pub classes: Vec<ClassReport>,
    /// Memory of the set.
    pub memory_bytes: usize,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} literals, {} of them copies, {} short; {} KiB",
            self.literals,
            self.copies,
            self.short,
            self.memory_bytes >> 10
        )?;
        for class in &self.classes {
            writeln!(
                f,
                "  {} bytes at every {}{}: {} literals, {} windows, {} shared, longest run {}, filter {} KiB at {:.0} %, table {} KiB",
                class.width,
                class.stride,
                if class.case == Case::AnyAscii { ", any case" } else { "" },
                class.literals,
                class.windows,
                class.windows_shared,
                class.run_len_max,
                class.filter_bytes >> 10,
                100.0 * class.filter_load,
                class.table_bytes >> 10
            )?;
        }
        Ok(())
    }
}
