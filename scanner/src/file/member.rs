//! One buffer that signatures are matched against, and where it came from.

use serde::{Deserialize, Serialize};

use super::{Executable, Kind, Target};

/// Whether the walk goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// The next buffer, please.
    On,
    /// Enough: nothing more is unpacked.
    Stop,
}

/// How a buffer was made from the file it stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Form {
    /// The bytes as they lie in the sample or as the container held them.
    Raw,
    /// Text in one letter case with its white space folded.
    Text,
    /// HTML without comments, tags in one writing.
    HtmlTags,
    /// The words of HTML and the addresses it names.
    HtmlText,
    /// The scripts of HTML.
    HtmlScript,
    /// Source text of a macro.
    Macro,
}

/// Which signatures a buffer is matched with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Targets {
    /// Those of target 0, which look at every file.
    pub any: bool,
    /// Those of the one target that the buffer is of.
    pub own: Option<Target>,
}

impl Targets {
    /// Whether a signature written for `target` looks at this buffer.
    pub fn holds(self, target: Target) -> bool {
        self.own == Some(target) || (self.any && target == Target::Any)
    }
}

/// Whether hash signatures look at a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Digests {
    /// MD5, SHA-1 and SHA-256 of it can be what a hash signature names.
    Counted,
    /// Only its bytes are matched. Normalised text is like this.
    Ignored,
}

/// One buffer for the scanner.
#[derive(Clone, Copy, Debug)]
pub struct Member<'a> {
    /// Names from the sample inwards: empty for the sample itself. Hostile text, control characters and all.
    pub path: &'a [String],
    /// Containers around it; 0 for the sample.
    pub depth: u32,
    /// What those containers are, outermost first.
    pub containers: &'a [Kind],
    /// What the file is. A normalised form keeps the kind of the file it was made from.
    pub kind: Kind,
    /// How these bytes were made.
    pub form: Form,
    /// Which signatures look at it.
    pub targets: Targets,
    /// Whether hash signatures look at it.
    pub digests: Digests,
    /// Entry point and sections, where the buffer is an executable that a loader would know.
    pub executable: Option<&'a Executable>,
    /// Bytes of the file that conditions on a size mean: of the one that text was made from, else these.
    pub file_bytes: u64,
    /// The bytes.
    pub bytes: &'a [u8],
}
