//! Who forwards: what arrivals say about a client, and what an administrator says, which wins.

use super::audit::Audit;
use super::change::{ClientEdit, ClientNumber, ClientRow};
use super::names::Names;
use super::own::Answer;
use super::totals::Said;
use model::{Sequence, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};

const COLUMNS: &str = "SELECT c.id, c.name, c.items, c.raw_bytes, c.seen_at_ms, coalesce(c.managed_set, c.managed),
    c.managed_set, coalesce(q.text, ''), coalesce(p.text, ''), c.sequence
  FROM client c LEFT JOIN word p ON p.id = c.platform
    LEFT JOIN word q ON q.id = coalesce(c.parent_server_set, c.parent_server)";

/// At most `limit` clients after `after`, by name.
pub(super) fn after(connection: &Connection, after: &str, limit: usize) -> rusqlite::Result<Vec<ClientRow>> {
    connection
        .prepare_cached(&format!("{COLUMNS} WHERE c.name > ?1 ORDER BY c.name LIMIT ?2"))?
        .query_map(params![after, limit as i64], read)?
        .collect()
}

/// One client.
pub(super) fn named(connection: &Connection, name: &str) -> rusqlite::Result<Option<ClientRow>> {
    connection.prepare_cached(&format!("{COLUMNS} WHERE c.name = ?1"))?.query_row(params![name], read).optional()
}

fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<ClientRow> {
    Ok(ClientRow {
        number: ClientNumber(row.get(0)?),
        name: row.get(1)?,
        items: row.get::<_, i64>(2)? as u64,
        raw_bytes: row.get::<_, i64>(3)? as u64,
        seen_at: Timestamp(row.get(4)?),
        managed: row.get(5)?,
        managed_set: row.get(6)?,
        parent_server: row.get(7)?,
        platform: row.get(8)?,
        sequence: Sequence(row.get::<_, i64>(9)? as u64),
    })
}

/// Changes what is known of a client, and says so in the log.
pub(super) fn edit(
    connection: &Connection,
    audit: &mut Audit,
    names: &mut Names,
    edit: &ClientEdit,
) -> rusqlite::Result<Answer> {
    let (client, _) = names.client(connection, &edit.name, Said::default())?;
    let mut said = Vec::new();
    if let Some(managed) = edit.managed {
        connection
            .prepare_cached("UPDATE client SET managed_set = ?2 WHERE id = ?1")?
            .execute(params![client, managed])?;
        said.push(match managed {
            Some(true) => "managed".to_owned(),
            Some(false) => "not managed".to_owned(),
            None => "managed as its arrivals say".to_owned(),
        });
    }
    if let Some(parent) = &edit.parent_server {
        let word = if parent.is_empty() { None } else { Some(names.word(connection, parent)?) };
        connection
            .prepare_cached("UPDATE client SET parent_server_set = ?2 WHERE id = ?1")?
            .execute(params![client, word])?;
        said.push(format!("parent server '{parent}'"));
    }
    if let Some(platform) = &edit.platform {
        let word = names.word(connection, platform)?;
        connection.prepare_cached("UPDATE client SET platform = ?2 WHERE id = ?1")?.execute(params![client, word])?;
        said.push(format!("platform '{platform}'"));
    }
    if let Some(sequence) = edit.sequence {
        connection
            .prepare_cached("UPDATE client SET sequence = ?2 WHERE id = ?1")?
            .execute(params![client, sequence.0 as i64])?;
        said.push(format!("definitions {}", sequence.0));
    }
    if !said.is_empty() {
        audit.add(connection, edit.at, &edit.who, &format!("client '{}': {}", edit.name, said.join(", ")), None)?;
    }
    Ok(Ok(()))
}
