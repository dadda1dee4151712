//! What a row of the status table may depend on beside the status and the cause.

use crate::attributes::Attributes;
use crate::id::Sequence;

/// What settled an item that needs nothing or is being served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Basis {
    /// The centre's answer, or nothing yet.
    #[default]
    Answer,
    /// A detection by definitions that are here.
    Detection,
}

/// The item and its client as they are before the change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Facts {
    /// The item's attributes.
    pub attributes: Attributes,
    /// X-Sample-Priority as it was at reception.
    pub received_priority: u32,
    /// The submission priority that a person chose for this item.
    pub priority_override: Option<u32>,
    /// Whether the client can be given definitions.
    pub managed: bool,
    /// Whether the install policy selects the client.
    pub selected: bool,
    /// The sequence that the client reported; 0 when unknown, that is, behind every set.
    pub client_sequence: Sequence,
    /// The set that a delivery would bring.
    pub active_sequence: Sequence,
    /// The highest set that the client's target rejected; 0 for none.
    pub rejected_sequence: Sequence,
    /// How often the centre has already asked for this sample again.
    pub send_again_count: u32,
    /// What settled it.
    pub basis: Basis,
}

impl Facts {
    /// Whether the client holds older definitions than `sequence`.
    pub fn is_behind(&self, sequence: Sequence) -> bool {
        self.client_sequence < sequence
    }
}
