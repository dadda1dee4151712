//! Rewriting sealed segments: compaction leaves dead records behind, the finish pass compresses for good. Both are one
//! act: a new segment takes over the live records of one or several old ones.
//!
//! 1. The new segment is complete, synced and named before an old one is unlinked; its footer says whom it replaces.
//! 2. Content is copied as it is, salt and all, or sealed anew under a new salt.
//! 3. The newest records of the log are never rewritten: their numbers must not be lost.
//! 4. A deletion or tombstone is kept while a record that it cancels lies in a segment that stays.

use crate::disk::AlignedBuf;
use crate::error::ReadError;
use crate::lane::growing::Growing;
use crate::large::{Finished, Turn};
use crate::pack::{Effort, Identity, Opener, Packed, open_block, pack};
use crate::quota::Level;
use crate::segment::batch::BatchBuilder;
use crate::segment::footer::{ENTRY_BYTES, Entry, Footer};
use crate::segment::header::SegmentKind;
use crate::segment::reader::{RecordView, Sealed, Segment};
use crate::segment::record::{RecordHead, RecordKind};
use crate::segment::{Place, SegmentId, rewrite_path, segment_path, segments_dir};
use crate::shared::Shared;
use model::{Blake3, SampleId};
use std::collections::HashSet;
use std::io;
use std::sync::Arc;

/// Bytes of a batch in a rewrite: large enough for the disk, small enough for memory.
const BATCH_BYTES: usize = 2 << 20;
/// Plain bytes of large samples that one rewrite compresses for good, and one sample at least: so much lies there twice
/// until the switch.
const LARGE_BYTES: u64 = 256 << 20;
/// A segment with this share of dead bytes, in percent, is worth compacting.
const DEAD_PERCENT: u64 = 50;
/// So many small segments are merged into one.
const SMALL_COUNT: usize = 8;
/// A segment below this fraction of the usual size is small.
const SMALL_FRACTION: u64 = 8;

/// Segments to rewrite into one.
pub(super) struct Plan {
    victims: Vec<Arc<Segment>>,
    recompress: bool,
}

impl Plan {
    /// After a failure: these segments are not tried again before the next start.
    pub(super) fn leave_alone(&self) {
        self.victims.iter().for_each(|victim| victim.leave_alone());
    }
}

/// What is most worth rewriting now.
pub(super) fn plan(shared: &Shared, may_finish: bool) -> Option<Plan> {
    let watermark = shared.catalogue.watermark();
    let segments = shared.table.all();
    let newest = segments.iter().filter_map(|segment| segment.sequences()).map(|(_, highest)| highest).max()?;
    let settled: Vec<_> = segments
        .into_iter()
        .filter(|segment| segment.as_sealed().is_some() && !segment.is_left_alone())
        .filter(|segment| segment.sequences().is_none_or(|(_, highest)| highest < newest && highest <= watermark))
        .collect();
    let dead_share = |segment: &Arc<Segment>| segment.dead_bytes() * 100 / segment.file_bytes().max(1);
    let pressed = shared.ledger.quota().level >= Level::High;
    let emptiest = settled.iter().max_by_key(|segment| dead_share(segment));
    if let Some(victim) = emptiest.filter(|victim| {
        let share = dead_share(victim);
        share >= DEAD_PERCENT || pressed && victim.dead_bytes() > victim.file_bytes() / 50
    }) {
        return Some(Plan { victims: vec![Arc::clone(victim)], recompress: false });
    }
    let segment_bytes = shared.settings.segment_bytes();
    let small: Vec<_> = settled
        .iter()
        .filter(|segment| segment.file_bytes() < segment_bytes / SMALL_FRACTION)
        .take(SMALL_FRACTION as usize)
        .cloned()
        .collect();
    if small.len() >= SMALL_COUNT {
        return Some(Plan { victims: small, recompress: may_finish });
    }
    let unfinished = may_finish.then(|| settled.iter().find(|segment| !segment.is_finished()))??;
    Some(Plan { victims: vec![Arc::clone(unfinished)], recompress: true })
}

