//! Opening a store: what the segments hold, what a crash left, and the catalogue brought up to the log.
//!
//! 1. What was acknowledged is kept; a torn tail, which nobody was told of, is cut; damage is named and nothing cut.
//! 2. A recovered segment is sealed and never appended to.
//! 3. Doing it again after being killed in the middle comes to the same.

use crate::catalogue::{Change, Entry as CatalogueEntry};
use crate::disk::{PAGE_BYTES, ReadMode};
use crate::error::{Damage, OpenError, ReadError, opening};
use crate::lane::growing::Growing;
use crate::pack::Effort;
use crate::quota::ITEM_BYTES;
use crate::retry::{KEYS_REPLAYED, Remembered, RetryWindow};
use crate::segment::footer::{ENTRY_BYTES, Entry, Footer};
use crate::segment::header::{SegmentHeader, SegmentKind};
use crate::segment::reader::{RecordView, Sealed, Segment};
use crate::segment::record::RecordKind;
use crate::segment::scan::{header_of, scan};
use crate::segment::{Place, SegmentId, large_path, parse_name, rewrite_path, segment_path, segments_dir};
use crate::shared::Shared;
use crate::torn::{self, TornTail};
use model::{Arrival, Blake3, ItemId, RawBytes, SampleId, StoredBytes};
use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// What opening a store found.
#[derive(Debug, Clone, Default)]
pub struct Recovery {
    /// Segments and large samples' files.
    pub segments: u64,
    /// Distinct samples.
    pub samples: u64,
    /// Items.
    pub items: u64,
    /// Segments that were not closed properly and were closed now.
    pub recovered_segments: u64,
    /// Bytes of writes that were never acknowledged, as far as is known, and were cut.
    pub torn_bytes: u64,
    /// Where, and where they are kept.
    pub torn: Vec<TornTail>,
    /// Log records that the catalogue had not seen.
    pub replayed: u64,
    /// Damaged places.
    pub damage: Vec<Damage>,
    /// How long it took.
    pub took: Duration,
}

/// What the rest of a start needs.
pub(crate) struct Recovered {
    pub(crate) report: Recovery,
    pub(crate) next_sequence: u64,
    pub(crate) retry: RetryWindow,
    /// Samples whose items were deleted, to be looked at again.
    pub(crate) candidates: Vec<(Blake3, SampleId)>,
}

/// Changes handed to the catalogue at once during replay.
const REPLAY_CHUNK: usize = 4096;

pub(crate) fn recover(shared: &Shared) -> Result<Recovered, OpenError> {
    let mut report = Recovery::default();
    let dir = segments_dir(&shared.data);
    let names = shared.disk.list(&dir).map_err(opening("list", &dir))?;
    remove_unfinished(shared, &names)?;
    open_segments(shared, &names, &mut report)?;
    let candidates = read_notes(shared, &mut report)?;
    let last = index_entries(shared, &mut report)?;
    remove_unnamed_large(shared, &names)?;
    torn::forget_oldest(&*shared.disk, &shared.data, &names)?;
    report.replayed = replay(shared, last, &mut report)?;
    let retry = recent_keys(shared);
    report.samples = shared.index.len();
    report.items = shared.ledger.quota().items;
    report.segments = shared.table.all().len() as u64;
    for damage in &report.damage {
        shared.report(damage.clone());
    }
    Ok(Recovered { report, next_sequence: last.max(shared.catalogue.watermark()) + 1, retry, candidates })
}

/// A rewrite that did not come to its end never counted.
fn remove_unfinished(shared: &Shared, names: &[String]) -> Result<(), OpenError> {
    for id in names.iter().filter_map(|name| parse_name(name, ".rewrite")) {
        let path = rewrite_path(&shared.data, id);
        shared.disk.unlink(&path).map_err(opening("remove", &path))?;
    }
    Ok(())
}

