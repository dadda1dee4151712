//! What the catalogue is told: changes of the log, which it can be told again, and changes of its own.

use model::item::Verdict;
use model::lifecycle::Basis;
use model::submission::Stage;
use model::{
    Arrival, Attributes, Blake3, ItemId, RawBytes, SampleId, Sequence, Sha256, Status, StoredBytes, Timestamp,
};

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
    /// Its sample.
    pub sample: SampleId,
    /// Its client, by its number.
    pub client: ClientNumber,
    /// The highest sequence that its client is known to have: at arrival, or reported since; 0 when unknown.
    pub client_sequence: Sequence,
    /// The set that its verdict is of; 0 before the first scan.
    pub verdict_sequence: Sequence,
    /// Whether its verdict names a signature.
    pub detected: bool,
    /// Its status.
    pub status: Status,
    /// Its attributes.
    pub attributes: Attributes,
    /// Whether its client can be given definitions, as an administrator or its arrivals say.
    pub managed: bool,
    /// Whether user data is stripped from it before it is submitted, where a person chose.
    pub strip_override: Option<bool>,
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
pub enum Own {
    /// An item's status with all that the change sets.
    Status(Box<StatusChange>),
    /// A line in an item's actions or errors.
    Note(Note),
    /// A setting.
    Setting(Setting),
    /// What is shown as an item's verdict; its status stays.
    ItemVerdict {
        /// The item.
        item: ItemId,
        /// Names of what detects it, and with which set.
        verdict: Verdict,
    },
    /// What was found in a sample takes the place of what was found before. Passed over when the sample is gone.
    Verdict(SampleVerdict),
    /// The sample's items are to be looked at: what was found in it has changed.
    Unsettled(SampleId),
    /// They were looked at because of this mark. Passed over when there is another by now: they are looked at again.
    Settled(Unsettled),
    /// How far a sample's submission has come. Passed over when the sample is gone.
    Submission(Box<SubmissionRow>),
    /// The sample is not under submission any more.
    SubmissionGone(SampleId),
    /// A number that outlives the process, under a name.
    Mark {
        /// The name.
        name: String,
        /// The number.
        value: i64,
    },
    /// Whether user data is stripped from an item before it is submitted; `None` leaves it to the policy.
    StripOverride {
        /// The item.
        item: ItemId,
        /// The choice.
        strip: Option<bool>,
    },
    /// What is known of a client, changed by a person or by what the client reports.
    Client(ClientEdit),
    /// What was found in all samples of a shelf holds for this set of definitions.
    Shelf {
        /// Which.
        number: u64,
        /// The set.
        sequence: Sequence,
    },
    /// The shelf is no more.
    ShelfGone(u64),
    /// A line of the log that belongs to no item.
    Logged {
        /// When.
        at: Timestamp,
        /// Who caused it.
        who: String,
        /// What was done.
        what: String,
    },
}

/// A sample whose items are to be looked at, with the mark that says so: another mark each time that there is reason to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unsettled {
    /// The sample.
    pub sample: SampleId,
    /// The mark.
    pub stamp: i64,
}

/// A client's number, the same for as long as the catalogue is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClientNumber(pub i64);

/// A sample's submission to the analysis centre.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubmissionRow {
    /// The sample.
    pub sample: SampleId,
    /// The key under which the centre knows it.
    pub key: String,
    /// How far it has come.
    pub stage: Stage,
    /// Digest of the bytes that leave the house.
    pub sent_blake3: Blake3,
    /// How many those are.
    pub sent_bytes: u64,
    /// What was kept when user data was stripped; empty when nothing was.
    pub stripped: String,
    /// What the gateway or the centre said about it.
    pub what: String,
    /// When it was begun.
    pub at: Timestamp,
}

/// An item in the queue for the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Queued {
    /// The item.
    pub item: ItemId,
    /// Its sample.
    pub sample: SampleId,
    /// X-Sample-Priority.
    pub priority: u32,
}

/// A client as the catalogue knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientRow {
    /// Its number.
    pub number: ClientNumber,
    /// Its name.
    pub name: String,
    /// Items that it forwarded and that are here.
    pub items: u64,
    /// Plain bytes of those.
    pub raw_bytes: u64,
    /// When it was last heard of; never for one that only an administrator named.
    pub seen_at: Timestamp,
    /// Whether it can be given definitions.
    pub managed: bool,
    /// What an administrator said about that, if one did.
    pub managed_set: Option<bool>,
    /// Its parent server.
    pub parent_server: String,
    /// Its operating system and processor.
    pub platform: String,
    /// The set it last reported; 0 when unknown.
    pub sequence: Sequence,
}

/// A change of what is known of a client; what is `None` stays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClientEdit {
    /// Its name; one that is not known yet is made.
    pub name: String,
    /// Whether it can be given definitions; `Some(None)` leaves it to its arrivals again.
    pub managed: Option<Option<bool>>,
    /// Its parent server; empty leaves it to its arrivals again.
    pub parent_server: Option<String>,
    /// Its platform.
    pub platform: Option<String>,
    /// The set that it has.
    pub sequence: Option<Sequence>,
    /// Who says so.
    pub who: String,
    /// When.
    pub at: Timestamp,
}

/// What scans found in a sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SampleVerdict {
    /// The sample.
    pub sample: SampleId,
    /// The set of definitions that it holds for.
    pub sequence: Sequence,
    /// Every match, also those that do not count.
    pub findings: Vec<Found>,
}

impl SampleVerdict {
    /// Names of what counts, in the order of the findings.
    pub fn detections(&self) -> impl Iterator<Item = &str> {
        self.findings.iter().filter(|found| !found.allowed).map(|found| found.signature.as_str())
    }
}

/// A sample as the catalogue knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SampleRow {
    /// Its id.
    pub sample: SampleId,
    /// Its address.
    pub blake3: Blake3,
    /// Plain bytes.
    pub raw: RawBytes,
    /// The set that its verdict holds for; 0 for none.
    pub sequence: Sequence,
}

/// A signature found in a sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its name.
    pub signature: String,
    /// It does not count: an allowance names the file.
    pub allowed: bool,
    /// The set that found it first.
    pub sequence: Sequence,
}

/// A line in an item's actions or errors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The item.
    pub item: ItemId,
    /// Which list.
    pub kind: NoteKind,
    /// When.
    pub at: Timestamp,
    /// Who; empty for an error.
    pub who: String,
    /// What was done or went wrong.
    pub what: String,
}

/// Which list a note belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoteKind {
    /// What was done.
    Action = 0,
    /// What went wrong.
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