/// What of the victims stays, and what goes.
struct Sorted {
    keep: Vec<(Arc<Segment>, Entry)>,
    /// Items whose arrival records go.
    items_gone: Vec<u64>,
    /// Samples whose content goes.
    samples_gone: Vec<u64>,
}

pub(super) fn carry_out(shared: &Arc<Shared>, plan: &Plan) -> io::Result<()> {
    let sorted = sort(shared, &plan.victims).map_err(io::Error::other)?;
    let mut large = LargeTurn::new(plan.recompress);
    let moved = if sorted.keep.is_empty() { None } else { Some(write(shared, plan, &sorted, &mut large)?) };
    if let Some((segment, moved)) = moved {
        if large.is_stuck() {
            segment.call_finished();
        }
        // Readers that come now find the new place; those that hold the old segment keep it until they are done.
        shared.table.put(Arc::clone(&segment));
        for (entry, old, new) in &moved {
            if entry.kind.brings_content() {
                shared.index.repoint(entry.digest_prefix, SampleId(entry.sequence), *old, *new);
            }
        }
        shared.ledger.charge(segment.file_bytes());
        shared.counters.rewritten_bytes.add(segment.file_bytes());
        recount_dead(shared, &segment).map_err(io::Error::other)?;
    }
    remove_victims(shared, &plan.victims)?;
    large.finished.into_iter().for_each(|finished| finished.switched(shared));
    let mut dead = shared.dead.lock();
    for item in &sorted.items_gone {
        dead.items.remove(item);
    }
    for sample in &sorted.samples_gone {
        dead.samples.remove(sample);
    }
    Ok(())
}

fn remove_victims(shared: &Shared, victims: &[Arc<Segment>]) -> io::Result<()> {
    for victim in victims {
        shared.table.remove(victim.id);
        shared.disk.unlink(&segment_path(&shared.data, victim.id))?;
        shared.ledger.release(victim.file_bytes());
        shared.counters.rewritten_segments.add(1);
        shared.counters.rewritten_bytes.add(victim.file_bytes());
        shared.counters.reclaimed_bytes.add(victim.dead_bytes());
    }
    shared.disk.sync_dir(&segments_dir(&shared.data))
}

fn sort(shared: &Shared, victims: &[Arc<Segment>]) -> Result<Sorted, ReadError> {
    let (dead_items, dead_samples) = {
        let dead = shared.dead.lock();
        (dead.items.clone(), dead.samples.clone())
    };
    let mut all = Vec::new();
    for victim in victims {
        all.extend(victim.entries()?.into_iter().map(|entry| (Arc::clone(victim), entry)));
    }
    all.sort_by_key(|(_, entry)| entry.sequence);
    let own: HashSet<u64> = all.iter().map(|(_, entry)| entry.sequence).collect();
    let mut sorted = Sorted { keep: Vec::new(), items_gone: Vec::new(), samples_gone: Vec::new() };
    for (segment, mut entry) in all {
        let item_dead = dead_items.contains(&entry.sequence);
        let keep = match entry.kind {
            RecordKind::Sample | RecordKind::Large => {
                let content_dead = dead_samples.contains(&entry.sequence);
                if content_dead && (item_dead || entry.content_only) {
                    sorted.samples_gone.push(entry.sequence);
                }
                if item_dead {
                    sorted.items_gone.push(entry.sequence);
                    entry.content_only = true;
                }
                !(content_dead && entry.content_only)
            }
            RecordKind::Known if item_dead => {
                sorted.items_gone.push(entry.sequence);
                false
            }
            RecordKind::Known => true,
            RecordKind::Deletion => {
                let view = segment.record(entry.offset)?;
                let payload = segment.payload(&view)?;
                let mut items = payload.as_chunks::<8>().0.iter().map(|item| u64::from_le_bytes(*item));
                items.any(|item| dead_items.contains(&item) && !own.contains(&item))
            }
            RecordKind::Tombstone => {
                let sample = segment.record(entry.offset)?.head.link()[0];
                dead_samples.contains(&sample) && !own.contains(&sample)
            }
            RecordKind::Part | RecordKind::Closing => true,
        };
        if keep {
            sorted.keep.push((segment, entry));
        }
    }
    Ok(sorted)
}

