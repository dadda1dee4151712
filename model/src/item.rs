//! An item as programs see it: the JSON of the API and of `--json`.

use crate::arrival::{Content, Kind};
use crate::attributes::Attributes;
use crate::digest::{Blake3, Sha256};
use crate::id::{ItemId, Sequence};
use crate::size::{RawBytes, StoredBytes};
use crate::status::Status;
use crate::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

/// One arrival of a sample with all that is known of it. Texts are hostile: show them escaped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Its number.
    pub id: ItemId,
    /// A file or a boot sector.
    pub kind: Kind,
    /// Whether the bytes came with this arrival or only their digest did.
    pub content: Content,
    /// The client's platform, empty when it named none.
    pub platform: String,
    /// The definitions that the client held at arrival; 0 when unknown.
    pub definitions_sequence: Sequence,
    /// How far it has come.
    pub status: Status,
    /// The bytes it is about.
    pub sample: ItemSample,
    /// The computer that forwarded it.
    pub client: String,
    /// Whether that computer can be given definitions.
    pub managed: bool,
    /// That computer's parent server, empty when it has none.
    pub parent_server: String,
    /// The original path.
    pub name: String,
    /// Why it was forwarded.
    pub reason: String,
    /// When it was received.
    pub received_at: Timestamp,
    /// What definitions say about it.
    pub verdict: Verdict,
    /// The attributes that rule its way.
    pub attributes: Attributes,
    /// What was done with it, the oldest first.
    pub actions: Vec<Action>,
    /// What went wrong, the oldest first.
    pub errors: Vec<Fault>,
}

/// The sample of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemSample {
    /// Its address.
    pub blake3: Blake3,
    /// Its name in the field.
    pub sha256: Sha256,
    /// Plain bytes.
    pub bytes: RawBytes,
    /// Bytes on disk.
    pub stored_bytes: StoredBytes,
}

/// What a definitions set says about a sample.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Verdict {
    /// The signatures that matched; empty when none did, or when nothing was scanned yet.
    pub signatures: Vec<String>,
    /// The set that says so; 0 when nothing was scanned yet.
    pub sequence: Sequence,
}

/// Something that was done with an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Action {
    /// When.
    pub at: Timestamp,
    /// A person, a client, or the part of the server that did it.
    pub who: String,
    /// What, in a few words.
    pub what: String,
}

/// Something that went wrong with an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// When.
    pub at: Timestamp,
    /// What, for a person.
    pub what: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn example() -> Item {
        Item {
            id: ItemId(7),
            kind: Kind::BootSector,
            content: Content::Claimed,
            platform: "linux-x86_64".to_owned(),
            definitions_sequence: Sequence(12),
            status: Status::NotInstalled,
            sample: ItemSample {
                blake3: Blake3([0xab; 32]),
                sha256: Sha256([0xcd; 32]),
                bytes: RawBytes(512),
                stored_bytes: StoredBytes(300),
            },
            client: "desk-1".to_owned(),
            managed: true,
            parent_server: "relay-1".to_owned(),
            name: "C:\\a\u{202e}b".to_owned(),
            reason: "could not be cleaned".to_owned(),
            received_at: Timestamp(1_767_323_045_678),
            verdict: Verdict::default(),
            attributes: Attributes { sample_priority: 1, ..Attributes::default() },
            actions: vec![Action {
                at: Timestamp(1_767_323_045_678),
                who: "desk-1".to_owned(),
                what: "received".to_owned(),
            }],
            errors: vec![Fault { at: Timestamp(1_767_323_045_678), what: "target gone".to_owned() }],
        }
    }

    #[test]
    fn an_item_has_the_json_that_the_interface_promises() {
        let at = "2026-01-02T03:04:05.678Z";
        assert_eq!(
            serde_json::to_value(example()).unwrap(),
            json!({
                "id": 7, "kind": "boot_sector", "content": "claimed", "platform": "linux-x86_64",
                "definitions_sequence": 12, "status": "Not installed",
                "sample": {"blake3": "ab".repeat(32), "sha256": "cd".repeat(32), "bytes": 512, "stored_bytes": 300},
                "client": "desk-1", "managed": true, "parent_server": "relay-1", "name": "C:\\a\u{202e}b",
                "reason": "could not be cleaned", "received_at": at,
                "verdict": {"signatures": [], "sequence": 0},
                "attributes": {"X-Sample-Priority": 1, "X-Signatures-Priority": 0, "X-Signatures-Sequence": 0},
                "actions": [{"at": at, "who": "desk-1", "what": "received"}],
                "errors": [{"at": at, "what": "target gone"}],
            })
        );
    }

    #[test]
    fn an_item_reads_back_from_its_json() {
        let json = serde_json::to_string(&example()).unwrap();
        assert_eq!(serde_json::from_str::<Item>(&json).unwrap(), example());
    }
}
