//! What the lane, the readers and the background passes of one store share.

use crate::catalogue::Catalogue;
use crate::counters::Counters;
use crate::disk::Disk;
use crate::error::{Damage, ReadError};
use crate::index::Index;
use crate::pack::{Pressure, StoreKey};
use crate::pool::Pool;
use crate::quota::Ledger;
use crate::segment::footer::prefix;
use crate::segment::header::StoreId;
use crate::segment::reader::Segment;
use crate::segment::table::SegmentTable;
use crate::segment::{Place, SEGMENTS_MAX, SegmentId};
use crate::settings::Settings;
use crate::suspects::Suspects;
use model::{Blake3, SampleId, Sha256};
use parking_lot::Mutex;
use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Damaged places that are remembered by name; more are only counted.
const DAMAGE_NAMED_MAX: usize = 1000;

/// A store's common state.
pub(crate) struct Shared {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) data: PathBuf,
    pub(crate) store: StoreId,
    pub(crate) key: StoreKey,
    pub(crate) settings: Settings,
    pub(crate) table: SegmentTable,
    pub(crate) index: Index,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) pressure: Pressure,
    pub(crate) counters: Counters,
    pub(crate) catalogue: Catalogue,
    pub(crate) pool: Arc<Pool>,
    pub(crate) next_segment: AtomicU32,
    pub(crate) dead: Mutex<Dead>,
    pub(crate) holds: Mutex<Holds>,
    /// Large samples' files that recovery found named in the log.
    pub(crate) named_large: Mutex<HashSet<SegmentId>>,
    /// Samples whose stored copy is not to be relied on.
    pub(crate) suspects: Arc<Suspects>,
    closing: AtomicBool,
    failure: Mutex<Option<String>>,
    /// Nobody takes work from the lane's queue any more.
    pub(crate) lane_ended: AtomicBool,
    damage: Mutex<Vec<Damage>>,
}

/// Records that still lie in segments though they no longer count. Deletion and tombstone records are kept while what
/// they name is in here.
#[derive(Debug, Default)]
pub(crate) struct Dead {
    /// Items whose arrival records lie there.
    pub(crate) items: HashSet<u64>,
    /// Samples whose content lies there.
    pub(crate) samples: HashSet<u64>,
}

/// Samples that must not be dropped just now, and those about to be.
#[derive(Debug, Default)]
pub(crate) struct Holds {
    /// Answered with "I have it": how many arrivals rely on that.
    pins: HashMap<SampleId, u32>,
    /// Being considered for dropping, and whether an arrival came in the meantime.
    closing: HashMap<SampleId, bool>,
}

impl Holds {
    pub(crate) fn pin(&mut self, sample: SampleId) {
        *self.pins.entry(sample).or_default() += 1;
    }

    pub(crate) fn unpin(&mut self, sample: SampleId) {
        if let Some(count) = self.pins.get_mut(&sample) {
            *count -= 1;
            if *count == 0 {
                self.pins.remove(&sample);
            }
        }
    }

    /// Starts to consider dropping a sample.
    pub(crate) fn close(&mut self, sample: SampleId) {
        self.closing.insert(sample, false);
    }

    /// An arrival relies on the sample.
    pub(crate) fn touch(&mut self, sample: SampleId) {
        if let Some(touched) = self.closing.get_mut(&sample) {
            *touched = true;
        }
    }

    /// Ends the consideration. `true` when nothing came in between and no pin holds it.
    pub(crate) fn may_drop(&mut self, sample: SampleId) -> bool {
        self.closing.remove(&sample) == Some(false) && !self.pins.contains_key(&sample)
    }
}

/// A stored sample, as the index and its record know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) sample: SampleId,
    pub(crate) sha256: Sha256,
    pub(crate) raw_bytes: u64,
    pub(crate) stored_bytes: u64,
    pub(crate) place: Place,
}

impl Shared {
    #[expect(clippy::too_many_arguments, reason = "the parts of a store, put together in one place")]
    pub(crate) fn new(
        disk: Arc<dyn Disk>,
        data: PathBuf,
        store: StoreId,
        key: StoreKey,
        settings: Settings,
        ledger: Arc<Ledger>,
        pressure: Pressure,
        catalogue: Catalogue,
    ) -> Self {
        let suspects = Arc::new(Suspects::load(&*disk, &data));
        Self {
            disk,
            data,
            store,
            key,
            settings,
            table: SegmentTable::default(),
            index: Index::new(),
            ledger,
            pressure,
            counters: Counters::default(),
            catalogue,
            pool: Arc::default(),
            next_segment: AtomicU32::new(1),
            dead: Mutex::default(),
            holds: Mutex::default(),
            named_large: Mutex::default(),
            suspects,
            closing: AtomicBool::new(false),
            failure: Mutex::default(),
            lane_ended: AtomicBool::new(false),
            damage: Mutex::default(),
        }
    }

