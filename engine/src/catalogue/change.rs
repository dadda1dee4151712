//! What the catalogue is told: changes of the log, which it can be told again, and changes of its own.

use model::item::Verdict;
use model::lifecycle::Basis;
use model::{Arrival, Attributes, Blake3, ItemId, RawBytes, SampleId, Sha256, Status, StoredBytes, Timestamp};

/// One record of the log, in log order. Telling it again changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// An item came in.
    Arrived(Entry),
    /// Items were deleted; unknown ones are passed over.
    Deleted {
        /// Sequence of the deletion record.
        sequence: u64,
        /// What was deleted.
        items: Vec<ItemId>,
        /// When, milliseconds since 1970 UTC.
        at_ms: i64,
        /// By whom.
        who: String,
    },
    /// A record that changes nothing here; only the watermark moves.
    Passed {
        /// Its sequence.
        sequence: u64,
    },
}

impl Change {
    /// The log sequence.
    pub fn sequence(&self) -> u64 {
        match self {
            Self::Arrived(entry) => entry.item.0,
            Self::Deleted { sequence, .. } | Self::Passed { sequence } => *sequence,
        }
    }

    /// How many rows it touches, for the size of a batch.
    pub(super) fn rows(&self) -> usize {
        match self {
            Self::Arrived(_) | Self::Passed { .. } => 1,
            Self::Deleted { items, .. } => items.len().max(1),
        }
    }
}

/// An item with its sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The item: the sequence of its record.
    pub item: ItemId,
    /// The sample: the sequence of the record that brought the bytes.
    pub sample: SampleId,
    /// The sample's address.
    pub blake3: Blake3,
    /// The sample's name in the field.
    pub sha256: Sha256,
    /// Plain bytes.
    pub raw: RawBytes,
    /// Bytes on disk.
    pub stored: StoredBytes,
    /// Who sent it, when and why.
    pub arrival: Arrival,
    /// Whether this record holds the bytes.
    pub brings_sample: bool,
}

/// A change of status with what it sets. Made by the control loop, applied here as a whole or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusChange {
    /// The item.
    pub item: ItemId,
    /// The status that the change was computed from; another one found means the item has moved on.
    pub from: Status,
    /// The new status.
    pub to: Status,
    /// The new attributes.
    pub attributes: Attributes,
    /// The submission priority that a person chose.
    pub priority_override: Option<u32>,
    /// What settled it.
    pub basis: Basis,
    /// How often the centre has asked for it again.
    pub send_again_count: u32,
    /// A new verdict; `None` keeps the old one.
    pub verdict: Option<Verdict>,
    /// When.
    pub at: Timestamp,
    /// Who caused it.
    pub who: String,
    /// What is added to the item's actions.
    pub what: String,
}

/// Where an item stands: what the status table asks of it before a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Its status.
    pub status: Status,
    /// Its attributes.
    pub attributes: Attributes,
    /// Whether its client can be given definitions.
    pub managed: bool,
    /// X-Sample-Priority at reception.
    pub received_priority: u32,
    /// The submission priority that a person chose.
    pub priority_override: Option<u32>,
    /// What settled it.
    pub basis: Basis,
    /// How often the centre has asked for it again.
    pub send_again_count: u32,
}

/// A change of the catalogue's own; each is answered after it is durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Own {
    Status(Box<StatusChange>),
    Note(Note),
    Setting(Setting),
}

/// A line in an item's actions or errors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Note {
    pub item: ItemId,
    pub kind: NoteKind,
    pub at: Timestamp,
    /// Empty for an error.
    pub who: String,
    pub what: String,
}

/// Which list a note belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoteKind {
    Action = 0,
    Error = 1,
}

/// A key of the settings that were changed at run time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The key, as in the configuration file.
    pub key: String,
    /// The value as JSON.
    pub json: String,
    /// Who set it.
    pub who: String,
    /// When.
    pub at: Timestamp,
}
