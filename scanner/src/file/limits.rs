//! Every limit of unpacking, in one place.
//!
//! The numbers are clamd's defaults, so that a sample is opened as far as the field's scanner opens it, and so
//! that a bomb costs what it costs there. A limit is checked before bytes are produced, never after.

use serde::{Deserialize, Serialize};

/// How far a sample is opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Containers within containers; the outermost buffer has depth 0. clamd: `MaxRecursion 17`.
    pub depth_max: u32,
    /// Members opened, over all depths. clamd: `MaxFiles 10000`.
    pub files_max: u32,
    /// Bytes of all buffers made out of a sample together; the sample's own bytes are not counted.
    /// clamd: `MaxScanSize 400M`.
    pub scan_bytes_max: u64,
    /// Bytes of one member; what lies behind is cut off and said. clamd: `MaxFileSize 100M`.
    pub file_bytes_max: u64,
    /// Time for one sample, in milliseconds. Kept by whoever calls: `walk` asks it whether time is up.
    /// clamd: `MaxScanTime 120000`.
    pub time_ms_max: u64,
    /// HTML above this is not normalised. clamd: `MaxHTMLNormalize 40M`.
    pub html_bytes_max: u64,
    /// The text of HTML without its tags is not made above this. clamd: `MaxHTMLNoTags 8M`.
    pub html_text_bytes_max: u64,
    /// Text above this is not normalised. clamd: `MaxScriptNormalize 20M`.
    pub text_bytes_max: u64,
    /// Executables inside of other files are not looked for above this. clamd: `MaxEmbeddedPE 40M`.
    pub embedded_bytes_max: u64,
    /// Bytes of a member's name; a longer one is cut. A path has at most `depth_max` of them.
    pub name_bytes_max: usize,
    /// Troubles kept in an outcome. The count goes on beyond.
    pub troubles_max: usize,
    /// Memory that a decoder may take for its window (LZMA, 7z), bytes. A header can ask for 4 GiB.
    pub window_bytes_max: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            depth_max: 17,
            files_max: 10_000,
            scan_bytes_max: 400 << 20,
            file_bytes_max: 100 << 20,
            time_ms_max: 120_000,
            html_bytes_max: 40 << 20,
            html_text_bytes_max: 8 << 20,
            text_bytes_max: 20 << 20,
            embedded_bytes_max: 40 << 20,
            name_bytes_max: 1024,
            troubles_max: 64,
            window_bytes_max: 128 << 20,
        }
    }
}