fn open_segments(shared: &Shared, names: &[String], report: &mut Recovery) -> Result<(), OpenError> {
    let ids: BTreeSet<_> = names.iter().filter_map(|name| parse_name(name, ".seg")).collect();
    let others = names.iter().filter_map(|name| parse_name(name, ".large").or_else(|| parse_name(name, ".rewrite")));
    let highest = ids.iter().copied().chain(others).max().map_or(0, |id| id.0);
    shared.next_segment.store(highest + 1, Ordering::Relaxed);
    // A rewritten segment may have been killed before its name was durable; what it replaces goes only after that.
    let dir = segments_dir(&shared.data);
    shared.disk.sync_dir(&dir).map_err(opening("sync", &dir))?;
    let mut replaced = BTreeSet::new();
    // From the newest: what a rewritten segment took over need not be opened.
    for id in ids.iter().rev() {
        let path = segment_path(&shared.data, *id);
        if replaced.contains(id) {
            shared.disk.unlink(&path).map_err(opening("remove", &path))?;
            continue;
        }
        if let Some((segment, replaces)) = open_segment(shared, *id, &path, report)? {
            replaced.extend(replaces);
            shared.table.put(segment);
        }
    }
    Ok(())
}

type Opened = Option<(Arc<Segment>, Vec<SegmentId>)>;

fn open_segment(shared: &Shared, id: SegmentId, path: &Path, report: &mut Recovery) -> Result<Opened, OpenError> {
    let file = shared.disk.open(path, shared.settings.read).map_err(opening("open", path))?;
    let footer = Footer::decode(file.bytes(), |at, out| file.read_at(at, out)).map_err(opening("read", path))?;
    if let Some(mut footer) = footer.filter(|footer| footer.segment == id) {
        footer.entries.sort_by_key(|entry| entry.sequence);
        for range in &footer.damaged {
            report.damage.push(Damage::at(id, range.clone(), "acknowledged data did not survive"));
        }
        let segment = Segment::sealed(id, file, Sealed::from(&footer));
        return Ok(Some((Arc::new(segment), footer.replaces)));
    }
    drop(file);
    close_segment(shared, id, path, report)
}

/// Closes a segment that a crash left open.
fn close_segment(shared: &Shared, id: SegmentId, path: &Path, report: &mut Recovery) -> Result<Opened, OpenError> {
    let file = shared.disk.open(path, ReadMode::Pread).map_err(opening("open", path))?;
    let mut bytes = vec![0; file.bytes() as usize];
    file.read_at(0, &mut bytes).map_err(opening("read", path))?;
    drop(file);
    let expected = SegmentHeader { store: shared.store, segment: id, kind: SegmentKind::Lane, created_at_ms: 0 };
    let header = header_of(&bytes, &shared.store, id);
    let mut found = scan(&bytes, &header.unwrap_or(expected));
    if found.torn_bytes > 0 && !torn::keep_acknowledged(&bytes, &mut found, shared.catalogue.watermark()) {
        let tail = torn::set_aside(&*shared.disk, &shared.data, id, &bytes, &found)?;
        tracing::warn!(%tail, "a torn tail was cut");
        report.torn.push(tail);
    }
    if found.entries.is_empty() && found.damaged.is_empty() {
        // Killed before the first batch was complete.
        report.torn_bytes += found.torn_bytes;
        shared.disk.unlink(path).map_err(opening("remove", path))?;
        return Ok(None);
    }
    if header.is_none() {
        report.damage.push(Damage::at(id, 0..PAGE_BYTES as u64, "the segment's header does not read"));
    }
    for range in &found.damaged {
        report.damage.push(Damage::at(id, range.clone(), "acknowledged data did not survive"));
    }
    for (offset, digest) in &found.broken {
        let mut damage = Damage::at(id, *offset..*offset, "the sample's content does not match its checksum");
        damage.digest = Some(*digest);
        report.damage.push(damage);
        let broken = found.entries.iter().find(|entry| entry.offset == *offset && entry.kind.brings_content());
        if let Some(entry) = broken {
            shared.suspects.add(SampleId(entry.sequence));
        }
    }
    tracing::warn!(segment = %id, records = found.entries.len(), torn_bytes = found.torn_bytes, "closing a segment that a crash left open");
    report.recovered_segments += 1;
    report.torn_bytes += found.torn_bytes;
    let lane = shared.disk.reopen_lane(path).map_err(opening("open", path))?;
    let mut growing = Growing::recovered(header.unwrap_or(expected), lane, found.end, found.chain);
    let mut entries = found.entries;
    entries.sort_by_key(|entry| entry.sequence);
    let footer = Footer {
        segment: id,
        batches_end: found.end,
        chain: Blake3([0; 32]),
        entries,
        replaces: Vec::new(),
        damaged: found.damaged,
    };
    let footer = growing.seal(footer).map_err(opening("close", path))?;
    drop(growing);
    let file = shared.disk.open(path, shared.settings.read).map_err(opening("open", path))?;
    Ok(Some((Arc::new(Segment::sealed(id, file, Sealed::from(&footer))), Vec::new())))
}

