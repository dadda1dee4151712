//! Shelves kept in order: loose samples put on them, small ones made one, those that were mostly deleted taken away.

use super::driver::{Work, all};
use super::shelve::{SHELF_SAMPLES_MAX, Shelved, shelve};
use super::stock::Loose;
use crate::definitions::Active;
use engine::catalogue::{CatalogueError, Own};
use model::{SampleId, Sequence};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How often one shelf is looked at for samples that were deleted: it takes some 50 ms.
const THIN_EVERY: Duration = Duration::from_secs(20);
/// How long no shelf is made after one could not be.
const NOT_SHELVED: Duration = Duration::from_secs(60);
/// Of how many parts of a shelf loose samples are scanned again rather than put on one of their own.
const PARTS: u64 = 64;
/// Shelves of less than half the size before they are made one.
const SMALL_SHELVES_MAX: usize = 16;

impl Work {
    /// Puts loose samples on a shelf when there are enough of them.
    pub(super) fn shelve(&mut self, active: &Active) -> Result<(), CatalogueError> {
        let shelf_bytes = self.context.shelf_options.plain_bytes;
        let samples = {
            let stock = self.context.retests.stock.lock();
            if stock.loose_bytes() < shelf_bytes {
                return Ok(());
            }
            let ready = |sample: &SampleId, loose: &Loose| {
                loose.sequence == active.sequence && !self.unshelvable.contains(sample)
            };
            let ready = stock.loose().filter(|(sample, loose)| ready(sample, loose)).collect();
            pieces(ready, shelf_bytes).into_iter().next().unwrap_or_default()
        };
        let bytes: u64 = samples.iter().map(|(_, loose)| loose.raw_bytes).sum();
        if bytes < shelf_bytes && samples.len() < SHELF_SAMPLES_MAX {
            return Ok(());
        }
        if self.put_on_shelf(&samples)?.is_some() {
            // There may be enough for another.
            self.context.retests.look();
        }
        Ok(())
    }

    /// Puts loose samples that are behind on shelves, where their facts are at hand: asking those is cheaper than a scan.
    pub(super) fn shelve_behind(&mut self, active: &Active) -> Result<(), CatalogueError> {
        let shelf_bytes = self.context.shelf_options.plain_bytes;
        let mut behind: BTreeMap<Sequence, Vec<(SampleId, Loose)>> = BTreeMap::new();
        for (sample, loose) in self.context.retests.stock.lock().loose_behind(active.sequence) {
            if self.context.retests.larder().has(sample) && !self.unshelvable.contains(&sample) {
                behind.entry(loose.sequence).or_default().push((sample, loose));
            }
        }
        for samples in behind.into_values().flat_map(|samples| pieces(samples, shelf_bytes)) {
            let bytes: u64 = samples.iter().map(|(_, loose)| loose.raw_bytes).sum();
            if bytes >= shelf_bytes / PARTS && self.put_on_shelf(&samples)?.is_none() {
                break;
            }
        }
        Ok(())
    }

    /// Makes one of many small shelves.
    pub(super) fn merge(&mut self, active: &Active) -> Result<(), CatalogueError> {
        let shelf_bytes = self.context.shelf_options.plain_bytes;
        let Some(shelves) = &self.shelves else { return Ok(()) };
        let mut small: Vec<(u64, u64)> = shelves.smaller_than(shelf_bytes / 2).collect();
        if small.len() < SMALL_SHELVES_MAX {
            return Ok(());
        }
        let mut bytes = 0;
        small.retain(|(_, plain_bytes)| {
            bytes += plain_bytes;
            bytes <= shelf_bytes
        });
        let mut samples = Vec::new();
        {
            let stock = self.context.retests.stock.lock();
            for (number, _) in &small {
                let on_it = shelves.samples(*number).unwrap_or_default().into_iter();
                let is_here = |sample| stock.is_on(sample, *number) && !self.unshelvable.contains(&sample);
                samples.extend(on_it.filter(|(sample, _)| is_here(*sample)));
            }
        }
        samples.sort_unstable();
        samples.truncate(SHELF_SAMPLES_MAX);
        let loose = |(sample, blake3)| (sample, Loose { blake3, raw_bytes: 0, sequence: active.sequence });
        let samples: Vec<(SampleId, Loose)> = samples.into_iter().map(loose).collect();
        // What cannot be opened stays where it is, and its shelf with it.
        if samples.is_empty() || self.put_on_shelf(&samples)?.is_none() {
            return Ok(());
        }
        for (number, _) in small {
            let left = self.shelves.as_ref().and_then(|shelves| shelves.samples(number)).unwrap_or_default();
            let is_empty = {
                let stock = self.context.retests.stock.lock();
                left.iter().all(|(sample, _)| !stock.is_on(*sample, number))
            };
            if is_empty {
                self.remove(number)?;
                self.context.retests.stock.lock().dissolve(number, &[], []);
            }
        }
        Ok(())
    }