/// Where a record lay and where it lies now.
type Moved = Vec<(Entry, Place, Place)>;

fn write(
    shared: &Arc<Shared>,
    plan: &Plan,
    sorted: &Sorted,
    large: &mut LargeTurn,
) -> io::Result<(Arc<Segment>, Moved)> {
    let id = shared.allot_segment().ok_or_else(|| io::Error::other("all segment numbers are used"))?;
    let path = rewrite_path(&shared.data, id);
    let written = write_records(shared, plan, sorted, id, large).inspect_err(|_| {
        let _ = shared.disk.unlink(&path);
    })?;
    let (footer, moved) = written;
    let final_path = segment_path(&shared.data, id);
    // A rename that fails may yet be found done by the next start.
    large.named();
    shared.disk.rename(&path, &final_path)?;
    shared.disk.sync_dir(&segments_dir(&shared.data))?;
    let file = shared.disk.open(&final_path, shared.settings.read)?;
    let segment = Arc::new(Segment::sealed(id, file, Sealed::from(&footer)));
    Ok((segment, moved))
}

fn write_records(
    shared: &Arc<Shared>,
    plan: &Plan,
    sorted: &Sorted,
    id: SegmentId,
    large: &mut LargeTurn,
) -> io::Result<(Footer, Moved)> {
    let mut growing = Growing::create(shared, &rewrite_path(&shared.data, id), id, SegmentKind::Lane)?;
    let mut entries = Vec::with_capacity(sorted.keep.len());
    let mut moved = Vec::with_capacity(sorted.keep.len());
    let mut builder = BatchBuilder::new(AlignedBuf::with_capacity(BATCH_BYTES));
    for (victim, entry) in &sorted.keep {
        let mut copy = Copy::of(shared, victim, entry, plan.recompress).map_err(io::Error::other)?;
        large.take(shared, &mut copy.head, Place { segment: victim.id, offset: entry.offset })?;
        let at = builder.push(&copy.head, &copy.meta, &copy.table, &copy.payload);
        let place = Place { segment: id, offset: growing.written() + at as u64 };
        moved.push((*entry, Place { segment: victim.id, offset: entry.offset }, place));
        entries.push(Entry::of(&copy.head, place.offset));
        if builder.bytes() >= BATCH_BYTES {
            builder = BatchBuilder::new(append(shared, &mut growing, builder)?);
        }
    }
    if !builder.is_empty() {
        append(shared, &mut growing, builder)?;
    }
    let replaces = plan.victims.iter().map(|victim| victim.id).collect();
    let footer = Footer { segment: id, batches_end: 0, chain: Blake3([0; 32]), entries, replaces, damaged: Vec::new() };
    Ok((growing.seal(footer)?, moved))
}

fn append(shared: &Shared, growing: &mut Growing, builder: BatchBuilder) -> io::Result<AlignedBuf> {
    growing.make_room(builder.bytes() as u64, 0)?;
    let (pages, chain) = builder.close(growing.header.segment, shared.store, growing.batches(), growing.written());
    let (pages, outcome) = growing.append(pages, chain);
    outcome.map(|()| pages)
}

/// The large samples whose turn it is in one rewrite.
struct LargeTurn {
    /// Plain bytes that may still be done; 0 when it is nobody's turn.
    budget_bytes: u64,
    finished: Vec<Finished>,
    left: bool,
}

impl LargeTurn {
    fn new(recompress: bool) -> Self {
        Self { budget_bytes: if recompress { LARGE_BYTES } else { 0 }, finished: Vec::new(), left: false }
    }

    /// Compresses a large sample for good and lets the record name the new file.
    fn take(&mut self, shared: &Arc<Shared>, head: &mut RecordHead, place: Place) -> io::Result<()> {
        if head.kind != RecordKind::Large || head.effort >= Effort::Final {
            return Ok(());
        }
        if self.budget_bytes == 0 || shared.dead.lock().samples.contains(&head.sequence) {
            self.left = true;
            return Ok(());
        }
        self.budget_bytes = self.budget_bytes.saturating_sub(head.raw_bytes);
        match crate::large::finish(shared, head, place)? {
            Turn::Smaller(finished) => {
                *head = finished.head;
                self.finished.push(*finished);
            }
            Turn::NoGain => head.effort = Effort::Final,
            Turn::NotNow => self.left = true,
        }
        Ok(())
    }

