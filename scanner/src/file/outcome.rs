//! What came of opening a sample: complete, or what stood in the way and where.

use serde::{Deserialize, Serialize};

/// The limit that cut an unpacking short.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Limit {
    /// Containers in containers.
    Depth,
    /// Members in all.
    Files,
    /// Bytes of one member.
    FileBytes,
    /// Bytes of all members.
    ScanBytes,
    /// The caller said that time is up.
    Time,
    /// Memory that a decoder asks for.
    Window,
}

/// One thing that kept a buffer, or a part of it, from the scanner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TroubleKind {
    /// A limit was reached.
    Limit(Limit),
    /// The format says one thing and the bytes another. What had been read until then was handed out.
    Broken(String),
    /// A form that is not read: its name.
    Unsupported(String),
    /// Locked with a password that is not the field's custom one.
    Encrypted,
}

/// A trouble and the place it was met.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// Names from the sample inwards.
    pub path: Vec<String>,
    /// What it was.
    pub kind: TroubleKind,
}

/// The end of a walk.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// Members opened (without the sample itself).
    pub files: u32,
    /// Bytes of buffers made out of the sample.
    pub bytes: u64,
    /// The first troubles, in the order they were met; at most `Limits::troubles_max`.
    pub troubles: Vec<Trouble>,
    /// All troubles, also those not kept.
    pub trouble_count: u64,
    /// The receiver of the buffers said stop.
    pub stopped: bool,
}

impl Outcome {
    /// Nothing was withheld from the scanner.
    pub fn complete(&self) -> bool {
        self.trouble_count == 0 && !self.stopped
    }

    /// The limits that were reached, each once, in the order they were met.
    pub fn limits(&self) -> Vec<Limit> {
        let mut limits = Vec::new();
        for trouble in &self.troubles {
            if let TroubleKind::Limit(limit) = trouble.kind
                && !limits.contains(&limit)
            {
                limits.push(limit);
            }
        }
        limits
    }
}