    /// Puts samples on a new shelf; its number, or `None` when that cannot be done now. What is on it holds for the oldest set
    /// of its samples.
    fn put_on_shelf(&mut self, samples: &[(SampleId, Loose)]) -> Result<Option<u64>, CatalogueError> {
        let Some(shelves) = &mut self.shelves else { return Ok(None) };
        // Making one costs a second of every processor, also where it then finds no room.
        if self.not_shelved.is_some_and(|at| at.elapsed() < NOT_SHELVED) {
            return Ok(None);
        }
        let began = Instant::now();
        match shelve(&self.context, &self.engine, shelves, samples)? {
            Shelved::Done { number, sequence, samples, gone, faulty } => {
                let took_ms = began.elapsed().as_millis() as u64;
                tracing::info!(number, samples = samples.len(), took_ms, "a shelf is made");
                let mut stock = self.context.retests.stock.lock();
                stock.shelved(number, sequence, samples);
                gone.into_iter().for_each(|sample| stock.gone(sample));
                self.unshelvable.extend(faulty);
                Ok(Some(number))
            }
            Shelved::NotNow => {
                self.not_shelved = Some(Instant::now());
                Ok(None)
            }
        }
    }

    /// A shelf goes; the catalogue forgets it first.
    fn remove(&mut self, number: u64) -> Result<(), CatalogueError> {
        all(self.engine.catalogue().apply(vec![Own::ShelfGone(number)])?)?;
        if let Some(Err(error)) = self.shelves.as_mut().map(|shelves| shelves.remove(&self.engine, number)) {
            tracing::warn!(%error, number, "a shelf cannot be removed");
        }
        Ok(())
    }

    /// Looks at one shelf now and then: when most of its samples were deleted, the others become loose and it goes.
    pub(super) fn thin(&mut self) -> Result<(), CatalogueError> {
        if self.thinned.elapsed() < THIN_EVERY {
            return Ok(());
        }
        self.thinned = Instant::now();
        let Some(shelves) = &self.shelves else { return Ok(()) };
        let Some((number, samples)) = shelves.next_after(self.thinned_last) else {
            self.thinned_last = 0;
            return Ok(());
        };
        self.thinned_last = number;
        let mut left = Vec::new();
        for sample in &samples {
            // One that is on a newer shelf too is left there.
            if self.context.retests.stock.lock().is_on(*sample, number) {
                left.extend(self.engine.catalogue().sample_row(*sample)?);
            }
        }
        if left.len() * 2 > samples.len() {
            return Ok(());
        }
        self.remove(number)?;
        let mut stock = self.context.retests.stock.lock();
        let loose = left
            .iter()
            .map(|row| (row.sample, Loose { blake3: row.blake3, raw_bytes: row.raw.0, sequence: row.sequence }));
        let on_it: Vec<SampleId> = samples.into_iter().filter(|sample| stock.is_on(*sample, number)).collect();
        stock.dissolve(number, &on_it, loose);
        tracing::info!(number, samples = left.len(), "most of a shelf was deleted: the rest of it is loose");
        Ok(())
    }
}

/// Samples in pieces of a shelf each.
fn pieces(samples: Vec<(SampleId, Loose)>, shelf_bytes: u64) -> Vec<Vec<(SampleId, Loose)>> {
    let mut pieces: Vec<Vec<(SampleId, Loose)>> = Vec::new();
    let mut bytes = 0;
    for (sample, loose) in samples {
        match pieces.last_mut().filter(|piece| bytes < shelf_bytes && piece.len() < SHELF_SAMPLES_MAX) {
            Some(piece) => piece.push((sample, loose)),
            None => {
                pieces.push(vec![(sample, loose)]);
                bytes = 0;
            }
        }
        bytes += loose.raw_bytes;
    }
    pieces
}
