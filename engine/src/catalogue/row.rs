//! An item as its row holds it, and back.

use super::change::{ClientNumber, NoteKind, Standing};
use model::item::{Action, Fault, Item, ItemSample, Verdict};
use model::lifecycle::Basis;
use model::{
    Arrival, Attributes, Blake3, Content, ItemId, Kind, RawBytes, SampleId, Sequence, Sha256, Status, StoredBytes,
    Timestamp,
};
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, params};

const BOOT_SECTOR: u8 = 1;
const CLAIMED: u8 = 2;
const MANAGED: u8 = 4;

/// Three yes-or-no facts of an arrival as bits.
pub(super) fn flags(arrival: &Arrival) -> u8 {
    let mut flags = 0;
    if arrival.kind == Kind::BootSector {
        flags |= BOOT_SECTOR;
    }
    if arrival.content == Content::Claimed {
        flags |= CLAIMED;
    }
    if arrival.managed {
        flags |= MANAGED;
    }
    flags
}

/// The status of a stored code; an unknown code means that the file is damaged.
pub(super) fn status(code: u8) -> rusqlite::Result<Status> {
    Status::from_code(code).ok_or_else(|| {
        let reason = format!("{code} is the code of no status");
        rusqlite::Error::FromSqlConversionFailure(0, Type::Integer, reason.into())
    })
}

/// The number that a basis is stored as.
pub(super) fn basis_code(basis: Basis) -> u8 {
    match basis {
        Basis::Answer => 0,
        Basis::Detection => 1,
    }
}

/// Where an item stands.
pub(super) fn standing(connection: &Connection, id: ItemId) -> rusqlite::Result<Option<Standing>> {
    connection
        .prepare_cached(
            "SELECT i.status, i.flags, i.received_priority, i.priority_override, i.basis, i.send_again_count,
               i.sample_priority, i.date_submitted_ms, i.date_analysis_finished_ms, i.signatures_priority,
               i.signatures_sequence, i.date_sample_finished_ms, i.sample, i.definitions_sequence, i.verdict_sequence,
               EXISTS(SELECT 1 FROM detection WHERE item = ?1), i.client, i.strip_override,
               coalesce(c.managed_set, c.managed), c.sequence
             FROM item i JOIN client c ON c.id = i.client WHERE i.id = ?1",
        )?
        .query_row(params![id.0 as i64], |row| {
            Ok(Standing {
                sample: SampleId(row.get::<_, i64>(12)? as u64),
                client: ClientNumber(row.get(16)?),
                strip_override: row.get(17)?,
                client_sequence: Sequence((row.get::<_, i64>(13)? as u64).max(row.get::<_, i64>(19)? as u64)),
                verdict_sequence: Sequence(row.get::<_, i64>(14)? as u64),
                detected: row.get(15)?,
                status: status(row.get(0)?)?,
                attributes: attributes(row, 6)?,
                managed: row.get(18)?,
                received_priority: row.get(2)?,
                priority_override: row.get(3)?,
                basis: if row.get::<_, u8>(4)? == basis_code(Basis::Detection) {
                    Basis::Detection
                } else {
                    Basis::Answer
                },
                send_again_count: row.get(5)?,
            })
        })
        .optional()
}

/// The six attributes, from column `first` on.
fn attributes(row: &rusqlite::Row<'_>, first: usize) -> rusqlite::Result<Attributes> {
    Ok(Attributes {
        sample_priority: row.get(first)?,
        date_submitted: Timestamp(row.get(first + 1)?),
        date_analysis_finished: Timestamp(row.get(first + 2)?),
        signatures_priority: row.get(first + 3)?,
        signatures_sequence: Sequence(row.get::<_, i64>(first + 4)? as u64),
        date_sample_finished: Timestamp(row.get(first + 5)?),
    })
}