    /// From here on the log may name the new files, whatever else fails.
    fn named(&mut self) {
        self.finished.iter_mut().for_each(Finished::named);
    }

    /// Some are left, and another turn would do no better: there is no room for two files.
    fn is_stuck(&self) -> bool {
        self.left && self.finished.is_empty()
    }
}

/// A record as it will stand in the new segment.
struct Copy {
    head: RecordHead,
    meta: Vec<u8>,
    table: Vec<u8>,
    payload: Vec<u8>,
}

impl Copy {
    fn of(shared: &Shared, segment: &Segment, entry: &Entry, recompress: bool) -> Result<Self, ReadError> {
        let view = segment.record(entry.offset)?;
        let payload = segment.payload(&view)?;
        let mut head = view.head;
        let mut meta = view.meta().to_vec();
        if entry.content_only {
            // The arrival was deleted: whose it was is forgotten with it.
            meta.clear();
            head.content_only = true;
            head.meta_bytes = 0;
        }
        let table = view.table_bytes().to_vec();
        let mut copy = Self { head, meta, table, payload };
        if recompress && head.kind == RecordKind::Sample && head.effort < Effort::Final {
            if matches!(head.effort, Effort::Raw | Effort::Light) {
                shared.pressure.remove_light(head.raw_bytes);
            }
            copy.finish(shared, segment, &view)?;
        }
        Ok(copy)
    }

    /// Compresses for good, where that is smaller.
    fn finish(&mut self, shared: &Shared, segment: &Segment, view: &RecordView) -> Result<(), ReadError> {
        let identity = Identity { id: self.head.blake3.0, raw_bytes: self.head.raw_bytes };
        let damaged = |what: String| {
            let range = view.offset..view.offset + view.head.record_bytes() as u64;
            let damage = crate::error::Damage::at(segment.id, range, what);
            ReadError::Damaged(damage.of_sample(view.head.blake3, view.head.sequence))
        };
        let blocks = view.table().map_err(|failure| damaged(failure.to_string()))?;
        let opener = Opener::new(&shared.key, &self.head.salt, identity, blocks.len() as u32);
        let mut plain = Vec::with_capacity(self.head.raw_bytes as usize);
        let mut at = 0;
        for (number, block) in blocks.iter().enumerate() {
            let sealed = &self.payload[at..at + block.stored_bytes()];
            open_block(&opener, number as u32, *block, sealed, &mut plain)
                .map_err(|failure| damaged(format!("block {number}: {failure}")))?;
            at += block.stored_bytes();
        }
        self.head.effort = Effort::Final;
        let packed = pack(&shared.key, &plain, &identity, Effort::Final);
        if packed.payload.len() < self.payload.len() {
            self.take(packed);
        }
        Ok(())
    }

    fn take(&mut self, packed: Packed) {
        let several = packed.blocks.len() > 1;
        self.head.single_raw = !several && packed.blocks[0].is_raw();
        self.head.payload_bytes = packed.payload.len() as u32;
        self.head.payload_crc = packed.payload_crc;
        self.head.salt = packed.salt;
        self.table.clear();
        if several {
            self.table.extend(packed.blocks.iter().flat_map(|block| block.0.to_le_bytes()));
        }
        self.payload = packed.payload;
    }
}

/// Deletions that came while the segment was being written.
fn recount_dead(shared: &Shared, segment: &Segment) -> Result<(), ReadError> {
    let dead = shared.dead.lock();
    for entry in segment.entries()? {
        let gone = match entry.kind {
            RecordKind::Sample | RecordKind::Large => dead.samples.contains(&entry.sequence),
            RecordKind::Known => dead.items.contains(&entry.sequence),
            RecordKind::Deletion | RecordKind::Tombstone | RecordKind::Part | RecordKind::Closing => false,
        };
        if gone {
            segment.add_dead(entry.record_bytes + ENTRY_BYTES as u64);
        }
    }
    Ok(())
}
