//! Work on a store that no server has open: verifying it, and making its catalogue anew.

use crate::check::{Depth, check_record};
use crate::disk::Disk;
use crate::engine::Engine;
use crate::error::{Damage, OpenError, ReadError, opening};
use crate::segment::footer::Entry;
use crate::segment::record::RecordKind;
use crate::settings::Settings;
use crate::torn::TornTail;
use model::SampleId;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// How far long work has come, in bytes of segments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Bytes done.
    pub done_bytes: u64,
    /// Bytes in all.
    pub total_bytes: u64,
}

/// What verifying found.
#[derive(Debug, Clone, Default)]
pub struct VerifyReport {
    /// Segments read.
    pub segments: u64,
    /// Samples whose content opens to its digest.
    pub samples: u64,
    /// Items.
    pub items: u64,
    /// Bytes of segments read.
    pub bytes: u64,
    /// Everything that is not as it was written.
    pub damage: Vec<Damage>,
    /// Damaged copies of samples that came again and were stored anew: their items have their content.
    pub healed: Vec<Damage>,
    /// Incomplete writes that opening cut.
    pub torn: Vec<TornTail>,
}

/// What rebuilding made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RebuildReport {
    /// Items listed again.
    pub items: u64,
    /// Distinct samples.
    pub samples: u64,
    /// Records of the log that were read.
    pub records: u64,
}

/// Background passes have no place in a store that is only looked at.
fn quiet() -> Settings {
    Settings {
        finish: false,
        scrub: false,
        prepare_bytes: 0,
        max_bytes: u64::MAX / 256,
        segment_bytes: Some(256 << 20),
        ..Settings::default()
    }
}

/// Reads every record of the store: checksums, seals, digests, and that every item has its content. A segment that a
/// crash left open is closed on the way, as any start would. Blocks.
///
/// # Errors
/// The store does not open at all.
pub fn verify(data: &Path, disk: Arc<dyn Disk>, progress: &mut dyn FnMut(Progress)) -> Result<VerifyReport, OpenError> {
    let (engine, recovery) = Engine::open(data, quiet(), disk)?;
    let shared = engine.shared();
    let mut report = VerifyReport { damage: recovery.damage, torn: recovery.torn, ..VerifyReport::default() };
    let segments = shared.table.all();
    let total_bytes = segments.iter().map(|segment| segment.file_bytes()).sum();
    for segment in &segments {
        report.segments += 1;
        let entries = match segment.entries() {
            Ok(entries) => entries,
            Err(ReadError::Damaged(damage)) => {
                report.damage.push(damage);
                continue;
            }
            Err(ReadError::Io { message, .. }) => {
                report.damage.push(Damage::at(segment.id, 0..segment.file_bytes(), message));
                continue;
            }
        };
        for entry in entries {
            let dead = {
                let dead = shared.dead.lock();
                (dead.items.contains(&entry.sequence), dead.samples.contains(&entry.sequence))
            };
            let depth = if dead.1 { Depth::Stored } else { Depth::Plain };
            match check_record(shared, segment, &entry, depth) {
                Ok(()) if entry.kind.brings_content() && !dead.1 => report.samples += 1,
                Ok(()) => {}
                // Bytes that nobody needs any more.
                Err(_) if dead.1 && entry.kind.brings_content() => {}
                Err(damage) if report.damage.contains(&damage) => {}
                Err(damage) if is_healed(shared, &entry, &damage) => report.healed.push(damage),
                Err(damage) => report.damage.push(damage),
            }
            if entry.kind.is_arrival() && !entry.content_only && !dead.0 {
                report.items += 1;
                if entry.kind == RecordKind::Known {
                    report.damage.extend(missing_content(shared, segment, entry.offset));
                }
            }
            report.bytes += entry.record_bytes;
            progress(Progress { done_bytes: report.bytes, total_bytes });
        }
    }
    engine.close();
    Ok(report)
}

/// Whether the damage is in the content of a sample that has a newer copy. That copy is checked in its own turn.
fn is_healed(shared: &crate::shared::Shared, entry: &Entry, damage: &Damage) -> bool {
    let sample = SampleId(entry.sequence);
    if !shared.suspects.contains(sample) {
        return false;
    }
    match &damage.digest {
        Some(digest) => shared.is_superseded(digest, sample),
        // The head is gone; what the footer keeps of the digest still tells the copies of one sample.
        None => {
            let copies = shared.index.samples_of(entry.digest_prefix);
            copies.into_iter().any(|copy| copy > sample && !shared.suspects.contains(copy))
        }
    }
}

/// An item whose content is nowhere.
fn missing_content(
    shared: &crate::shared::Shared,
    segment: &crate::segment::reader::Segment,
    offset: u64,
) -> Option<Damage> {
    let view = segment.record(offset).ok()?;
    match shared.find_for_reading(&view.head.blake3) {
        Ok(None) => {
            let range = offset..offset + view.head.record_bytes() as u64;
            let damage = Damage::at(segment.id, range, "the item's content is missing");
            Some(damage.of_sample(view.head.blake3, view.head.sequence))
        }
        // Content that is there but damaged is named where it lies.
        Ok(Some(_)) | Err(_) => None,
    }
}

/// Makes the catalogue anew from the segments. Statuses that only the catalogue knew start again at Quarantined. Blocks.
///
/// # Errors
/// The store does not open, or the old catalogue cannot be removed.
pub fn rebuild(
    data: &Path,
    disk: Arc<dyn Disk>,
    progress: &mut dyn FnMut(Progress),
) -> Result<RebuildReport, OpenError> {
    // The lock first: a running server must not lose its catalogue under its feet.
    let lock = disk.lock(data).map_err(|error| match error.kind() {
        io::ErrorKind::WouldBlock => OpenError::InUse(data.to_owned()),
        _ => opening("lock", data)(error),
    })?;
    let dir = data.join("catalogue");
    for name in ["catalogue.db", "catalogue.db-wal", "catalogue.db-shm"] {
        let path = dir.join(name);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(opening("remove", &path)(error)),
            Ok(()) | Err(_) => {}
        }
    }
    drop(lock);
    progress(Progress { done_bytes: 0, total_bytes: 0 });
    let (engine, recovery) = Engine::open(data, quiet(), disk)?;
    let total_bytes = engine.shared().table.all().iter().map(|segment| segment.file_bytes()).sum();
    progress(Progress { done_bytes: total_bytes, total_bytes });
    engine.close();
    Ok(RebuildReport { items: recovery.items, samples: recovery.samples, records: recovery.replayed })
}