/// Reads deletions and tombstones; gives the samples that lost an item.
fn read_notes(shared: &Shared, report: &mut Recovery) -> Result<Vec<(Blake3, SampleId)>, OpenError> {
    let mut deleted = Vec::new();
    let mut dropped = Vec::new();
    for segment in shared.table.all() {
        for entry in entries_of(&segment)? {
            match entry.kind {
                RecordKind::Deletion => match segment.record(entry.offset).and_then(|view| segment.payload(&view)) {
                    Ok(payload) => deleted.extend(payload.as_chunks::<8>().0.iter().map(|id| u64::from_le_bytes(*id))),
                    Err(error) => note(report, error)?,
                },
                RecordKind::Tombstone => match segment.record(entry.offset) {
                    Ok(view) => dropped.push(view.head.link()[0]),
                    Err(error) => note(report, error)?,
                },
                RecordKind::Sample | RecordKind::Known | RecordKind::Large | RecordKind::Part | RecordKind::Closing => {
                }
            }
        }
    }
    let mut dead = shared.dead.lock();
    for sample in dropped {
        if let Some((segment, place)) = shared.table.locate(sample)
            && dead.samples.insert(sample)
        {
            segment.add_dead(segment.entry(sample).map_or(0, |entry| entry.record_bytes));
            if let Ok(view) = segment.record(place.offset) {
                crate::large::remove_file_of(shared, &view.head);
            }
        }
    }
    let mut candidates = HashMap::new();
    for item in deleted {
        let Some((segment, place)) = shared.table.locate(item) else { continue };
        if !dead.items.insert(item) {
            continue;
        }
        let Some(entry) = segment.entry(item) else { continue };
        if entry.kind == RecordKind::Known {
            segment.add_dead(entry.record_bytes);
        }
        if let Ok(view) = segment.record(place.offset) {
            candidates.insert(sample_of(&view), view.head.blake3);
        }
    }
    candidates.retain(|sample, _| !dead.samples.contains(&sample.0));
    Ok(candidates.into_iter().map(|(sample, digest)| (digest, sample)).collect())
}

/// Damage is written down and opening goes on; a disk that says no ends it.
fn note(report: &mut Recovery, error: ReadError) -> Result<(), OpenError> {
    match error {
        ReadError::Damaged(damage) => {
            report.damage.push(damage);
            Ok(())
        }
        error @ ReadError::Io { .. } => Err(read_failed(error)),
    }
}

fn read_failed(error: ReadError) -> OpenError {
    OpenError::Io {
        doing: "read the segments of",
        path: Path::new("the store").to_owned(),
        source: std::io::Error::other(error),
    }
}

fn entries_of(segment: &Segment) -> Result<Vec<Entry>, OpenError> {
    segment.entries().map_err(read_failed)
}

/// Which sample an arrival is of.
pub(crate) fn sample_of(view: &RecordView) -> SampleId {
    match view.head.kind {
        RecordKind::Known => SampleId(view.head.link()[0]),
        RecordKind::Sample
        | RecordKind::Large
        | RecordKind::Deletion
        | RecordKind::Tombstone
        | RecordKind::Part
        | RecordKind::Closing => SampleId(view.head.sequence),
    }
}