    /// Looks a digest up and compares it in full. A copy that was found damaged counts as not there.
    pub(crate) fn find(&self, digest: &Blake3) -> Result<Option<Known>, ReadError> {
        self.find_among(digest, |sample| !self.suspects.contains(sample))
    }

    /// As [`Shared::find`], but gives a damaged copy when there is no other: most of it may still read.
    pub(crate) fn find_for_reading(&self, digest: &Blake3) -> Result<Option<Known>, ReadError> {
        match self.find(digest)? {
            None if self.suspects.any() => self.find_among(digest, |_| true),
            found => Ok(found),
        }
    }

    fn find_among(&self, digest: &Blake3, wanted: impl Fn(SampleId) -> bool) -> Result<Option<Known>, ReadError> {
        // A segment may be replaced by compaction between the look into the index and the look into the table; the
        // index then has the new place, so a second look finds it.
        for _ in 0..3 {
            let mut moved = false;
            let mut unreadable = None;
            let found = self.index.find(prefix(digest), |sample, place| {
                if !wanted(sample) {
                    return None;
                }
                let Some(segment) = self.table.segment(place.segment) else {
                    moved = true;
                    return None;
                };
                // A copy that does not read must not hide another that does.
                known_at(&segment, sample, place, digest).unwrap_or_else(|error| {
                    if matches!(error, ReadError::Damaged(_)) {
                        self.suspects.add(sample);
                    }
                    unreadable = Some(error);
                    None
                })
            });
            match (found, unreadable) {
                (Some(known), _) => return Ok(Some(known)),
                (None, Some(error)) => return Err(error),
                (None, None) if !moved => return Ok(None),
                (None, None) => {}
            }
        }
        Ok(None)
    }

    /// Whether a newer copy of this sample's content is here that nothing speaks against.
    pub(crate) fn is_superseded(&self, digest: &Blake3, sample: SampleId) -> bool {
        matches!(self.find(digest), Ok(Some(known)) if known.sample > sample)
    }

    /// Counts a new sample that takes the place of a damaged one.
    pub(crate) fn count_if_healed(&self, digest: &Blake3, sample: SampleId) {
        if self.suspects.any() {
            let mut older = self.index.samples_of(prefix(digest)).into_iter().filter(|other| *other < sample);
            if older.any(|older| self.suspects.contains(older)) {
                self.counters.healed.add(1);
                tracing::info!(%digest, "a damaged sample came again and is stored anew");
            }
        }
    }

    pub(crate) fn allot_segment(&self) -> Option<SegmentId> {
        let taken = self.next_segment.fetch_add(1, Ordering::Relaxed);
        (taken < SEGMENTS_MAX).then_some(SegmentId(taken))
    }

    /// Long background work ends at its next step.
    pub(crate) fn close_soon(&self) {
        self.closing.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Relaxed)
    }

    /// The first failure stands.
    pub(crate) fn fail(&self, reason: String) {
        self.failure.lock().get_or_insert(reason);
    }

    pub(crate) fn failure(&self) -> Option<String> {
        self.failure.lock().clone()
    }

    /// Remembers a damaged place, once.
    pub(crate) fn report(&self, damage: Damage) {
        let mut all = self.damage.lock();
        if !all.contains(&damage) {
            tracing::error!(%damage, "damage found");
            self.counters.damaged.add(1);
            if all.len() < DAMAGE_NAMED_MAX {
                all.push(damage);
            }
        }
    }

    pub(crate) fn damage(&self) -> Vec<Damage> {
        self.damage.lock().clone()
    }
}

fn known_at(segment: &Segment, sample: SampleId, place: Place, digest: &Blake3) -> Result<Option<Known>, ReadError> {
    let fresh = segment.fresh(place.offset)?;
    if fresh.digests.blake3 != *digest {
        return Ok(None);
    }
    let stored_bytes = segment.entry(sample.0).map_or(0, |entry| entry.record_bytes);
    Ok(Some(Known { sample, sha256: fresh.digests.sha256, raw_bytes: fresh.raw_bytes, stored_bytes, place }))
}

/// Milliseconds since 1970 UTC. A clock set before that counts as 1970.
pub(crate) fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}