/// The item with its notes and its verdict.
pub(super) fn item(connection: &Connection, id: ItemId) -> rusqlite::Result<Option<Item>> {
    let found = connection
        .prepare_cached(
            "SELECT i.status, i.flags, i.definitions_sequence, i.received_at_ms, i.name, i.verdict_sequence,
               i.sample_priority, i.date_submitted_ms, i.date_analysis_finished_ms, i.signatures_priority,
               i.signatures_sequence, i.date_sample_finished_ms, s.blake3, s.sha256, s.raw_bytes, s.stored_bytes,
               c.name, p.text, q.text, r.text, coalesce(c.managed_set, c.managed)
             FROM item i JOIN sample s ON s.id = i.sample JOIN client c ON c.id = i.client
               LEFT JOIN word p ON p.id = i.platform LEFT JOIN word q ON q.id = i.parent_server
               LEFT JOIN word r ON r.id = i.reason
             WHERE i.id = ?1",
        )?
        .query_row(params![id.0 as i64], |row| read(id, row))
        .optional()?;
    let Some(mut item) = found else { return Ok(None) };
    item.verdict.signatures = connection
        .prepare_cached(
            "SELECT w.text FROM detection d JOIN word w ON w.id = d.signature WHERE d.item = ?1 ORDER BY w.text",
        )?
        .query_map(params![id.0 as i64], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    // Reception is not stored as a note: it would double the rows of an item to say what the row says.
    item.actions.push(Action { at: item.received_at, who: item.client.clone(), what: "received".to_owned() });
    let mut notes =
        connection.prepare_cached("SELECT kind, at_ms, who, what FROM note WHERE item = ?1 ORDER BY number")?;
    let mut rows = notes.query(params![id.0 as i64])?;
    while let Some(row) = rows.next()? {
        let (kind, at, who, what): (u8, _, _, _) = (row.get(0)?, Timestamp(row.get(1)?), row.get(2)?, row.get(3)?);
        if kind == NoteKind::Action as u8 {
            item.actions.push(Action { at, who, what });
        } else {
            item.errors.push(Fault { at, what });
        }
    }
    Ok(Some(item))
}

fn read(id: ItemId, row: &rusqlite::Row<'_>) -> rusqlite::Result<Item> {
    let flags: u8 = row.get(1)?;
    let text = |at: usize| row.get::<_, Option<String>>(at).map(Option::unwrap_or_default);
    Ok(Item {
        id,
        kind: if flags & BOOT_SECTOR != 0 { Kind::BootSector } else { Kind::File },
        content: if flags & CLAIMED != 0 { Content::Claimed } else { Content::Proven },
        platform: text(17)?,
        definitions_sequence: Sequence(row.get::<_, i64>(2)? as u64),
        status: status(row.get(0)?)?,
        sample: ItemSample {
            blake3: Blake3(row.get(12)?),
            sha256: Sha256(row.get(13)?),
            bytes: RawBytes(row.get::<_, i64>(14)? as u64),
            stored_bytes: StoredBytes(row.get::<_, i64>(15)? as u64),
        },
        client: row.get(16)?,
        managed: row.get(20)?,
        parent_server: text(18)?,
        name: row.get(4)?,
        reason: text(19)?,
        received_at: Timestamp(row.get(3)?),
        verdict: Verdict { signatures: Vec::new(), sequence: Sequence(row.get::<_, i64>(5)? as u64) },
        attributes: attributes(row, 6)?,
        actions: Vec::new(),
        errors: Vec::new(),
    })
}

/// At most `limit` items of one status after `after`, oldest first.
pub(super) fn in_status(
    connection: &Connection,
    status: Status,
    after: ItemId,
    limit: usize,
) -> rusqlite::Result<Vec<ItemId>> {
    let mut statement = connection.prepare_cached(
        "SELECT id FROM item INDEXED BY item_status WHERE status = ?1 AND id > ?2 ORDER BY id LIMIT ?3",
    )?;
    let rows = statement
        .query_map(rusqlite::params![status.code(), after.0 as i64, limit as i64], |row| row.get::<_, i64>(0))?;
    rows.map(|id| id.map(|id| ItemId(id as u64))).collect()
}

/// Whose items are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clients {
    /// All clients'.
    All,
    /// Those of clients that cannot be given definitions.
    Nonmanaged,
}

/// At most `limit` items of one status, oldest first, out of the index on status.
pub(super) fn oldest(
    connection: &Connection,
    status: Status,
    clients: Clients,
    limit: usize,
) -> rusqlite::Result<Vec<ItemId>> {
    // A bit that no row carries lets all pass.
    let unwanted = match clients {
        Clients::All => 0,
        Clients::Nonmanaged => MANAGED,
    };
    let mut statement = connection.prepare_cached(
        "SELECT id FROM item INDEXED BY item_status WHERE status = ?1 AND flags & ?2 = 0 ORDER BY id LIMIT ?3",
    )?;
    let rows =
        statement.query_map(rusqlite::params![status.code(), unwanted, limit as i64], |row| row.get::<_, i64>(0))?;
    rows.map(|id| id.map(|id| ItemId(id as u64))).collect()
}