/// Fills the index and the ledger; gives the last sequence of the log.
fn index_entries(shared: &Shared, report: &mut Recovery) -> Result<u64, OpenError> {
    let dead = shared.dead.lock();
    let (mut file_bytes, mut known_bytes, mut items, mut last) = (0, 0, 0, 0);
    for segment in shared.table.all() {
        file_bytes += segment.file_bytes();
        for entry in entries_of(&segment)? {
            last = last.max(entry.sequence);
            let place = Place { segment: segment.id, offset: entry.offset };
            let sample = SampleId(entry.sequence);
            let mut copied = false;
            if entry.kind.brings_content() && !dead.samples.contains(&entry.sequence) {
                let older = shared.index.place_of(entry.digest_prefix, sample);
                copied = !shared.index.put(entry.digest_prefix, sample, place);
                if let Some(older) = older.and_then(|older| shared.table.segment(older.segment)) {
                    older.add_dead(entry.record_bytes);
                }
                if matches!(entry.effort, Effort::Raw | Effort::Light) {
                    shared.pressure.add_light(u64::from(entry.raw_bytes));
                }
                if entry.kind == RecordKind::Large {
                    file_bytes += large_bytes(shared, &segment, &entry, report)?;
                }
            }
            if entry.kind.is_arrival() && !entry.content_only && !copied && !dead.items.contains(&entry.sequence) {
                items += 1;
                known_bytes += match entry.kind {
                    RecordKind::Known => entry.record_bytes + ENTRY_BYTES as u64 + ITEM_BYTES,
                    RecordKind::Sample
                    | RecordKind::Large
                    | RecordKind::Deletion
                    | RecordKind::Tombstone
                    | RecordKind::Part
                    | RecordKind::Closing => 0,
                };
            }
        }
    }
    shared.ledger.restore(file_bytes, known_bytes, items, shared.index.len());
    Ok(last)
}

fn large_bytes(shared: &Shared, segment: &Segment, entry: &Entry, report: &mut Recovery) -> Result<u64, OpenError> {
    let named = match segment.record(entry.offset) {
        Ok(view) => crate::large::named_file(&view.head).map(|(id, _)| (id, view.head.blake3)),
        Err(error) => {
            note(report, error)?;
            None
        }
    };
    let Some((id, digest)) = named else { return Ok(0) };
    match shared.disk.open(&large_path(&shared.data, id), ReadMode::Pread) {
        Ok(file) => {
            shared.named_large.lock().insert(id);
            Ok(file.bytes())
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let damage = Damage::at(id, 0..0, "the file of a large sample is missing");
            report.damage.push(damage.of_sample(digest, entry.sequence));
            Ok(0)
        }
        Err(error) => Err(opening("open", &large_path(&shared.data, id))(error)),
    }
}

