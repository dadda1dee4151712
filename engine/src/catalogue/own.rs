//! Changes that only the catalogue has: statuses, items' verdicts, notes, settings. Each runs inside its batch's transaction, and is
//! refused before it has changed anything.

use super::audit::Audit;
use super::change::{Note, NoteKind, Setting, StatusChange};
use super::error::CatalogueError;
use super::names::Names;
use super::row;
use super::totals::Deltas;
use model::item::Verdict;
use model::{ItemId, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};

/// What an own change came to: done, or refused without harm to its batch.
pub(super) type Answer = Result<(), CatalogueError>;

/// Changes a status with all it sets, in the item's actions and in the log.
pub(super) fn change_status(
    connection: &Connection,
    audit: &mut Audit,
    names: &mut Names,
    change: &StatusChange,
    deltas: &mut Deltas,
) -> rusqlite::Result<Answer> {
    let id = change.item.0 as i64;
    let found: Option<u8> = connection
        .prepare_cached("SELECT status FROM item WHERE id = ?1")?
        .query_row(params![id], |row| row.get(0))
        .optional()?;
    let Some(found) = found else { return Ok(Err(CatalogueError::UnknownItem(change.item))) };
    let found = row::status(found)?;
    if found != change.from {
        return Ok(Err(CatalogueError::MovedOn { item: change.item, expected: change.from, found }));
    }
    let a = &change.attributes;
    connection
        .prepare_cached(
            "UPDATE item SET status = ?2, priority_override = ?3, sample_priority = ?4, date_submitted_ms = ?5,
             date_analysis_finished_ms = ?6, signatures_priority = ?7, signatures_sequence = ?8,
             date_sample_finished_ms = ?9, basis = ?10, send_again_count = ?11,
             status_at_ms = CASE status WHEN ?2 THEN status_at_ms ELSE ?12 END WHERE id = ?1",
        )?
        .execute(params![
            id,
            change.to.code(),
            change.priority_override,
            a.sample_priority,
            a.date_submitted.0,
            a.date_analysis_finished.0,
            a.signatures_priority,
            a.signatures_sequence.0 as i64,
            a.date_sample_finished.0,
            row::basis_code(change.basis),
            change.send_again_count,
            change.at.0,
        ])?;
    if let Some(verdict) = &change.verdict {
        write_item_verdict(connection, names, id, verdict)?;
    }
    deltas.moved(change.from, change.to);
    add_note(connection, id, NoteKind::Action, change.at, &change.who, &change.what)?;
    audit.add(
        connection,
        change.at,
        &change.who,
        &format!("{} -> {}: {}", change.from, change.to, change.what),
        Some(change.item),
    )?;
    Ok(Ok(()))
}

/// Gives an item another verdict, its status stays.
pub(super) fn set_item_verdict(
    connection: &Connection,
    names: &mut Names,
    item: ItemId,
    verdict: &Verdict,
) -> rusqlite::Result<Answer> {
    if !write_item_verdict(connection, names, item.0 as i64, verdict)? {
        return Ok(Err(CatalogueError::UnknownItem(item)));
    }
    Ok(Ok(()))
}

/// False when there is no such item.
fn write_item_verdict(
    connection: &Connection,
    names: &mut Names,
    id: i64,
    verdict: &Verdict,
) -> rusqlite::Result<bool> {
    let rows = connection
        .prepare_cached("UPDATE item SET verdict_sequence = ?2 WHERE id = ?1")?
        .execute(params![id, verdict.sequence.0 as i64])?;
    if rows == 0 {
        return Ok(false);
    }
    connection.prepare_cached("DELETE FROM detection WHERE item = ?1")?.execute(params![id])?;
    for signature in &verdict.signatures {
        let signature = names.word(connection, signature)?;
        connection
            .prepare_cached("INSERT OR IGNORE INTO detection(signature, item) VALUES(?1, ?2)")?
            .execute(params![signature, id])?;
    }
    Ok(true)
}

/// Chooses for one item whether user data is stripped before it is submitted; `None` leaves it to the policy.
pub(super) fn set_strip_override(
    connection: &Connection,
    item: ItemId,
    strip: Option<bool>,
) -> rusqlite::Result<Answer> {
    let rows = connection
        .prepare_cached("UPDATE item SET strip_override = ?2 WHERE id = ?1")?
        .execute(params![item.0 as i64, strip])?;
    Ok(if rows == 0 { Err(CatalogueError::UnknownItem(item)) } else { Ok(()) })
}

/// Remembers a number under a name.
pub(super) fn mark(connection: &Connection, name: &str, value: i64) -> rusqlite::Result<Answer> {
    connection
        .prepare_cached("INSERT INTO mark(name, value) VALUES(?1, ?2) ON CONFLICT(name) DO UPDATE SET value = ?2")?
        .execute(params![name, value])?;
    Ok(Ok(()))
}

/// Adds a note to an item.
pub(super) fn note(connection: &Connection, note: &Note) -> rusqlite::Result<Answer> {
    let id = note.item.0 as i64;
    let known: Option<i64> = connection
        .prepare_cached("SELECT id FROM item WHERE id = ?1")?
        .query_row(params![id], |row| row.get(0))
        .optional()?;
    if known.is_none() {
        return Ok(Err(CatalogueError::UnknownItem(note.item)));
    }
    add_note(connection, id, note.kind, note.at, &note.who, &note.what)?;
    Ok(Ok(()))
}

/// Sets a setting and says so in the log.
pub(super) fn set(connection: &Connection, audit: &mut Audit, setting: &Setting) -> rusqlite::Result<Answer> {
    let Setting { key, json, who, at } = setting;
    connection
        .prepare_cached(
            "INSERT INTO setting(key, json, who, at_ms) VALUES(?1, ?2, ?3, ?4)
             ON CONFLICT(key) DO UPDATE SET json = ?2, who = ?3, at_ms = ?4",
        )?
        .execute(params![key, json, who, at.0])?;
    audit.add(connection, *at, who, &format!("set {key} = {json}"), None)?;
    Ok(Ok(()))
}

fn add_note(
    connection: &Connection,
    item: i64,
    kind: NoteKind,
    at: Timestamp,
    who: &str,
    what: &str,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO note(item, number, kind, at_ms, who, what)
             VALUES(?1, (SELECT coalesce(max(number), 0) + 1 FROM note WHERE item = ?1), ?2, ?3, ?4, ?5)",
        )?
        .execute(params![item, kind as u8, at.0, who, what])?;
    Ok(())
}
