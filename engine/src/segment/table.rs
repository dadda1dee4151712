//! All segments of a store, by number.

use super::reader::Segment;
use super::{Place, SegmentId};
use crate::large::LargeFile;
use parking_lot::RwLock;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Who is open for reading.
#[derive(Default)]
pub(crate) struct SegmentTable {
    segments: RwLock<BTreeMap<SegmentId, Arc<Segment>>>,
    large: RwLock<BTreeMap<SegmentId, Arc<LargeFile>>>,
}

impl SegmentTable {
    /// Adds a segment, or puts its sealed form in the place of the active one.
    pub(crate) fn put(&self, segment: Arc<Segment>) {
        if let Some(old) = self.segments.write().insert(segment.id, Arc::clone(&segment)) {
            segment.add_dead(old.dead_bytes());
        }
    }

    pub(crate) fn remove(&self, id: SegmentId) -> Option<Arc<Segment>> {
        self.segments.write().remove(&id)
    }

    pub(crate) fn segment(&self, id: SegmentId) -> Option<Arc<Segment>> {
        self.segments.read().get(&id).cloned()
    }

    /// All, by number.
    pub(crate) fn all(&self) -> Vec<Arc<Segment>> {
        self.segments.read().values().cloned().collect()
    }

    pub(crate) fn put_large(&self, file: Arc<LargeFile>) {
        self.large.write().insert(file.id(), file);
    }

    pub(crate) fn large(&self, id: SegmentId) -> Option<Arc<LargeFile>> {
        self.large.read().get(&id).cloned()
    }

    pub(crate) fn remove_large(&self, id: SegmentId) -> Option<Arc<LargeFile>> {
        self.large.write().remove(&id)
    }

    /// Where the record with this sequence lies.
    pub(crate) fn locate(&self, sequence: u64) -> Option<(Arc<Segment>, Place)> {
        let holds = |segment: &&Arc<Segment>| {
            segment.sequences().is_some_and(|(lowest, highest)| (lowest..=highest).contains(&sequence))
        };
        let candidates: Vec<_> = self.segments.read().values().filter(holds).cloned().collect();
        candidates.into_iter().find_map(|segment| {
            let offset = segment.entry(sequence)?.offset;
            let place = Place { segment: segment.id, offset };
            Some((segment, place))
        })
    }
}