/// A large sample's file that no log record names was given up, or its client was never told.
fn remove_unnamed_large(shared: &Shared, names: &[String]) -> Result<(), OpenError> {
    let named = std::mem::take(&mut *shared.named_large.lock());
    for id in names.iter().filter_map(|name| parse_name(name, ".large")).filter(|id| !named.contains(id)) {
        let path = large_path(&shared.data, id);
        match shared.disk.unlink(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(opening("remove", &path)(error)),
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}

/// Tells the catalogue what it has not seen of the log.
fn replay(shared: &Shared, last: u64, report: &mut Recovery) -> Result<u64, OpenError> {
    let watermark = shared.catalogue.watermark();
    if watermark > last {
        return Err(OpenError::LogBehind { catalogue: watermark, log: last, torn: report.torn.clone() });
    }
    let mut unseen = Vec::new();
    for segment in shared.table.all() {
        if segment.sequences().is_some_and(|(_, highest)| highest > watermark) {
            let entries = entries_of(&segment)?;
            unseen.extend(
                entries.into_iter().filter(|entry| entry.sequence > watermark).map(|entry| (entry, segment.id)),
            );
        }
    }
    unseen.sort_by_key(|(entry, _)| entry.sequence);
    unseen.dedup_by_key(|(entry, _)| entry.sequence);
    let dead = shared.dead.lock().items.clone();
    for chunk in unseen.chunks(REPLAY_CHUNK) {
        let mut changes = Vec::with_capacity(chunk.len());
        for (entry, id) in chunk {
            let Some(segment) = shared.table.segment(*id) else { continue };
            match change(shared, &segment, entry, dead.contains(&entry.sequence)) {
                Ok(change) => changes.push(change),
                Err(error) => {
                    note(report, error)?;
                    changes.push(Change::Passed { sequence: entry.sequence });
                }
            }
        }
        shared.catalogue.feed(changes);
    }
    Ok(unseen.len() as u64)
}

/// What the catalogue is told of one record.
fn change(shared: &Shared, segment: &Segment, entry: &Entry, deleted: bool) -> Result<Change, ReadError> {
    let passed = Ok(Change::Passed { sequence: entry.sequence });
    match entry.kind {
        RecordKind::Sample | RecordKind::Known | RecordKind::Large if entry.content_only || deleted => passed,
        RecordKind::Sample | RecordKind::Known | RecordKind::Large => {
            let view = segment.record(entry.offset)?;
            let sample = sample_of(&view);
            let stored_bytes = match entry.kind {
                RecordKind::Large => crate::large::file_bytes(&view.head),
                RecordKind::Sample => entry.record_bytes,
                RecordKind::Known => {
                    let content = shared.table.locate(sample.0).and_then(|(segment, _)| segment.entry(sample.0));
                    content.map_or(0, |content| content.record_bytes)
                }
                RecordKind::Deletion | RecordKind::Tombstone | RecordKind::Part | RecordKind::Closing => 0,
            };
            let arrival = Arrival::decode(view.meta()).map_err(|error| {
                let range = entry.offset..entry.offset + entry.record_bytes;
                let damage = Damage::at(segment.id, range, format!("the arrival does not read: {error}"));
                ReadError::Damaged(damage.of_sample(view.head.blake3, entry.sequence))
            })?;
            Ok(Change::Arrived(CatalogueEntry {
                item: ItemId(entry.sequence),
                sample,
                blake3: view.head.blake3,
                sha256: view.head.sha256,
                raw: RawBytes(view.head.raw_bytes),
                stored: StoredBytes(stored_bytes),
                arrival,
                brings_sample: entry.kind.brings_content(),
            }))
        }
        RecordKind::Deletion => {
            let view = segment.record(entry.offset)?;
            let payload = segment.payload(&view)?;
            let items = payload.as_chunks::<8>().0.iter().map(|id| ItemId(u64::from_le_bytes(*id))).collect();
            let who = String::from_utf8_lossy(view.meta()).into_owned();
            Ok(Change::Deleted { sequence: entry.sequence, items, at_ms: view.head.link()[0] as i64, who })
        }
        RecordKind::Tombstone | RecordKind::Part | RecordKind::Closing => passed,
    }
}

/// The retry keys of the last arrivals.
fn recent_keys(shared: &Shared) -> RetryWindow {
    let mut window = RetryWindow::default();
    let mut segments = shared.table.all();
    segments.sort_by_key(|segment| std::cmp::Reverse(segment.sequences()));
    let mut recent = Vec::new();
    for segment in segments {
        if recent.len() >= KEYS_REPLAYED {
            break;
        }
        let entries = segment.entries().unwrap_or_default();
        let arrivals = entries.into_iter().rev().filter(|entry| entry.kind.is_arrival() && !entry.content_only);
        recent.extend(arrivals.take(KEYS_REPLAYED - recent.len()).map(|entry| (entry, Arc::clone(&segment))));
    }
    recent.sort_by_key(|(entry, _)| entry.sequence);
    for (entry, segment) in recent {
        let Ok(view) = segment.record(entry.offset) else { continue };
        let Ok(arrival) = Arrival::decode(view.meta()) else { continue };
        if let Some(key) = arrival.retry_key {
            let remembered = Remembered::new(ItemId(entry.sequence), sample_of(&view), &view.head.blake3);
            window.remember(&arrival.client, key, remembered);
        }
    }
    window
}
